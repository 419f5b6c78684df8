/**
 * Sessions whose refusal waits, behind one timer: a timer for each would cost more than the refusal. Due times are counted on
 * a clock that is never set, in slots of a few milliseconds that are woken together.
 */
import { performance } from 'node:perf_hooks';
import type { Millis } from '../base/units.js';

/** Something that is woken later. */
export interface Sleeper {
  wake(): void;
}

/** At most 200 wake-ups a second, whatever the load; a refusal is late by so much at most. */
const SLOT_MILLIS = 5;

export class DelayQueue {
  readonly #slots = new Map<number, Sleeper[]>();
  #timer: NodeJS.Timeout | null = null;
  #armedFor = Number.POSITIVE_INFINITY;

  /** Wakes `sleeper` once `span` has passed. */
  add(span: Millis, sleeper: Sleeper): void {
    const slot = Math.ceil((performance.now() + span) / SLOT_MILLIS);
    const sleepers = this.#slots.get(slot);
    if (sleepers === undefined) this.#slots.set(slot, [sleeper]);
    else sleepers.push(sleeper);
    if (slot < this.#armedFor) this.#arm(slot);
  }

  /** Forgets everybody. */
  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#slots.clear();
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #arm(slot: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#armedFor = slot;
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, Math.ceil(slot * SLOT_MILLIS - performance.now())));
  }

  #fire(): void {
    this.#timer = null;
    this.#armedFor = Number.POSITIVE_INFINITY;
    const now = performance.now();
    const due: Sleeper[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const [slot, sleepers] of this.#slots) {
      if (slot * SLOT_MILLIS <= now) {
        this.#slots.delete(slot);
        due.push(...sleepers);
      } else {
        next = Math.min(next, slot);
      }
    }
    // Armed before anybody wakes, so that nobody sleeps for ever whatever waking does.
    if (next !== Number.POSITIVE_INFINITY) this.#arm(next);
    for (const sleeper of due) sleeper.wake();
  }
}
