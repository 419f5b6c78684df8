/**
 * Retransmissions [RFC 5080 §2.2.2]: the same source address and port, receiving socket, Identifier and authenticator. What was
 * answered is answered with the same octets; what is still being decided is dropped; nothing is decided twice (RAD-50). The same
 * key with another authenticator is a new request, and the answer still under way for the old one is not sent (RAD-51).
 *
 * At full load a million requests pass within the life of an entry. As objects they would be most of what the garbage collector
 * has to look after; so they lie in three arrays whose size never changes: entries, the heads of their hash chains, and a slot
 * for the reply of each. The system gives memory only to those pages that are written, and a freed place is the next to be taken,
 * so the cache takes what the entries alive together need, not what has passed.
 *
 * Entries leave in the order in which they came: all live equally long, so a list by age is sorted by itself.
 */
import { randomInt } from 'node:crypto';
import type { Instant } from '../base/units.js';
import type { AddressWords } from './address.js';
import { LIMITS } from './limits.js';
import { AT, AUTHENTICATOR_OCTETS } from './packet.js';

declare const handle: unique symbol;
/** One request that was seen: its place, and how often that was taken before, so that it never names a successor. */
export type DuplicateEntry = number & { readonly [handle]: true };

/** What is known of a request that came in: it is new, it is being decided, or this is the reply that it got. */
export type Seen = DuplicateEntry | 'working' | Buffer;

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

/** An entry's words: 64 octets, so that looking one up touches one line of the processor's cache. */
const WORDS = 16;
/** Four words of the source's address, one of its port and the Identifier, one of the socket. */
const ADDRESS = 0;
const PORT_AND_IDENTIFIER = 4;
const SOCKET = 5;
/** Four words. */
const AUTHENTICATOR = 6;
/** The next of the same chain, or of the free places. */
const NEXT = 10;
/** Neighbours in the list by age. */
const OLDER = 11;
const NEWER = 12;
/** Octets of the reply, or one of the two below. */
const REPLY = 13;
/** How often the place was taken; it wraps after 2^32 times, long after every request of then has been decided. */
const TAKEN = 14;
/** The chain that it is in. */
const CHAIN = 15;

const NONE = -1;
const UNANSWERED = 0;
/** Nothing is remembered in the place. */
const FREE = -1;
/** A handle is `taken * SPAN + place`: below 2^53. */
const SPAN = 2 ** 20;

/** Where a request came from and which socket took it: with its Identifier, what a NAS may use for one request at a time. */
export interface RequestOrigin {
  readonly source: { readonly words: AddressWords };
  readonly remote: { readonly port: number };
  readonly from: { readonly id: number };
}

/** The requests of the last seconds, bounded in count and octets (RAD-52). `now` is passed in. */
export class DuplicateCache {
  readonly #limits: DuplicateLimits;
  readonly #words: Int32Array;
  /** When the entry of each place ends. */
  readonly #expires: Float64Array;
  readonly #slots: Buffer;
  /** Replies that are longer than a slot, by place. */
  readonly #long = new Map<number, Buffer>();
  /** The first place of each chain. */
  readonly #chains: Int32Array;
  /** Nobody can choose ports and addresses that all fall into one chain. */
  readonly #seed = randomInt(2 ** 32) | 0;
  #oldest = NONE;
  #newest = NONE;
  #free = NONE;
  /** Places from here on were never taken. */
  #untouched = 0;
  #size = 0;
  #octets = 0;

  /** `limits.entries` is at most 2^20. */
  constructor(limits: DuplicateLimits = DEFAULTS) {
    const { entries } = limits;
    if (entries > SPAN) throw new RangeError(`${entries} entries`);
    this.#limits = limits;
    this.#words = new Int32Array(entries * WORDS);
    this.#expires = new Float64Array(entries);
    this.#slots = Buffer.from(new ArrayBuffer(entries * LIMITS.duplicateSlotOctets));
    this.#chains = new Int32Array(2 ** Math.ceil(Math.log2(entries))).fill(NONE);
  }

