/**
 * Retransmissions [RFC 5080 §2.2.2]: the same source address and port, receiving socket, Identifier and authenticator. What was
 * answered is answered with the same octets; what is still being decided is dropped; nothing is decided twice (RAD-50). The same
 * key with another authenticator is a new request, and the answer still under way for the old one is not sent (RAD-51).
 *
 * Entries leave in the order in which they came: all live equally long, so the queue is sorted by itself.
 */
import type { Instant } from '../base/units.js';
import { LIMITS } from './limits.js';
import { AT, AUTHENTICATOR_OCTETS } from './packet.js';

/** One request that was seen. */
export interface DuplicateEntry {
  readonly key: string;
  /** The request's authenticator as four words. An entry keeps 516 octets alive so, 828 with the datagram. */
  readonly authenticator0: number;
  readonly authenticator1: number;
  readonly authenticator2: number;
  readonly authenticator3: number;
  readonly expires: number;
  reply: Buffer | null;
}

/** What is known of a request that came in. */
export type Seen =
  | { readonly kind: 'new'; readonly entry: DuplicateEntry }
  | { readonly kind: 'answered'; readonly reply: Buffer }
  | { readonly kind: 'working' };

/** How long and how many; the defaults are in limits.ts. */
export interface DuplicateLimits {
  readonly millis: number;
  readonly entries: number;
  readonly octets: number;
}

const DEFAULTS: DuplicateLimits = {
  millis: LIMITS.duplicateMillis,
  entries: LIMITS.duplicateEntries,
  octets: LIMITS.duplicateOctets,
};
const WORKING: Seen = { kind: 'working' };
/** The queue is cut off at its head only when so much of it is used up, so that a step costs nothing on average. */
const CUT_AT = 4096;

/** The requests of the last seconds, bounded in count and octets (RAD-52). `now` is passed in. */
export class DuplicateCache {
  readonly #byKey = new Map<string, DuplicateEntry>();
  readonly #limits: DuplicateLimits;
  #queue: DuplicateEntry[] = [];
  #head = 0;
  #octets = 0;

  constructor(limits: DuplicateLimits = DEFAULTS) {
    this.#limits = limits;
  }

  /** Looks a request up, and remembers it where it is new. Only for packets that are authentic as far as they can be. */
  see(key: string, request: Buffer, now: Instant): Seen {
    this.#dropOld(now);
    const known = this.#byKey.get(key);
    if (known !== undefined && known.expires > now && sameAuthenticator(known, request)) {
      return known.reply === null ? WORKING : { kind: 'answered', reply: known.reply };
    }
    if (known !== undefined) this.forget(known);
    const entry: DuplicateEntry = {
      key,
      authenticator0: request.readInt32LE(AT.authenticator),
      authenticator1: request.readInt32LE(AT.authenticator + 4),
      authenticator2: request.readInt32LE(AT.authenticator + 8),
      authenticator3: request.readInt32LE(AT.authenticator + 12),
      expires: now + this.#limits.millis,
      reply: null,
    };
    this.#byKey.set(key, entry);
    this.#queue.push(entry);
    this.#octets += AUTHENTICATOR_OCTETS;
    return { kind: 'new', entry };
  }

  /** Keeps the reply. False where another request has taken the entry's place: the reply must not be sent (RAD-51). */
  answer(entry: DuplicateEntry, reply: Buffer): boolean {
    // An entry that fell to a bound is gone from here, but nobody took its place: its reply is wanted.
    const current = this.#byKey.get(entry.key);
    if (current !== entry) return current === undefined;
    entry.reply = reply;
    this.#octets += reply.length;
    return true;
  }

  /** Whether another request has taken the entry's place. */
  superseded(entry: DuplicateEntry): boolean {
    const current = this.#byKey.get(entry.key);
    return current !== undefined && current !== entry;
  }

  /** Forgets a request that is not answered, so that its retransmission is decided again. */
  forget(entry: DuplicateEntry): void {
    if (this.#byKey.get(entry.key) !== entry) return;
    this.#byKey.delete(entry.key);
    this.#octets -= AUTHENTICATOR_OCTETS + (entry.reply?.length ?? 0);
  }

  /** How many requests are remembered. */
  get size(): number {
    return this.#byKey.size;
  }

  /** How many octets they hold. */
  get octets(): number {
    return this.#octets;
  }

  #dropOld(now: Instant): void {
    for (; this.#head < this.#queue.length; this.#head++) {
      const oldest = this.#queue[this.#head];
      if (oldest === undefined) continue;
      const full = this.#byKey.size >= this.#limits.entries || this.#octets >= this.#limits.octets;
      // One from the future means that the clock was set back: nothing that old is worth keeping.
      if (!full && oldest.expires > now && oldest.expires <= now + this.#limits.millis) break;
      this.forget(oldest);
    }
    if (this.#head < CUT_AT || this.#head * 2 < this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#head);
    this.#head = 0;
  }
}

function sameAuthenticator(entry: DuplicateEntry, request: Buffer): boolean {
  return (
    entry.authenticator0 === request.readInt32LE(AT.authenticator) &&
    entry.authenticator1 === request.readInt32LE(AT.authenticator + 4) &&
    entry.authenticator2 === request.readInt32LE(AT.authenticator + 8) &&
    entry.authenticator3 === request.readInt32LE(AT.authenticator + 12)
  );
}
