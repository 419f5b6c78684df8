/**
 * The addresses that packets came from lately: their canonical text, and how many requests of theirs are under way. A NAS sends
 * many packets from one address, so the work on its text is done once. Bounded: whoever fakes addresses pushes others out,
 * which costs them one look more.
 */
import { type AddressWords, addressWords, canonicalAddress } from './address.js';
import { LIMITS } from './limits.js';

/** One source address. */
export interface Source {
  /** Canonical, IPv4-mapped folded. */
  readonly address: string;
  /** The same as four words. */
  readonly words: AddressWords;
  /** Requests of this source whose decision is under way. */
  inFlight: number;
}

/** The sources by the text that the socket gives. */
export class Sources {
  readonly #known = new Map<string, Source>();
  readonly #limit: number;

  constructor(limit: number = LIMITS.knownSources) {
    this.#limit = limit;
  }

  /** The source with this address, as a socket writes it (IPv6 perhaps with a zone). */
  of(address: string): Source {
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    if (this.#known.size >= this.#limit) this.#forgetIdle();
    const canonical = canonicalAddress(address) ?? address;
    const source: Source = { address: canonical, words: addressWords(canonical), inFlight: 0 };
    this.#known.set(address, source);
    return source;
  }

  /** All but those with requests under way, whose count must not begin anew. */
  #forgetIdle(): void {
    for (const [address, source] of this.#known) if (source.inFlight === 0) this.#known.delete(address);
  }
}

/** The places for requests whose decision is under way; one source may hold half of them (see limits.ts). */
export class Places {
  readonly #limit: number;
  readonly #limitOfSource: number;
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
    this.#limitOfSource = Math.max(1, Math.floor(limit * LIMITS.inFlightShare));
  }

  /** How many are taken. */
  get taken(): number {
    return this.#taken;
  }

  /** Takes a place; false where there is none for this source. */
  take(source: Source): boolean {
    if (this.#taken >= this.#limit || source.inFlight >= this.#limitOfSource) return false;
    this.#taken++;
    source.inFlight++;
    return true;
  }

  /** Gives it back, once. */
  leave(source: Source): void {
    this.#taken--;
    source.inFlight--;
  }
}
