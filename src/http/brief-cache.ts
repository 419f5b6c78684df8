/**
 * What was found a moment ago, for seconds: API keys by hash, resources by name. The change feed empties it when records
 * change; what is not found is not kept, so that something new is seen at once.
 */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../base/units.js';

interface Kept<T> {
  readonly value: T;
  readonly until: number;
}

export class BriefCache<T> {
  readonly #entries: LRUCache<string, Kept<T>>;
  readonly #millis: number;
  readonly #clock: Clock;
  #generation = 0;

  constructor(limits: { readonly entries: number; readonly millis: number }, clock: Clock) {
    this.#entries = new LRUCache({ max: limits.entries });
    this.#millis = limits.millis;
    this.#clock = clock;
  }

  /** What is kept under `name`, or undefined. */
  get(name: string): T | undefined {
    const kept = this.#entries.get(name);
    if (kept === undefined) return undefined;
    const now = this.#clock();
    // A clock that was set back must not make a moment of an hour.
    if (now < kept.until && kept.until - now <= this.#millis) return kept.value;
    this.#entries.delete(name);
    return undefined;
  }

  /** What is kept, else what `find` finds. A fill that began before `invalidate` is handed out and not kept. */
  async getOr(name: string, find: () => Promise<T | null>): Promise<T | null> {
    const known = this.get(name);
    if (known !== undefined) return known;
    const generation = this.#generation;
    const found = await find();
    if (found !== null && generation === this.#generation) {
      this.#entries.set(name, { value: found, until: this.#clock() + this.#millis });
    }
    return found;
  }

  /** Forgets everything. */
  invalidate(): void {
    this.#generation += 1;
    this.#entries.clear();
  }
}
