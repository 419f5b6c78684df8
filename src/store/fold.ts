/**
 * Brings the tables up to the event log (SQLite only): token floors, lockouts and the index of users' events, in sorted slices
 * between the ledger's batches, so that many events dirty few pages and no answer waits long. Afterwards the mark moves, and
 * what memory held ahead of the tables is let go. Interrupted anywhere it loses nothing: the log is the truth, and a start
 * replays all of it behind the mark.
 */
import type { Knex } from 'knex';
import type { LockoutState } from '../access/ports.js';
import { millis } from '../base/units.js';
import type { StoreDirectory } from './directory.js';
import type { Feed } from './feed.js';
import type { EmbeddedLedger } from './ledger-embedded.js';
import { run } from './sqlite-statement.js';
import type { Lockouts, StateOverlay } from './state-overlay.js';

export const FOLD_LIMITS = {
  /** Events behind the mark at which folding begins even under load: it bounds memory (some 200 octets each) and the replay at start. */
  eventsBehind: 200_000,
  /** Rows in a slice: a few milliseconds of writing. */
  slice: 1_000,
  /** How often it is looked whether there is something to fold. */
  everyMs: millis(1_000),
  /** Idle for so long (nothing committed between two looks) and even a short tail is folded. */
  idleLooks: 2,
} as const;

const WRITE_FLOORS = `update token_state set floor = j.value->>1, last_datagram = j.value->>2, last_grace = j.value->>3, used_at = coalesce(j.value->>4, used_at)
  from (select value from json_each(?)) j where token_pk = j.value->>0 and floor < j.value->>1`;
const CLEAR_LOCKOUTS = 'delete from lockouts where user_pk in (select value from json_each(?))';
const WRITE_LOCKOUTS = `insert or replace into lockouts (user_pk, source, failures, window_start, locked_until, recent)
  select value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 from json_each(?)
  where exists (select 1 from users where pk = value->>0)`;
const INDEX_EVENTS = `insert or ignore into event_index (bucket, user_key, pos)
  select pos / 1000000, user_key, pos from events where pos > ? and pos <= ? and user_key is not null order by 1, 2, 3`;
const READ_MARKS = `select coalesce((select cast(value as integer) from meta where key = 'foldMark'), 0) as mark,
  coalesce((select max(pos) from events), 0) as last`;
const MOVE_MARK = `insert into meta (key, value) values ('foldMark', ?) on conflict (key) do update set value = excluded.value`;

export class Fold {
  readonly #db: Knex;
  readonly #ledger: Pick<EmbeddedLedger, 'inTurn'>;
  readonly #overlay: StateOverlay;
  readonly #directory: StoreDirectory;
  readonly #feed: Feed;
  readonly #onError: (error: unknown) => void;
  #timer: NodeJS.Timeout | null = null;
  #folding: Promise<void> | null = null;
  #lastAtLastLook = 0;
  #quietLooks = 0;
  #stopped = false;

  constructor(deps: {
    db: Knex;
    ledger: Pick<EmbeddedLedger, 'inTurn'>;
    overlay: StateOverlay;
    directory: StoreDirectory;
    feed: Feed;
    onError: (error: unknown) => void;
  }) {
    this.#db = deps.db;
    this.#ledger = deps.ledger;
    this.#overlay = deps.overlay;
    this.#directory = deps.directory;
    this.#feed = deps.feed;
    this.#onError = deps.onError;
  }

  /** Begins to look now and then. */
  start(): void {
    this.#timer = setInterval(() => this.#look(), FOLD_LIMITS.everyMs);
    this.#timer.unref();
  }

