/**
 * Copies what SQLite's write-ahead log holds back into the database, beside the ledger and not inside its commits: a commit that
 * had to copy 20,000 pages first kept everybody waiting for 200 ms. A passive checkpoint holds nobody up; where writers never
 * pause it never quite catches up, so a log that has grown large is restarted, which holds them for what is left.
 */
import type { Knex } from 'knex';
import { connect, type DatabaseConfig, disconnect } from './database.js';
import { rowsOf } from './sqlite-statement.js';

export const CHECKPOINT_LIMITS = {
  /** Between two looks: some 4,000 pages at full load. */
  everyMs: 1_000,
  /** Pages in the log beyond which it is started anew: 160 MiB. */
  logPages: 40_000,
} as const;

interface Outcome {
  /** Pages in the log. */
  readonly log: number;
  readonly checkpointed: number;
}

export class Checkpointer {
  readonly #config: DatabaseConfig;
  readonly #db: Knex;
  readonly #onError: (error: unknown) => void;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;

  /** Opens a connection of its own to the SQLite database of `config`. */
  constructor(config: DatabaseConfig, onError: (error: unknown) => void) {
    this.#config = config;
    this.#db = connect(config, 'checkpoint');
    this.#onError = onError;
  }

  /** Begins to look now and then. */
  start(): void {
    this.#timer = setInterval(() => {
      this.#running ??= this.#checkpoint()
        .catch(this.#onError)
        .finally(() => {
          this.#running = null;
        });
    }, CHECKPOINT_LIMITS.everyMs);
    this.#timer.unref();
  }

  /** Stops looking, waits for what is under way, closes the connection. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#running;
    await disconnect(this.#config, this.#db);
  }

  async #checkpoint(): Promise<void> {
    const [outcome] = await rowsOf<Outcome>(this.#db, 'pragma wal_checkpoint(passive)', []);
    if (outcome === undefined || outcome.log < CHECKPOINT_LIMITS.logPages) return;
    await rowsOf<Outcome>(this.#db, 'pragma wal_checkpoint(restart)', []);
  }
}
