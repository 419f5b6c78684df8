/**
 * The change feed: which records changed, in an order that this process can compare with what it has read.
 *
 * SQLite: `changes.seq` is that order; a read tells the highest seq it saw. PostgreSQL: sequence numbers commit out of order,
 * so the order is the transaction id: everything below a snapshot's xmin is settled, and a position is that xmin less one.
 * Both are polled; a process that has just written polls at once. The feed makes caches true soon; what makes decisions true is
 * the ledger's own condition (ledger-embedded.ts, ledger-shared.ts).
 */
import type { Knex } from 'knex';
import type { FeedPosition } from '../access/ports.js';
import type { Clock, Instant } from '../base/units.js';
import type { ChangeKind } from './change.js';
import type { Database } from './database.js';
import { POSITION_SQL } from './feed-position.js';

/** How often the feed is read. Others' changes must be seen within a second. */
const POLL_MS = 100;
/** A feed that was silent for so long is not believed: caches are passed by. */
export const FEED_SILENCE_MS = 1_000;
/** Changes kept to compare reads that were under way with; a read older than these is read again. */
const REMEMBERED_CHANGES = 1_024;

export interface Change {
  readonly order: number;
  readonly kind: ChangeKind | 'start';
  /** Null: any record of that kind. */
  readonly pks: ReadonlySet<number> | null;
}

interface ChangeRow {
  readonly order: string | number;
  readonly kind: Change['kind'];
  readonly pks: string | null;
}

export type ChangeListener = (changes: readonly Change[]) => void;

export class Feed {
  readonly #db: Knex;
  readonly #engine: Database['engine'];
  readonly #clock: Clock;
  readonly #listeners: ChangeListener[] = [];
  readonly #recent: Change[] = [];
  /** What `#recent` reaches back to: a read at or after this position can be compared. */
  #remembersSince = 0;
  #position: FeedPosition = 0;
  #heardAt: Instant;
  #polling: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #onError: (error: unknown) => void;

  /** `onError` hears of each poll that failed (the feed goes on); `db` is the directory's connection. */
  constructor(database: Database, clock: Clock, onError: (error: unknown) => void) {
    this.#db = database.directory;
    this.#engine = database.engine;
    this.#clock = clock;
    this.#heardAt = clock();
    this.#onError = onError;
  }

  /** Everything up to here has been delivered. */
  get position(): FeedPosition {
    return this.#position;
  }

  /** Calls `listener` with every change from now on, in order, before `position` includes it. */
  listen(listener: ChangeListener): void {
    this.#listeners.push(listener);
  }

  /** Finds the present position and begins to follow. Rejects where the database cannot be read. */
  async start(): Promise<void> {
    const [row] = await this.#rows(`select ${POSITION_SQL[this.#engine]} as position`);
    this.#position = Number(row?.position ?? 0);
    this.#remembersSince = this.#position;
    this.#heardAt = this.#clock();
    this.#timer = setInterval(() => void this.poll().catch(this.#onError), POLL_MS);
    this.#timer.unref();
  }

  /** Stops following; waits for a read that is under way. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#polling?.catch(() => undefined);
  }

  /** True where the feed has not been heard for a second. */
  silent(now: Instant): boolean {
    return now - this.#heardAt > FEED_SILENCE_MS;
  }

  /** Reads what is new. Callers at the same time share one read, but one that began before the call does not count for it. */
  async poll(): Promise<void> {
    const before = this.#polling;
    if (before !== null) {
      await before.catch(() => undefined);
      if (this.#polling !== null && this.#polling !== before) return this.#polling;
    }
    const poll = this.#read().finally(() => {
      if (this.#polling === poll) this.#polling = null;
    });
    this.#polling = poll;
    return poll;
  }

  /**
   * Whether the user or resource (pks; null: one that was not found) changed after position `since`. True also where that is
   * too long ago to know.
   */
  touched(since: FeedPosition, userPk: number | null, resourcePk: number | null): boolean {
    if (since >= this.#position) return false;
    if (since < this.#remembersSince) return true;
    for (let i = this.#recent.length - 1; i >= 0; i--) {
      const change = this.#recent[i];
      if (change === undefined || change.order <= since) break;
      if (concerns(change, userPk, resourcePk)) return true;
    }
    return false;
  }

  async #read(): Promise<void> {
    const sql =
      this.#engine === 'sqlite'
        ? 'select seq as "order", kind, pks from changes where seq > ? order by seq'
        : 'select xid::text as "order", kind, pks from changes where xid > (?::bigint)::text::xid8 and xid < pg_snapshot_xmin(pg_current_snapshot()) order by xid, seq';
    const rows: ChangeRow[] = await this.#rows(sql, [this.#position]);
    const changes = rows.map((row) => ({ order: Number(row.order), kind: row.kind, pks: parsePks(row.pks) }));
    this.#heardAt = this.#clock();
    const last = changes.at(-1);
    if (last === undefined) return;
    for (const listener of this.#listeners) listener(changes);
    this.#recent.push(...changes);
    if (this.#recent.length > REMEMBERED_CHANGES) {
      const dropped = this.#recent.splice(0, this.#recent.length - REMEMBERED_CHANGES);
      this.#remembersSince = dropped.at(-1)?.order ?? this.#remembersSince;
    }
    this.#position = last.order;
  }

  async #rows(sql: string, bindings: readonly number[] = []) {
    const answer = await this.#db.raw(sql, [...bindings]);
    return this.#engine === 'sqlite' ? answer : answer.rows;
  }
}

function concerns(change: Change, userPk: number | null, resourcePk: number | null): boolean {
  switch (change.kind) {
    case 'user':
    case 'unlock':
      return userPk === null || change.pks === null || change.pks.has(userPk);
    case 'resource':
      return resourcePk === null || change.pks === null || change.pks.has(resourcePk);
    default:
      return false;
  }
}

function parsePks(text: string | null): ReadonlySet<number> | null {
  if (text === null) return null;
  const pks: number[] = JSON.parse(text);
  return new Set(pks);
}
