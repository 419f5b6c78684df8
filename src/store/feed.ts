/**
 * The change feed: which records changed, in an order that this process can compare with what it has read.
 *
 * SQLite: `changes.seq` is that order; a read tells the highest seq it saw. PostgreSQL: sequence numbers commit out of order,
 * so the order is the transaction id: everything below a snapshot's xmin is settled, and a position is that xmin less one. A
 * transaction that stays open holds xmin back, whoever's it is; so what is visible beyond it is delivered too, once, and
 * what was read before it counts as touched, but the position waits.
 * Both are polled; a process that has just written polls at once. The feed makes caches true soon; what makes decisions true is
 * the ledger's own condition (ledger-embedded.ts, ledger-shared.ts).
 */
import type { Knex } from 'knex';
import type { FeedPosition } from '../access/ports.js';
import type { Clock, Instant } from '../base/units.js';
import type { ChangeKind } from './change.js';
import { type Database, inTime } from './database.js';
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
  /** Up to here nothing more will appear. */
  readonly settled: string | number | null;
  /** Null: no change at all (one row then tells where the feed stands). */
  readonly order: string | number | null;
  readonly seq: string | number;
  readonly kind: Change['kind'];
  readonly pks: string | null;
}

const NEWS_SQL = {
  sqlite: 'select seq as settled, seq as "order", seq, kind, pks from changes where seq > ? order by seq',
  // What a restored backup says of another cluster's transactions lies beyond xmax and is not news.
  postgres: `select ${POSITION_SQL.postgres}::text as settled, c.xid::text as "order", c.seq, c.kind, c.pks
    from (select 1) one left join changes c on c.xid > (?::bigint)::text::xid8 and c.xid < pg_snapshot_xmax(pg_current_snapshot())
    order by c.xid, c.seq`,
} as const;

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
  /** The highest order that was delivered: above the position where something before it is not settled. */
  #latest = 0;
  /** Changes delivered above the position, by seq: their order. */
  readonly #ahead = new Map<number, number>();
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
    const began = this.#clock();
    const [row] = await this.#rows(`select ${POSITION_SQL[this.#engine]} as position`);
    this.#position = Number(row?.position ?? 0);
    this.#latest = this.#position;
    this.#remembersSince = this.#position;
    this.#heardAt = began;
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
    if (since >= this.#latest) return false;
    if (since < this.#remembersSince) return true;
    for (let i = this.#recent.length - 1; i >= 0; i--) {
      const change = this.#recent[i];
      if (change === undefined) break;
      if (change.order > since) {
        if (concerns(change, userPk, resourcePk)) return true;
      } else if (this.#engine === 'sqlite') break; // Delivered in order there.
    }
    return false;
  }

  async #read(): Promise<void> {
    const began = this.#clock();
    const rows: ChangeRow[] = await this.#rows(NEWS_SQL[this.#engine], [this.#position]);
    const news = rows.filter(({ order, seq }) => order !== null && !this.#ahead.has(Number(seq)));
    if (news.length > 0)
      this.#deliver(news.map(({ order, kind, pks }) => ({ order: Number(order), kind, pks: parsePks(pks) })));
    for (const { order, seq } of news) this.#ahead.set(Number(seq), Number(order));
    this.#position = Math.max(this.#position, Number(rows.at(-1)?.settled ?? 0));
    for (const [seq, order] of this.#ahead) if (order <= this.#position) this.#ahead.delete(seq);
    // What it says is as old as the moment that it was asked.
    this.#heardAt = began;
  }

  #deliver(changes: readonly Change[]): void {
    for (const listener of this.#listeners) listener(changes);
    this.#recent.push(...changes);
    for (const { order } of changes) this.#latest = Math.max(this.#latest, order);
    if (this.#recent.length <= REMEMBERED_CHANGES) return;
    for (const { order } of this.#recent.splice(0, this.#recent.length - REMEMBERED_CHANGES))
      this.#remembersSince = Math.max(this.#remembersSince, order);
  }

  async #rows(sql: string, bindings: readonly number[] = []) {
    const answer = await inTime(this.#engine, this.#db.raw(sql, [...bindings]));
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
