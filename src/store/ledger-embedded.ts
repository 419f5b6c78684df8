/**
 * The ledger over SQLite. This process alone decides on the file (embedded-lock.ts), so memory decides, and the event log is the
 * ledger: an accepted code is its event. A batch is one append in autocommit, taken only where the feed still stands where the
 * batch was decided. Token floors and lockouts in the tables follow behind (fold.ts); what they lack is replayed at start.
 *
 *            commit()                      flush: one statement
 *   entry ──▶ gathering ──(none under way)──▶ on its way ──▶ on disk: state in memory, proofs handed out
 *                ▲                               │  0 rows: the feed moved; lock, read it, send back what is stale, try again
 *                └── unavailable ◀── in doubt ◀──┘  error: nothing is answered until the ids were looked up
 */
import type { Knex } from 'knex';
import {
  type Commit,
  committedProof,
  type Ledger,
  type LedgerEntry,
  type LockoutState,
  type TokenState,
  type UserFacts,
} from '../access/ports.js';
import { instant } from '../base/units.js';
import { APPEND_SQLITE, eventRow, type LockoutColumn } from './event-row.js';
import type { Change, Feed } from './feed.js';
import { POSITION_SQL } from './feed-position.js';
import { GroupCommit, handOut, OVERLOAD, STALE, STORE, type Waiting } from './group-commit.js';
import { LedgerHealth, type LedgerObserver } from './ledger-health.js';
import { run, whileBusy } from './sqlite-statement.js';
import type { CachedUser, Lockouts, StateOverlay } from './state-overlay.js';

export const LEDGER_LIMITS = {
  /** Between two attempts to learn what became of a batch. */
  doubtRetryMs: 250,
} as const;

const TAIL = `select time, token_pk, step, datagram, grace, lockouts from events
  where pos > coalesce((select cast(value as integer) from meta where key = 'foldMark'), 0)
    and (token_pk is not null or lockouts is not null) order by pos`;
interface TailRow {
  readonly time: number;
  readonly token_pk: number | null;
  readonly step: number | null;
  readonly datagram: string | null;
  readonly grace: string | null;
  readonly lockouts: string | null;
}
interface LockoutRow {
  readonly user_pk: number;
  readonly source: string;
  readonly failures: number;
  readonly window_start: number;
  readonly locked_until: number;
  readonly recent: string;
}

const APPEND = `${APPEND_SQLITE} where ${POSITION_SQL.sqlite} = ?`;

/** Writes nothing; from here on nobody else commits. */
const TAKE_WRITE_LOCK = `update meta set value = value where key = ''`;

export class EmbeddedLedger implements Ledger {
  readonly shared = false;
  readonly #db: Knex;
  readonly #feed: Feed;
  readonly #overlay: StateOverlay;
  readonly #writer: string;
  readonly #observer: LedgerObserver;
  readonly #health: LedgerHealth;
  readonly #cached: { user: CachedUser };

  #seq = 0;
  readonly #group = new GroupCommit((batch) => this.#flush(batch));
  /** Tokens whose consumption is gathering or on its way. */
  readonly #claimed = new Set<number>();
  #doubt: Promise<void> | null = null;
  #stopped = false;
  /** Users unlocked since the batch on its way was bound to the feed: what it says of their failures is older than that. */
  readonly #unlocked = new Set<number>();
  #allUnlocked = false;

