/**
 * Token buckets by name: each starts full, every spending takes one, and they refill steadily. The least recently used are
 * forgotten past a bound, so that a stranger with many addresses costs a bounded amount of memory.
 */
import { LRUCache } from 'lru-cache';
import type { Instant } from '../base/units.js';

export interface BudgetLimits {
  /** How many may be spent at once. */
  readonly burst: number;
  /** How many come back in a minute. */
  readonly perMinute: number;
  /** How many names are remembered. */
  readonly peers: number;
}

interface Bucket {
  left: number;
  since: Instant;
}

export class Budget {
  readonly #limits: BudgetLimits;
  readonly #buckets: LRUCache<string, Bucket>;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
    this.#buckets = new LRUCache({ max: limits.peers });
  }

  /** 0 where `name` may spend; else the whole seconds until it may again. */
  wait(name: string, now: Instant): number {
    const bucket = this.#refilled(name, now);
    if (bucket === undefined || bucket.left >= 1) return 0;
    return Math.ceil(((1 - bucket.left) * 60) / this.#limits.perMinute);
  }

  /** Takes one from `name`. */
  spend(name: string, now: Instant): void {
    const bucket = this.#refilled(name, now);
    if (bucket === undefined) this.#buckets.set(name, { left: this.#limits.burst - 1, since: now });
    else bucket.left = Math.max(0, bucket.left - 1);
  }

  /** Gives one back to `name`: what was spent in advance was not a failure. */
  refund(name: string, now: Instant): void {
    const bucket = this.#refilled(name, now);
    if (bucket === undefined) return;
    bucket.left = Math.min(this.#limits.burst, bucket.left + 1);
    if (bucket.left >= this.#limits.burst) this.#buckets.delete(name);
  }

  #refilled(name: string, now: Instant): Bucket | undefined {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) return undefined;
    // A clock that was set back refills nothing, and the bucket counts from where the clock is now.
    const passed = Math.max(0, now - bucket.since);
    bucket.left = Math.min(this.#limits.burst, bucket.left + (passed * this.#limits.perMinute) / 60_000);
    bucket.since = now;
    return bucket;
  }
}
