/**
 * Many requests, one commit: while one batch is on its way the next gathers; a lone request waits for nobody. Between batches
 * others may have a turn on the same connection.
 */
import type { Commit, LedgerEntry } from '../access/ports.js';
import { endOfTurn } from '../base/loop-turn.js';

export const GROUP_LIMITS = {
  /** Entries in one statement; more would make the first wait too long for the last. */
  batch: 512,
  /** Entries that wait; beyond, `overload`. */
  waiting: 8_192,
} as const;

export const STALE: Commit = { kind: 'stale' };
export const STORE: Commit = { kind: 'unavailable', cause: 'store' };
export const OVERLOAD: Commit = { kind: 'unavailable', cause: 'overload' };

/**
 * Hands out `commit` to all of `batch` at the end of the turn: what they do next (a hundred answers are a millisecond's work) then
 * runs while the next batch is on its way to the disk, and not before it.
 */
export function handOut(batch: readonly Waiting[], commit: (entry: LedgerEntry) => Commit): void {
  setImmediate(() => {
    for (const { entry, resolve } of batch) resolve(commit(entry));
  });
}

/** An entry and whoever waits for its fate. */
export interface Waiting {
  readonly entry: LedgerEntry;
  resolve(commit: Commit): void;
}

export class GroupCommit {
  readonly #flush: (batch: Waiting[]) => Promise<void>;
  #waiting: Waiting[] = [];
  #turns: (() => Promise<void>)[] = [];
  #running: Promise<void> | null = null;

  /** `flush` gets each batch, resolves every entry in it, and never rejects. */
  constructor(flush: (batch: Waiting[]) => Promise<void>) {
    this.#flush = flush;
  }

  /** False where the bound is reached: ask before the entry claims anything. */
  get hasRoom(): boolean {
    return this.#waiting.length < GROUP_LIMITS.waiting;
  }

  push(entry: LedgerEntry): Promise<Commit> {
    return new Promise((resolve) => {
      this.#waiting.push({ entry, resolve });
      this.#running ??= this.#run();
    });
  }

  /** Runs `turn` between two batches. Rejects where the turn does. */
  inTurn(turn: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#turns.push(() => turn().then(resolve, reject));
      this.#running ??= this.#run();
    });
  }

  /** Takes out what has not been sent yet. */
  withdraw(): Waiting[] {
    const unsent = this.#waiting;
    this.#waiting = [];
    return unsent;
  }

  /** Resolves once nothing waits and nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  async #run(): Promise<void> {
    await endOfTurn();
    while (this.#waiting.length > 0 || this.#turns.length > 0) {
      if (this.#waiting.length > 0) await this.#flush(this.#take());
      await this.#turns.shift()?.();
    }
    this.#running = null;
  }

  #take(): Waiting[] {
    const batch = this.#waiting;
    this.#waiting = batch.length > GROUP_LIMITS.batch ? batch.splice(GROUP_LIMITS.batch) : [];
    return batch;
  }
}