  /** Looks a request up, and remembers it where it is new. Only for packets that are authentic as far as they can be. */
  see(origin: RequestOrigin, request: Buffer, now: Instant): Seen {
    this.#dropOld(now);
    const chain = this.#chainOf(origin, request);
    const known = this.#find(chain, origin, request);
    if (known !== NONE) {
      if ((this.#expires[known] ?? 0) > now && this.#sameAuthenticator(known, request)) {
        return this.#word(known, REPLY) === UNANSWERED ? 'working' : this.#replyOf(known);
      }
      this.#remove(known);
    }
    const place = this.#takePlace();
    this.#write(place, origin, request);
    this.#expires[place] = now + this.#limits.millis;
    this.#link(place, chain);
    return this.#handle(place);
  }

  /** Keeps a copy of the reply. False where another request has taken the entry's place: it must not be sent (RAD-51). */
  answer(entry: DuplicateEntry, origin: RequestOrigin, request: Buffer, reply: Buffer): boolean {
    const place = entry % SPAN;
    if (this.#handle(place) !== entry || this.#word(place, REPLY) === FREE) {
      // An entry that fell to a bound is gone from here, but nobody took its place: its reply is wanted.
      return this.#find(this.#chainOf(origin, request), origin, request) === NONE;
    }
    this.#words[place * WORDS + REPLY] = reply.length;
    this.#octets += reply.length;
    if (reply.length > LIMITS.duplicateSlotOctets) this.#long.set(place, Buffer.from(reply));
    else this.#slots.set(reply, place * LIMITS.duplicateSlotOctets);
    return true;
  }

  /** Forgets a request that is not answered, so that its retransmission is decided again. */
  forget(entry: DuplicateEntry): void {
    const place = entry % SPAN;
    if (this.#handle(place) === entry && this.#word(place, REPLY) !== FREE) this.#remove(place);
  }

  /** How many requests are remembered. */
  get size(): number {
    return this.#size;
  }

  /** How many octets of theirs are: authenticators and replies. */
  get octets(): number {
    return this.#octets;
  }

  #dropOld(now: Instant): void {
    const { entries, octets, millis } = this.#limits;
    while (this.#oldest !== NONE) {
      const expires = this.#expires[this.#oldest] ?? 0;
      const full = this.#size >= entries || this.#octets >= octets;
      // One from the future means that the clock was set back: nothing that old is worth keeping.
      if (!full && expires > now && expires <= now + millis) return;
      this.#remove(this.#oldest);
    }
  }

  #chainOf({ source: { words }, remote, from }: RequestOrigin, request: Buffer): number {
    let hash = this.#seed;
    hash = mix(hash ^ (words[0] ?? 0));
    hash = mix(hash ^ (words[1] ?? 0));
    hash = mix(hash ^ (words[3] ?? 0));
    hash = mix(hash ^ ((remote.port << 8) | (request[AT.identifier] ?? 0)));
    return mix(hash ^ from.id ^ (words[2] ?? 0)) & (this.#chains.length - 1);
  }

  #find(chain: number, { source, remote, from }: RequestOrigin, request: Buffer): number {
    const portAndIdentifier = (remote.port << 8) | (request[AT.identifier] ?? 0);
    const address = source.words;
    const words = this.#words;
    let place = this.#chains[chain] ?? NONE;
    for (; place !== NONE; place = words[place * WORDS + NEXT] ?? NONE) {
      const at = place * WORDS;
      if (
        words[at + PORT_AND_IDENTIFIER] === portAndIdentifier &&
        words[at + SOCKET] === from.id &&
        words[at + ADDRESS + 3] === address[3] &&
        words[at + ADDRESS + 2] === address[2] &&
        words[at + ADDRESS + 1] === address[1] &&
        words[at + ADDRESS] === address[0]
      ) {
        break;
      }
    }
    return place;
  }