  /** `writer` names this process in the log; `cached.user` finds the directory's own facts (set once the directory is made). */
  constructor(deps: {
    db: Knex;
    feed: Feed;
    overlay: StateOverlay;
    writer: string;
    observer: LedgerObserver;
    cached: { user: CachedUser };
  }) {
    this.#db = deps.db;
    this.#feed = deps.feed;
    this.#overlay = deps.overlay;
    this.#writer = deps.writer;
    this.#observer = deps.observer;
    this.#health = new LedgerHealth(deps.observer, () => this.#tryWriting());
    this.#cached = deps.cached;
    deps.feed.listen((changes) => this.#forget(changes));
  }

  /** Whether the last write succeeded. */
  get healthy(): boolean {
    return this.#health.healthy && this.#doubt === null;
  }

  /** Replays the log's tail behind the fold's mark. Call before the first decision. Rejects where the store cannot be read. */
  async start(): Promise<void> {
    const rows: TailRow[] = await this.#db.raw(TAIL);
    await this.#loadLockouts(rows);
    for (const { time, token_pk, step, datagram, grace, lockouts } of rows) {
      if (token_pk !== null && step !== null) {
        const known = this.#overlay.tokens.get(token_pk);
        if (known === undefined || known.floor <= step)
          this.#overlay.tokens.set(token_pk, { floor: step + 1, lastDatagram: datagram, lastGrace: grace });
        this.#overlay.usedAt.set(token_pk, time);
      }
      if (lockouts !== null) this.#replayLockouts(JSON.parse(lockouts));
    }
  }

  /** What the tables say of the users in the tail: an event tells only of the counters that it changed. */
  async #loadLockouts(rows: readonly TailRow[]): Promise<void> {
    const users = new Set<number>();
    for (const { lockouts } of rows) {
      if (lockouts === null) continue;
      const [userPk]: LockoutColumn = JSON.parse(lockouts);
      users.add(userPk);
    }
    const stored: LockoutRow[] = await this.#db.raw(
      'select * from lockouts where user_pk in (select value from json_each(?))',
      [JSON.stringify([...users])],
    );
    const byUser = new Map<number, Map<string, LockoutState>>();
    for (const row of stored) {
      const states = byUser.get(row.user_pk) ?? new Map();
      states.set(row.source, {
        failures: row.failures,
        windowStart: instant(row.window_start),
        lockedUntil: instant(row.locked_until),
        recent: JSON.parse(row.recent),
      });
      byUser.set(row.user_pk, states);
    }
    for (const [pk, states] of byUser) this.#overlay.lockouts.set(pk, states);
  }

  /** Ends after what is gathering was written. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#health.stop();
    await this.#group.idle();
  }

  commit(entry: LedgerEntry): Promise<Commit> {
    if (this.#doubt !== null) return Promise.resolve(STORE);
    if (!this.#group.hasRoom) return Promise.resolve(OVERLOAD);
    if (!this.#claim(entry)) return Promise.resolve(STALE);
    return this.#group.push(entry);
  }

  /** Runs `turn` between two batches, on the same connection, while no batch is in doubt. Rejects where the turn does. */
  inTurn(turn: () => Promise<void>): Promise<void> {
    return this.#group.inTurn(async () => {
      await this.#doubt;
      await whileBusy(turn);
    });
  }

  /** Memory decides: the lockouts and the token's floor are what the decision saw, and no other consumption is under way. */
  #claim({ consumption, event, lockouts, user }: LedgerEntry): boolean {
    if (user !== null) {
      const states = this.#lockoutsOf(user);
      if (event.outcome === 'accepted' && states !== user.lockouts) return false;
      if (lockouts.some(({ source, before }) => (states.get(source) ?? null) !== before)) return false;
    }
    if (consumption === null) return true;
    const { pk } = consumption.token;
    if (this.#claimed.has(pk) || consumption.at < this.#stateOf(consumption.token.state, pk).floor) return false;
    this.#claimed.add(pk);
    return true;
  }

  async #flush(sent: Waiting[]): Promise<void> {
    let batch = sent;
    try {
      const began = performance.now();
      const appended = await whileBusy(async () => {
        // Each time anew: while another process wrote, the feed may have told what it was, and that is what is appended at.
        batch = this.#sendBackStale(batch);
        return batch.length === 0 || (await this.#append(this.#db, batch));
      });
      if (!appended) {
        // A writer that commits all the time would move the feed under every attempt: hold it off.
        await whileBusy(() =>
          this.#db.transaction(async (tx) => {
            await run(tx, TAKE_WRITE_LOCK, []);
            await this.#feed.poll();
            batch = this.#sendBackStale(batch);
            if (batch.length > 0 && !(await this.#append(tx, batch))) throw new Error('the feed moved under the lock');
          }),
        );
      }
      if (batch.length > 0) this.#settle(batch, performance.now() - began);
    } catch (error) {
      this.#fail(batch, error);
    }
  }

  /** Answers `stale` for entries whose records changed after they were read; returns the rest. */
  #sendBackStale(batch: Waiting[]): Waiting[] {
    const position = this.#feed.position;
    if (batch.every(({ entry }) => entry.position >= position)) return batch;
    const current = [];
    for (const waiting of batch) {
      const { entry } = waiting;
      if (this.#feed.touched(entry.position, entry.user?.pk ?? null, entry.resource?.pk ?? null))
        this.#release([waiting], STALE);
      else current.push(waiting);
    }
    return current;
  }

  /** One statement, on disk when it returns. False where the feed has moved: nothing was written. */
  async #append(db: Knex, batch: readonly Waiting[]): Promise<boolean> {
    const rows = JSON.stringify(batch.map(({ entry }, i) => eventRow(entry, this.#writer, this.#seq + 1 + i)));
    this.#unlocked.clear();
    this.#allUnlocked = false;
    const { changes } = await run(db, APPEND, [rows, this.#feed.position]);
    return changes > 0;
  }

  #settle(batch: readonly Waiting[], millis: number): void {
    this.#seq += batch.length;
    this.#observer.batch(batch.length, millis);
    this.#health.succeeded();
    for (const { entry } of batch) this.#apply(entry);
    handOut(batch, ({ event }) => ({ kind: 'committed', proof: committedProof(event.id) }));
  }

  /** Brings memory to what the disk says, in the overlay and in whatever facts are cached. */
  #apply({ consumption, event, lockouts, user }: LedgerEntry): void {
    if (consumption !== null) {
      const { token, at, datagram, grace } = consumption;
      this.#claimed.delete(token.pk);
      const state = this.#stateOf(token.state, token.pk);
      this.#overlay.tokens.set(token.pk, state);
      this.#overlay.usedAt.set(token.pk, event.time);
      // The facts that were decided on need not be those in the cache, and the overlay lets go once this is folded.
      const cached = user === null ? undefined : this.#cached.user(user.pk)?.tokens.find(({ pk }) => pk === token.pk);
      for (const known of new Set([state, token.state, cached?.state ?? state])) {
        known.floor = at + 1;
        known.lastDatagram = datagram;
        known.lastGrace = grace;
      }
    }
    if (user !== null && lockouts.length > 0 && !this.#allUnlocked && !this.#unlocked.has(user.pk)) {
      const states = new Map(this.#lockoutsOf(user));
      for (const { source, after } of lockouts) setLockout(states, source, after);
      this.#setLockouts(user, states);
    }
  }

  /** The one state object of a token: the overlay's, else the one that the facts brought. */
  #stateOf(own: TokenState, tokenPk: number): TokenState {
    return this.#overlay.tokens.get(tokenPk) ?? own;
  }

  #lockoutsOf(user: UserFacts): Lockouts {
    return this.#overlay.lockouts.get(user.pk) ?? user.lockouts;
  }

  #setLockouts(user: UserFacts, states: Lockouts): void {
    this.#overlay.lockouts.set(user.pk, states);
    user.lockouts = states;
    const cached = this.#cached.user(user.pk);
    if (cached !== null) cached.lockouts = states;
  }

  #replayLockouts([userPk, ...states]: LockoutColumn): void {
    const known = new Map(states.length === 0 ? [] : this.#overlay.lockouts.get(userPk));
    for (const [source, failures, windowStart, lockedUntil, recent] of states) {
      const after = { failures, windowStart: instant(windowStart), lockedUntil: instant(lockedUntil), recent };
      setLockout(known, source, after);
    }
    this.#overlay.lockouts.set(userPk, known);
  }

  /** An administrator unlocked: the feed orders that after everything written before it. */
  #forget(changes: readonly Change[]): void {
    for (const { kind, pks } of changes) {
      if (kind !== 'unlock') continue;
      if (pks === null) {
        this.#allUnlocked = true;
        this.#overlay.lockouts.clear();
      } else
        for (const pk of pks) {
          this.#unlocked.add(pk);
          this.#overlay.lockouts.delete(pk);
        }
    }
  }

  #release(batch: readonly Waiting[], commit: Commit): void {
    for (const { entry, resolve } of batch) {
      if (entry.consumption !== null) this.#claimed.delete(entry.consumption.token.pk);
      resolve(commit);
    }
  }

  /** A write failed: nobody is answered, and nothing is decided until it is known which events are on disk after all. */
  #fail(batch: readonly Waiting[], error: unknown): void {
    this.#health.failed(error);
    this.#doubt = this.#lookUp(batch).finally(() => {
      this.#doubt = null;
    });
    this.#release(this.#group.withdraw(), STORE);
    for (const { resolve } of batch) resolve(STORE);
  }

  async #lookUp(batch: readonly Waiting[]): Promise<void> {
    const ids = JSON.stringify(batch.map(({ entry }) => entry.event.id));
    while (!this.#stopped) {
      try {
        const rows: { id: string }[] = await this.#db.raw(
          'select id from events where id in (select value from json_each(?))',
          [ids],
        );
        const written = new Set(rows.map(({ id }) => id));
        for (const { entry } of batch) {
          if (written.has(entry.event.id)) this.#apply(entry);
          else if (entry.consumption !== null) this.#claimed.delete(entry.consumption.token.pk);
        }
        this.#seq += written.size;
        return;
      } catch (error) {
        this.#observer.failed(error);
        await new Promise((resolve) => setTimeout(resolve, LEDGER_LIMITS.doubtRetryMs).unref());
      }
    }
  }

  #tryWriting(): Promise<void> {
    return this.inTurn(async () => {
      await run(
        this.#db,
        `insert into meta (key, value) values ('probe', '1') on conflict (key) do update set value = 1 - value`,
        [],
      );
    });
  }
}

/** A counter that was cleared is not kept. */
function setLockout(states: Map<string, LockoutState>, source: string, after: LockoutState): void {
  if (after.failures === 0 && after.lockedUntil === 0) states.delete(source);
  else states.set(source, after);
}
