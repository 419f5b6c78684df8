/**
 * Events that are neither a decision nor a change of a record: accounting, and what a front door turned away. Written in groups on
 * the records' connection under a writer of their own, so that the ledger never waits for them.
 */
import type { Instant } from '../base/units.js';
import { uuid7 } from '../base/uuid7.js';
import type { Database } from './database.js';
import { fieldsRow, insertEvents } from './event-row.js';

/** One such event. `detail` never holds a secret. */
export interface DoorEvent {
  readonly time: Instant;
  readonly kind: 'accounting' | 'door';
  readonly outcome: 'refused' | null;
  readonly reason: string | null;
  readonly login: string | null;
  readonly client: string | null;
  readonly door: string;
  readonly source: string | null;
  readonly method: string | null;
  readonly detail: Readonly<Record<string, unknown>> | null;
}

const LIMITS = {
  /** Events in one statement. */
  batch: 500,
  /** Events that wait to be written; beyond, they are not taken. */
  waiting: 4_096,
} as const;

interface Waiting {
  readonly event: DoorEvent;
  resolve(stored: boolean): void;
}

export class EventAppender {
  readonly #database: Database;
  readonly #name: string;
  readonly #onError: (error: unknown) => void;
  #seq = 0;
  #generation = 0;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | null = null;

  constructor(database: Database, writer: string, onError: (error: unknown) => void) {
    this.#database = database;
    this.#name = writer;
    this.#onError = onError;
  }

  /** Resolves true once the event is on disk, false where it was not written (or there is no room). Never rejects. */
  append(event: DoorEvent): Promise<boolean> {
    if (this.#waiting.length >= LIMITS.waiting) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiting.push({ event, resolve });
      this.#writing ??= this.#write();
    });
  }

  /** Resolves once everything taken so far was written or given up. */
  async idle(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, LIMITS.batch);
      const writer = `${this.#name}.${this.#generation}`;
      const rows = batch.map(({ event }, i) =>
        fieldsRow({
          id: uuid7(event.time),
          writer,
          seq: this.#seq + 1 + i,
          ...event,
          detail: event.detail === null ? null : JSON.stringify(event.detail),
        }),
      );
      let stored = false;
      try {
        await insertEvents(this.#database.records, rows);
        this.#seq += batch.length;
        stored = true;
      } catch (error) {
        this.#onError(error);
        // Whether it is on disk is not known: a writer's numbers must not come twice, so a new writer goes on.
        this.#generation += 1;
        this.#seq = 0;
      }
      for (const { resolve } of batch) resolve(stored);
    }
    this.#writing = null;
  }
}