  #sameAuthenticator(place: number, request: Buffer): boolean {
    for (let word = 0; word < 4; word++) {
      if (this.#word(place, AUTHENTICATOR + word) !== request.readInt32LE(AT.authenticator + 4 * word)) return false;
    }
    return true;
  }

  /** A copy: the slot may have another's reply before the socket is done with it. */
  #replyOf(place: number): Buffer {
    const slot = place * LIMITS.duplicateSlotOctets;
    return this.#long.get(place) ?? Buffer.from(this.#slots.subarray(slot, slot + this.#word(place, REPLY)));
  }

  /** There is one: dropOld() leaves fewer entries than places. */
  #takePlace(): number {
    const place = this.#free;
    if (place === NONE) return this.#untouched++;
    this.#free = this.#word(place, NEXT);
    return place;
  }

  #write(place: number, { source: { words: address }, remote, from }: RequestOrigin, request: Buffer): void {
    const words = this.#words;
    const at = place * WORDS;
    words[at + ADDRESS] = address[0] ?? 0;
    words[at + ADDRESS + 1] = address[1] ?? 0;
    words[at + ADDRESS + 2] = address[2] ?? 0;
    words[at + ADDRESS + 3] = address[3] ?? 0;
    words[at + PORT_AND_IDENTIFIER] = (remote.port << 8) | (request[AT.identifier] ?? 0);
    words[at + SOCKET] = from.id;
    words[at + AUTHENTICATOR] = request.readInt32LE(AT.authenticator);
    words[at + AUTHENTICATOR + 1] = request.readInt32LE(AT.authenticator + 4);
    words[at + AUTHENTICATOR + 2] = request.readInt32LE(AT.authenticator + 8);
    words[at + AUTHENTICATOR + 3] = request.readInt32LE(AT.authenticator + 12);
    words[at + REPLY] = UNANSWERED;
    words[at + TAKEN] = (words[at + TAKEN] ?? 0) + 1;
  }

  #link(place: number, chain: number): void {
    const words = this.#words;
    const at = place * WORDS;
    words[at + CHAIN] = chain;
    words[at + NEXT] = this.#chains[chain] ?? NONE;
    this.#chains[chain] = place;
    words[at + OLDER] = this.#newest;
    words[at + NEWER] = NONE;
    if (this.#newest === NONE) this.#oldest = place;
    else words[this.#newest * WORDS + NEWER] = place;
    this.#newest = place;
    this.#size++;
    this.#octets += AUTHENTICATOR_OCTETS;
  }

  #remove(place: number): void {
    const words = this.#words;
    const at = place * WORDS;
    const next = words[at + NEXT] ?? NONE;
    const chain = words[at + CHAIN] ?? 0;
    let before = this.#chains[chain] ?? NONE;
    if (before === place) this.#chains[chain] = next;
    else {
      while (words[before * WORDS + NEXT] !== place) before = words[before * WORDS + NEXT] ?? NONE;
      words[before * WORDS + NEXT] = next;
    }
    const older = words[at + OLDER] ?? NONE;
    const newer = words[at + NEWER] ?? NONE;
    if (older === NONE) this.#oldest = newer;
    else words[older * WORDS + NEWER] = newer;
    if (newer === NONE) this.#newest = older;
    else words[newer * WORDS + OLDER] = older;
    this.#size--;
    const reply = words[at + REPLY] ?? 0;
    this.#octets -= AUTHENTICATOR_OCTETS + reply;
    if (reply > LIMITS.duplicateSlotOctets) this.#long.delete(place);
    words[at + REPLY] = FREE;
    words[at + NEXT] = this.#free;
    this.#free = place;
  }

  #handle(place: number): DuplicateEntry {
    return ((this.#word(place, TAKEN) >>> 0) * SPAN + place) as DuplicateEntry;
  }

  #word(place: number, word: number): number {
    return this.#words[place * WORDS + word] ?? 0;
  }
}

/** The finalizer of MurmurHash3: every bit of the word changes half of those of the result. */
function mix(word: number): number {
  let hash = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
