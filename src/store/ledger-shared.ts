/**
 * The ledger over PostgreSQL: several processes decide, so the database has the last word. A batch is one statement: it keeps
 * the entries whose user and resource still have the revisions that the decision was made on and to whom no lock has come, moves
 * each token's floor where the step is still unused, changes lockouts where they are still what was seen, and writes the events
 * of exactly those that went through. An entry without its event was refused by the database: stale, decide again.
 */
import type { Knex } from 'knex';
import { type Commit, committedProof, type Ledger, type LedgerEntry } from '../access/ports.js';
import { EVENT_COLUMN_TYPES, EVENT_COLUMNS, eventRow } from './event-row.js';
import { GroupCommit, OVERLOAD, STALE, STORE, type Waiting } from './group-commit.js';
import type { LedgerObserver } from './ledger-embedded.js';
import type { CachedUser } from './state-overlay.js';

/** Times that a batch is sent again after a deadlock with another node (40P01) or a serialization failure (40001): nothing was written. */
const CONFLICT_RETRIES = 5;
const CONFLICTS = new Set(['40P01', '40001']);
/** Between two looks whether a database that failed is back. */
const PROBE_MS = 1_000;

const EVENT_VALUES = Object.entries(EVENT_COLUMN_TYPES)
  .map(([name, type], i) => `(e->>${i})::${type} as ${name}`)
  .join(', ');

const STATEMENT = `
  with input as materialized (
    select n, (r->>0)::bigint as user_pk, (r->>1)::bigint as user_revision, (r->>2)::bigint as resource_pk, (r->>3)::bigint as resource_revision,
      r->4 as seen_locks, r->5 as lockouts, r->6 as e
    from jsonb_array_elements(?::jsonb) with ordinality as rows(r, n)
  ), held as materialized (
    select i.n, i.user_pk, i.lockouts, ${EVENT_VALUES} from input i
    where (i.user_pk is null or exists (select 1 from users u where u.pk = i.user_pk and u.revision = i.user_revision))
      and (i.resource_pk is null or exists (select 1 from resources r where r.pk = i.resource_pk and r.revision = i.resource_revision))
      and ((i.e->>${EVENT_COLUMNS.indexOf('token_pk')}) is null or not exists (
        select 1 from lockouts l where l.user_pk = i.user_pk and l.locked_until > (i.e->>${EVENT_COLUMNS.indexOf('time')})::bigint and not jsonb_exists(i.seen_locks, l.source)))
  ), consumed as (
    update token_state s set floor = h.step + 1, last_datagram = h.datagram, used_at = h.time
    from (select token_pk, step, datagram, time from held where token_pk is not null order by token_pk) h
    where s.token_pk = h.token_pk and s.floor <= h.step
    returning s.token_pk
  ), wanted as materialized (
    select h.n, h.user_pk, l->>0 as source, (l->>1)::bigint as failures, (l->>2)::bigint as window_start, (l->>3)::bigint as locked_until, l->>4 as recent,
      (l->>5)::bigint as was_failures, (l->>6)::bigint as was_window_start, (l->>7)::bigint as was_locked_until
    from held h cross join lateral jsonb_array_elements(h.lockouts) l order by h.user_pk, 3
  ), updated as (
    update lockouts l set failures = w.failures, window_start = w.window_start, locked_until = w.locked_until, recent = w.recent
    from wanted w where l.user_pk = w.user_pk and l.source = w.source
      and l.failures = w.was_failures and l.window_start = w.was_window_start and l.locked_until = w.was_locked_until
    returning w.n
  ), inserted as (
    insert into lockouts (user_pk, source, failures, window_start, locked_until, recent)
    select user_pk, source, failures, window_start, locked_until, recent from wanted where was_failures is null
    on conflict do nothing returning user_pk, source
  )
  insert into events (${EVENT_COLUMNS.join(', ')})
  select ${EVENT_COLUMNS.map((name) => (name === 'seq' ? '?::bigint + row_number() over (order by n)' : name)).join(', ')}
  from held h
  where (h.token_pk is null or h.token_pk in (select token_pk from consumed))
    and jsonb_array_length(h.lockouts) = (select count(*) from updated u where u.n = h.n)
      + (select count(*) from inserted i join wanted w on w.user_pk = i.user_pk and w.source = i.source where w.n = h.n)
  returning id`;

export class SharedLedger implements Ledger {
  readonly shared = true;
  readonly #db: Knex;
  readonly #writer: string;
  readonly #observer: LedgerObserver;
  readonly #cached: { user: CachedUser };
  readonly #group = new GroupCommit((batch) => this.#flush(batch));
  /** Tokens and users whose change is gathering or on its way: two in one statement would see the same old row. */
  readonly #claimed = new Set<string>();
  /** The last number written; null where a failure left it unknown. */
  #seq: number | null = 0;
  #healthy = true;
  #probe: NodeJS.Timeout | null = null;

  /** As for the embedded ledger; `db` is the ledger's own pool. */
  constructor(deps: { db: Knex; writer: string; observer: LedgerObserver; cached: { user: CachedUser } }) {
    this.#db = deps.db;
    this.#writer = deps.writer;
    this.#observer = deps.observer;
    this.#cached = deps.cached;
  }