  /** Stops looking, waits for the slice that is being written. What is not folded is replayed at the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#folding?.catch(() => undefined);
  }

  #look(): void {
    if (this.#folding !== null) return;
    this.#folding = this.#foldIfDue()
      .catch((error) => {
        if (!this.#stopped) this.#onError(error);
      })
      .finally(() => {
        this.#folding = null;
      });
  }

  async #foldIfDue(): Promise<void> {
    const { mark, last } = await this.#marks();
    this.#quietLooks = last === this.#lastAtLastLook ? this.#quietLooks + 1 : 0;
    this.#lastAtLastLook = last;
    if (last === mark) return;
    if (last - mark >= FOLD_LIMITS.eventsBehind || this.#quietLooks >= FOLD_LIMITS.idleLooks) await this.fold();
  }

  /** Between two batches, so that all of the log up to `last` is in memory too. */
  async #marks(): Promise<{ mark: number; last: number }> {
    let marks = { mark: 0, last: 0 };
    await this.#turn(async () => {
      const rows: (typeof marks)[] = await this.#db.raw(READ_MARKS);
      marks = rows[0] ?? marks;
    });
    return marks;
  }

  /** Folds everything that is in the log now. Rejects where the store fails; the next look tries again. */
  async fold(): Promise<void> {
    const { mark, last } = await this.#marks();
    // Taken after `last` was read: whatever is in the log up to there is in these states.
    const tokens = [...this.#overlay.tokens.keys()].sort(ascending);
    const users = [...this.#overlay.lockouts.keys()].sort(ascending);
    const folded = { floors: new Map<number, number>(), lockouts: new Map<number, Lockouts>() };

    for (const slice of slices(tokens)) await this.#turn(() => this.#writeFloors(slice, folded.floors));
    for (const slice of slices(users)) await this.#turn(() => this.#writeLockouts(slice, folded.lockouts));
    for (let from = mark; from < last; from += FOLD_LIMITS.slice) {
      await this.#turn(() => run(this.#db, INDEX_EVENTS, [from, Math.min(from + FOLD_LIMITS.slice, last)]));
    }
    await this.#turn(() => run(this.#db, MOVE_MARK, [String(last)]));

    // A read that began before the tables were written may still bring the old state: memory keeps the new one until it has ended.
    await this.#directory.quiesce();
    for (const [pk, floor] of folded.floors)
      if (this.#overlay.tokens.get(pk)?.floor === floor) {
        this.#overlay.tokens.delete(pk);
        this.#overlay.usedAt.delete(pk);
      }
    for (const [pk, states] of folded.lockouts)
      if (this.#overlay.lockouts.get(pk) === states) this.#overlay.lockouts.delete(pk);
  }

  async #turn(write: () => Promise<unknown>): Promise<void> {
    if (this.#stopped) throw new Error('stopped while folding; the rest is replayed at the next start');
    await this.#ledger.inTurn(async () => {
      await write();
    });
  }

  async #writeFloors(pks: readonly number[], folded: Map<number, number>): Promise<void> {
    const rows = [];
    for (const pk of pks) {
      const state = this.#overlay.tokens.get(pk);
      if (state === undefined) continue;
      rows.push([pk, state.floor, state.lastDatagram, state.lastGrace, this.#overlay.usedAt.get(pk) ?? null]);
      folded.set(pk, state.floor);
    }
    await run(this.#db, WRITE_FLOORS, [JSON.stringify(rows)]);
  }

  /** In one transaction: once it holds the write lock nobody can unlock, and the feed tells of every unlock before it. */
  async #writeLockouts(pks: readonly number[], folded: Map<number, Lockouts>): Promise<void> {
    let held: (readonly [number, Lockouts])[] = [];
    await this.#db.transaction(async (tx) => {
      await tx.raw(CLEAR_LOCKOUTS, [JSON.stringify(pks)]);
      await this.#feed.poll();
      held = pks.flatMap((pk) => {
        const states = this.#overlay.lockouts.get(pk);
        return states === undefined ? [] : [[pk, states] as const];
      });
      const rows = held.flatMap(([pk, states]) => [...states].map(([source, state]) => lockoutRow(pk, source, state)));
      await tx.raw(WRITE_LOCKOUTS, [JSON.stringify(rows)]);
    });
    for (const [pk, states] of held) folded.set(pk, states);
  }
}

function lockoutRow(pk: number, source: string, state: LockoutState): readonly (number | string)[] {
  const { failures, windowStart, lockedUntil, recent } = state;
  return [pk, source, failures, windowStart, lockedUntil, JSON.stringify(recent)];
}

function ascending(a: number, b: number): number {
  return a - b;
}

function* slices(pks: readonly number[]): Generator<readonly number[]> {
  for (let i = 0; i < pks.length; i += FOLD_LIMITS.slice) yield pks.slice(i, i + FOLD_LIMITS.slice);
}
