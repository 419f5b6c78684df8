/**
 * Replies that wait for their moment, behind one timer: a timer for each would cost more than the reply. Due times are
 * milliseconds of a clock that never goes back; replies of the same millisecond share a bucket.
 */
import { LIMITS } from './limits.js';

/** Something that is sent later. */
export interface Delayed {
  send(): void;
}

/** The clock of the machine's uptime in milliseconds; never set, unlike the wall clock. */
export type Uptime = () => number;

/** What waits. Opened by the server, emptied by `stop`. */
export class DelayedReplies {
  readonly #buckets = new Map<number, Delayed[]>();
  readonly #uptime: Uptime;
  #count = 0;
  #timer: NodeJS.Timeout | null = null;
  #armedFor = Number.POSITIVE_INFINITY;

  constructor(uptime: Uptime) {
    this.#uptime = uptime;
  }

  /** Sends `reply` at `due`. False where too many wait: it is dropped. */
  add(due: number, reply: Delayed): boolean {
    if (this.#count >= LIMITS.delayedRejects) return false;
    const at = Math.ceil(due);
    const bucket = this.#buckets.get(at);
    if (bucket === undefined) this.#buckets.set(at, [reply]);
    else bucket.push(reply);
    this.#count++;
    if (at < this.#armedFor) this.#arm(at);
    return true;
  }

  /** How many wait. */
  get size(): number {
    return this.#count;
  }

  /** Drops all that wait. */
  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#buckets.clear();
    this.#count = 0;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #arm(at: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#armedFor = at;
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, at - this.#uptime()));
  }

  #fire(): void {
    this.#timer = null;
    this.#armedFor = Number.POSITIVE_INFINITY;
    const now = this.#uptime();
    let next = Number.POSITIVE_INFINITY;
    const due: Delayed[][] = [];
    for (const [at, bucket] of this.#buckets) {
      if (at > now) {
        next = Math.min(next, at);
        continue;
      }
      this.#buckets.delete(at);
      due.push(bucket);
    }
    // Armed before anything is sent, so that nothing waits for ever whatever sending does.
    if (next !== Number.POSITIVE_INFINITY) this.#arm(next);
    for (const bucket of due) {
      this.#count -= bucket.length;
      for (const reply of bucket) reply.send();
    }
  }
}

/** When a refusal leaves: `delay` after its request came, or the next multiple where the decision took longer (RAD-25). */
export function dueAt(arrived: number, now: number, delay: number): number {
  return delay === 0 ? now : arrived + Math.max(1, Math.ceil((now - arrived) / delay)) * delay;
}
