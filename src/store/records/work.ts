/**
 * One change of records, from first statement to commit: what it touched goes to the feed, what it did to the log, revisions
 * rise once each, and what is wrong with it is collected until all is known. Changes run one after the other, in this process by
 * a queue, between processes by a lock that the transaction takes first.
 */
import type { Knex } from 'knex';
import type { Clock, Instant } from '../../base/units.js';
import { done, type FieldError, failed, type RecordProblem, type Result } from '../../records/problem.js';
import type { Actor } from '../actor.js';
import { announce, type ChangeKind, type ChangeWriter, type RecordedChange } from '../change.js';
import type { Feed } from '../feed.js';
import { isSqlite, numbers, run } from './sql.js';

/** Times that a transaction is run again after a deadlock with a ledger (40P01) or a serialization failure (40001). */
const CONFLICT_RETRIES = 3;
const CONFLICTS = new Set(['40P01', '40001']);
/** PostgreSQL's advisory lock for changes of records; any number that nobody else in this database takes. */
const ADVISORY_LOCK = 7_205_759_403;

/** A field that is taken or a record that is in use. */
export type Conflict = Extract<RecordProblem, { kind: 'conflict' }>;

/** What changed of a record, by field, for the log and for whoever applied a file. Secrets are never in it, only that they changed. */
export type Diff = Readonly<Record<string, { readonly from: unknown; readonly to: unknown }>>;

/** What became of one record. */
export interface Outcome {
  readonly record: string;
  readonly name: string;
  readonly action: 'created' | 'updated' | 'deleted' | 'unchanged';
  readonly diff: Diff;
}

/** A token's secret on its way to whoever asked for the token. */
export interface IssuedSecret {
  readonly tokenId: string;
  /** Base32. */
  readonly secret: string;
  readonly otpauthUri: string;
}

export class Work {
  readonly tx: Knex.Transaction;
  readonly now: Instant;
  readonly outcomes: Outcome[] = [];
  readonly issued: IssuedSecret[] = [];
  /** Names (`resource vpn`) that this change makes itself: where one is missing because something else is wrong, that is told once. */
  readonly expected = new Set<string>();
  readonly #errors: FieldError[] = [];
  readonly #conflicts: Conflict[] = [];
  readonly #touched = new Map<ChangeKind, Set<number>>();
  readonly #recorded: RecordedChange[] = [];
  readonly #usersToRaise = new Set<number>();
  readonly #usersRaised = new Set<number>();
  readonly #resourcesToRaise = new Set<number>();
  readonly #resourcesRaised = new Set<number>();

  constructor(tx: Knex.Transaction, now: Instant) {
    this.tx = tx;
    this.now = now;
  }

  invalid(pointer: string, message: string): void {
    this.#errors.push({ pointer, message });
  }

  conflict(pointer: string, message: string, holder: string): void {
    this.#conflicts.push({ kind: 'conflict', pointer, message, with: holder });
  }