  /** Whether the last statement reached the database. */
  get healthy(): boolean {
    return this.#healthy;
  }

  /** Ends after what is gathering was written. */
  async stop(): Promise<void> {
    if (this.#probe !== null) clearInterval(this.#probe);
    await this.#group.idle();
  }

  async commit(entry: LedgerEntry): Promise<Commit> {
    if (!this.#group.hasRoom) return OVERLOAD;
    const claims = claimsOf(entry);
    if (claims.some((claim) => this.#claimed.has(claim))) return STALE;
    for (const claim of claims) this.#claimed.add(claim);
    const commit = await this.#group.push(entry);
    for (const claim of claims) this.#claimed.delete(claim);
    return commit;
  }

  async #flush(batch: Waiting[]): Promise<void> {
    try {
      const sent = performance.now();
      const written = await this.#write(batch.map(({ entry }) => entry));
      this.#observer.batch(batch.length, performance.now() - sent);
      this.#becomeHealthy();
      for (const { entry, resolve } of batch) {
        if (!written.has(entry.event.id)) {
          resolve(STALE);
          continue;
        }
        this.#apply(entry);
        resolve({ kind: 'committed', proof: committedProof(entry.event.id) });
      }
    } catch (error) {
      // Whether it was written or not: nothing is answered, and it is never sent again.
      this.#seq = null;
      this.#healthy = false;
      this.#observer.failed(error);
      for (const { resolve } of batch) resolve(STORE);
      for (const { resolve } of this.#group.withdraw()) resolve(STORE);
      this.#probe ??= setInterval(() => void this.#tryReading(), PROBE_MS).unref();
    }
  }

  /** The ids of the entries that went through. Rejects where the fate of the statement is not known, or it could not be sent. */
  async #write(entries: readonly LedgerEntry[]): Promise<ReadonlySet<string>> {
    const seq = this.#seq ?? (await this.#lookUpSeq());
    const rows = JSON.stringify(entries.map((entry) => inputRow(entry, this.#writer)));
    for (let attempt = 0; ; attempt++) {
      try {
        const { rows: written }: { rows: { id: string }[] } = await this.#db.raw(STATEMENT, [rows, seq]);
        this.#seq = seq + written.length;
        return new Set(written.map(({ id }) => id));
      } catch (error) {
        if (attempt >= CONFLICT_RETRIES || !CONFLICTS.has(codeOf(error))) throw error;
      }
    }
  }

  /** After a failure of unknown outcome: what this process's numbers have come to. */
  async #lookUpSeq(): Promise<number> {
    const { rows }: { rows: { seq: string | null }[] } = await this.#db.raw(
      'select max(seq) as seq from events where writer = ? and pos > coalesce((select max(pos) from events), 0) - 1000000',
      [this.#writer],
    );
    return Number(rows[0]?.seq ?? 0);
  }

  /** Facts in this process's cache follow; those of other nodes find out by their own statements. */
  #apply({ consumption, lockouts, user }: LedgerEntry): void {
    if (user === null) return;
    const cached = this.#cached.user(user.pk);
    if (consumption !== null) {
      for (const token of [consumption.token, ...(cached?.tokens ?? [])]) {
        if (token.pk !== consumption.token.pk) continue;
        token.state.floor = Math.max(token.state.floor, consumption.at + 1);
        token.state.lastDatagram = consumption.datagram;
      }
    }
    if (lockouts.length === 0) return;
    const states = new Map(user.lockouts);
    for (const { source, after } of lockouts) states.set(source, after);
    user.lockouts = states;
    if (cached !== null) cached.lockouts = states;
  }

  async #tryReading(): Promise<void> {
    try {
      await this.#db.raw('select 1');
      this.#becomeHealthy();
    } catch {
      // Still away; the next look will tell.
    }
  }

  #becomeHealthy(): void {
    if (this.#healthy) return;
    this.#healthy = true;
    if (this.#probe !== null) clearInterval(this.#probe);
    this.#probe = null;
    this.#observer.recovered();
  }
}

function claimsOf({ consumption, lockouts, user }: LedgerEntry): string[] {
  const claims = consumption === null ? [] : [`t${consumption.token.pk}`];
  if (user !== null && lockouts.length > 0) claims.push(`u${user.pk}`);
  return claims;
}

/** An entry as the statement reads it. */
function inputRow(entry: LedgerEntry, writer: string): unknown {
  const { user, resource, event, lockouts } = entry;
  const seenLocks = [];
  if (user !== null)
    for (const [source, { lockedUntil }] of user.lockouts) if (lockedUntil > event.time) seenLocks.push(source);
  return [
    user?.pk ?? null,
    user?.revision ?? null,
    resource?.pk ?? null,
    resource?.revision ?? null,
    seenLocks,
    lockouts.map(({ source, before, after }) => [
      source,
      after.failures,
      after.windowStart,
      after.lockedUntil,
      JSON.stringify(after.recent),
      before?.failures ?? null,
      before?.windowStart ?? null,
      before?.lockedUntil ?? null,
    ]),
    eventRow(entry, writer, 0),
  ];
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