  /** All that is wrong so far; conflicts as errors too, for whoever tells all at once. */
  get faults(): readonly FieldError[] {
    return [...this.#errors, ...this.#conflicts];
  }

  /** What is wrong as one problem, or null. */
  get problem(): RecordProblem | null {
    if (this.#errors.length > 0) return { kind: 'invalid', errors: this.faults };
    return this.#conflicts[0] ?? null;
  }

  /** The feed will say that record `pk` of `kind` changed. */
  touch(kind: ChangeKind, pk: number): void {
    const pks = this.#touched.get(kind);
    if (pks === undefined) this.#touched.set(kind, new Set([pk]));
    else pks.add(pk);
  }

  /** Something that decides about this user changed. `raised`: the statement that changed the row raised its revision. */
  touchUser(pk: number, raised: 'raised' | 'raise'): void {
    this.touch('user', pk);
    (raised === 'raised' ? this.#usersRaised : this.#usersToRaise).add(pk);
  }

  /** The same for a resource. */
  touchResource(pk: number, raised: 'raised' | 'raise'): void {
    this.touch('resource', pk);
    (raised === 'raised' ? this.#resourcesRaised : this.#resourcesToRaise).add(pk);
  }

  /** The log will say so. */
  record(change: RecordedChange): void {
    this.#recorded.push(change);
  }

  /** Notes what became of a record; what is unchanged leaves nothing in the log. */
  settle(outcome: Outcome, recordId: string, userId: string | null): void {
    this.outcomes.push(outcome);
    const { record, name, action, diff } = outcome;
    if (action === 'unchanged') return;
    this.record({
      action,
      record,
      recordId,
      name,
      userId,
      ...(action === 'deleted' ? {} : { detail: { changes: diff } }),
    });
  }

  /** Raises what is to be raised, writes feed and log. Returns what to call after the commit. */
  async finish(changes: ChangeWriter, by: Actor): Promise<() => void> {
    await this.#raise('users', this.#usersToRaise, this.#usersRaised);
    await this.#raise('resources', this.#resourcesToRaise, this.#resourcesRaised);
    for (const [kind, pks] of this.#touched) await announce(this.tx, kind, [...pks], this.now);
    return changes.write(this.tx, this.#recorded, by, this.now);
  }

  async #raise(table: 'users' | 'resources', wanted: ReadonlySet<number>, already: ReadonlySet<number>): Promise<void> {
    const pks = [...wanted].filter((pk) => !already.has(pk));
    if (pks.length === 0) return;
    await run(this.tx, `update ${table} set revision = revision + 1, updated_at = ? where pk in ${numbers(this.tx)}`, [
      this.now,
      JSON.stringify(pks),
    ]);
  }
}

/** Runs changes one after the other. One a process and database. */
export class RecordWriter {
  readonly #db: Knex;
  readonly #changes: ChangeWriter;
  readonly #clock: Clock;
  readonly #feed: Pick<Feed, 'poll'> | null;
  #last: Promise<unknown> = Promise.resolve();

  /** `db` is the connection for records; `feed` is read after each commit. */
  constructor(db: Knex, changes: ChangeWriter, clock: Clock, feed: Pick<Feed, 'poll'> | null) {
    this.#db = db;
    this.#changes = changes;
    this.#clock = clock;
    this.#feed = feed;
  }

  /**
   * Runs `job` in a transaction, which commits where `job` succeeded and nothing was found wrong, and is undone otherwise or
   * where `rehearse` is set. `job` may run more than once. Rejects where the database fails.
   */
  async run<T>(by: Actor, job: (work: Work) => Promise<Result<T>>, rehearse = false): Promise<Result<T>> {
    const turn = this.#last.then(() => this.#attempts(by, job, rehearse));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #attempts<T>(by: Actor, job: (work: Work) => Promise<Result<T>>, rehearse: boolean): Promise<Result<T>> {
    for (let left = CONFLICT_RETRIES; ; left--) {
      try {
        return await this.#once(by, job, rehearse);
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : '';
        if (left === 0 || !CONFLICTS.has(code)) throw error;
      }
    }
  }

  async #once<T>(by: Actor, job: (work: Work) => Promise<Result<T>>, rehearse: boolean): Promise<Result<T>> {
    const tx = await this.#db.transaction();
    try {
      await lock(tx);
      const work = new Work(tx, this.#clock());
      const result = await job(work);
      if (!result.ok || work.problem !== null || rehearse) {
        await tx.rollback();
        return result.ok && work.problem !== null ? failed(work.problem) : result;
      }
      const committed = await work.finish(this.#changes, by);
      await this.#commit(tx);
      committed();
      // The change stands, whether or not it can be heard of now; whoever follows the feed tells of its own trouble.
      await this.#feed?.poll().catch(() => undefined);
      return done(result.value);
    } catch (error) {
      if (!tx.isCompleted()) await tx.rollback().catch(() => undefined);
      throw error;
    }
  }

  /** knex's own promise of a commit resolves also where the commit failed (disk full, connection lost); the transaction's tells. */
  async #commit(tx: Knex.Transaction): Promise<void> {
    await tx.commit();
    try {
      await tx.executionPromise;
    } catch (error) {
      this.#changes.moveOn();
      throw error;
    }
  }
}

/** SQLite: a transaction that begins by writing (nothing) holds the write lock from its first snapshot on, and cannot turn out stale. */
async function lock(tx: Knex.Transaction): Promise<void> {
  if (isSqlite(tx)) await run(tx, `update meta set value = value where key = ''`);
  else await run(tx, `select pg_advisory_xact_lock(${ADVISORY_LOCK})`);
}

/** What differs between two views of a record, by field. `hidden` fields are compared but never shown. */
export function difference(
  before: Readonly<Record<string, unknown>> | null,
  after: Readonly<Record<string, unknown>>,
  hidden: readonly string[] = [],
): Diff {
  const diff: Record<string, { from: unknown; to: unknown }> = {};
  for (const [field, value] of Object.entries(after)) {
    const old = before === null ? null : before[field];
    if (JSON.stringify(old) === JSON.stringify(value)) continue;
    const shown = (v: unknown) => (v === null || v === undefined ? null : hidden.includes(field) ? '[secret]' : v);
    if (before !== null || shown(value) !== null) diff[field] = { from: shown(old), to: shown(value) };
  }
  return diff;
}
