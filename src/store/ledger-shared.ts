/**
 * The ledger over PostgreSQL: several processes decide, so the database has the last word. A batch is one statement: it keeps
 * the entries whose user and resource still have the revisions that the decision was made on and to whom no lock has come, whose
 * step is still unused and whose counters are still what was seen (the rows are locked, so that this holds until the commit),
 * and for exactly those moves floors and counters and writes the events. An entry without its event was refused by the database:
 * stale, decide again. No code is spent and no counter that was there moves without the event that says so.
 */
import type { Knex } from 'knex';
import { type Commit, committedProof, type Ledger, type LedgerEntry } from '../access/ports.js';
import { inTime } from './database.js';
import { EVENT_COLUMN_TYPES, EVENT_COLUMNS, eventRow } from './event-row.js';
import { GroupCommit, handOut, OVERLOAD, STALE, STORE, type Waiting } from './group-commit.js';
import { LedgerHealth, type LedgerObserver } from './ledger-health.js';
import type { CachedUser } from './state-overlay.js';

/** Times that a batch is sent again after a deadlock with another node (40P01) or a serialization failure (40001): nothing was written. */
const CONFLICT_RETRIES = 5;
const CONFLICTS = new Set(['40P01', '40001']);
const PROBE = `insert into meta (key, value) values ('probe', '1') on conflict (key) do update set value = excluded.value`;

const EVENT_VALUES = Object.entries(EVENT_COLUMN_TYPES)
  .map(([name, type], i) => `(e->>${i})::${type} as ${name}`)
  .join(', ');

const STATEMENT = `
  with input as materialized (
    select n, (r->>0)::bigint as user_pk, (r->>1)::bigint as user_revision, (r->>2)::bigint as resource_pk, (r->>3)::bigint as resource_revision,
      r->4 as seen_locks, r->5 as moves, r->6 as e
    from jsonb_array_elements(?::jsonb) with ordinality as rows(r, n)
  ), held as materialized (
    select i.n, i.user_pk, i.moves, ${EVENT_VALUES} from input i
    where (i.user_pk is null or exists (select 1 from users u where u.pk = i.user_pk and u.revision = i.user_revision))
      and (i.resource_pk is null or exists (select 1 from resources r where r.pk = i.resource_pk and r.revision = i.resource_revision))
      and ((i.e->>${EVENT_COLUMNS.indexOf('outcome')}) <> 'accepted' or not exists (
        select 1 from lockouts l where l.user_pk = i.user_pk and l.locked_until > (i.e->>${EVENT_COLUMNS.indexOf('time')})::bigint and not jsonb_exists(i.seen_locks, l.source)))
  ), tokens as materialized (
    select s.token_pk from token_state s join held h on h.token_pk = s.token_pk and s.floor <= h.step order by s.token_pk for update of s
  ), wanted as materialized (
    select h.n, h.user_pk, l->>0 as source, (l->>1)::bigint as failures, (l->>2)::bigint as window_start, (l->>3)::bigint as locked_until, l->>4 as recent,
      (l->>5)::bigint as was_failures, (l->>6)::bigint as was_window_start, (l->>7)::bigint as was_locked_until
    from held h cross join lateral jsonb_array_elements(h.moves) l
  ), counters as materialized (
    select w.n from lockouts l join wanted w on l.user_pk = w.user_pk and l.source = w.source
      and l.failures = w.was_failures and l.window_start = w.was_window_start and l.locked_until = w.was_locked_until
    order by l.user_pk, l.source for update of l
  ), whole as materialized (
    select h.* from held h
    where (h.token_pk is null or h.token_pk in (select token_pk from tokens))
      and (select count(*) from wanted w where w.n = h.n and w.was_failures is not null) = (select count(*) from counters c where c.n = h.n)
  ), inserted as (
    insert into lockouts (user_pk, source, failures, window_start, locked_until, recent)
    select user_pk, source, failures, window_start, locked_until, recent from wanted
    where was_failures is null and n in (select n from whole) order by user_pk, source
    on conflict do nothing returning user_pk, source
  ), kept as materialized (
    select h.* from whole h
    where (select count(*) from wanted w where w.n = h.n and w.was_failures is null)
      = (select count(*) from inserted i join wanted w on w.user_pk = i.user_pk and w.source = i.source where w.n = h.n)
  ), consumed as (
    update token_state s set floor = k.step + 1, last_datagram = k.datagram, last_grace = k.grace, used_at = k.time
    from kept k where s.token_pk = k.token_pk
  ), updated as (
    update lockouts l set failures = w.failures, window_start = w.window_start, locked_until = w.locked_until, recent = w.recent
    from wanted w join kept k on k.n = w.n where l.user_pk = w.user_pk and l.source = w.source and w.was_failures is not null
  )
  insert into events (${EVENT_COLUMNS.join(', ')})
  select ${EVENT_COLUMNS.map((name) => (name === 'seq' ? '?::bigint + row_number() over (order by n)' : name)).join(', ')}
  from kept
  returning id`;

export class SharedLedger implements Ledger {
  readonly shared = true;
  readonly #db: Knex;
  readonly #writer: string;
  readonly #observer: LedgerObserver;
  readonly #health: LedgerHealth;
  readonly #cached: { user: CachedUser };
  readonly #group = new GroupCommit((batch) => this.#flush(batch));
  /** Tokens and users whose change is gathering or on its way: two in one statement would see the same old row. */
  readonly #claimed = new Set<string>();
  /** The last number written in this generation: each has a writer of its own. */
  #seq = 0;
  #generation = 0;

  /** As for the embedded ledger; `db` is the ledger's own pool. */
  constructor(deps: { db: Knex; writer: string; observer: LedgerObserver; cached: { user: CachedUser } }) {
    this.#db = deps.db;
    this.#writer = deps.writer;
    this.#observer = deps.observer;
    this.#health = new LedgerHealth(deps.observer, () => this.#tryWriting());
    this.#cached = deps.cached;
  }

  /** Whether the last statement reached the database. */
  get healthy(): boolean {
    return this.#health.healthy;
  }

  /** Ends after what is gathering was written. */
  async stop(): Promise<void> {
    this.#health.stop();
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
      this.#health.succeeded();
      for (const { entry } of batch) if (written.has(entry.event.id)) this.#apply(entry);
      handOut(batch, ({ event }) =>
        written.has(event.id) ? { kind: 'committed', proof: committedProof(event.id) } : STALE,
      );
    } catch (error) {
      // Whether it was written or not: nothing is answered, and it is never sent again.
      // The statement may even be running still and commit later, so its numbers are left to it: a new writer goes on.
      this.#generation += 1;
      this.#seq = 0;
      this.#health.failed(error);
      for (const { resolve } of batch) resolve(STORE);
      for (const { resolve } of this.#group.withdraw()) resolve(STORE);
    }
  }

  /** The ids of the entries that went through. Rejects where the fate of the statement is not known, or it could not be sent. */
  async #write(entries: readonly LedgerEntry[]): Promise<ReadonlySet<string>> {
    const writer = this.#generation === 0 ? this.#writer : `${this.#writer}.${this.#generation}`;
    const rows = JSON.stringify(entries.map((entry) => inputRow(entry, writer)));
    for (let attempt = 0; ; attempt++) {
      try {
        const statement = this.#db.raw<{ rows: { id: string }[] }>(STATEMENT, [rows, this.#seq]);
        const { rows: written } = await inTime('postgres', statement);
        this.#seq += written.length;
        return new Set(written.map(({ id }) => id));
      } catch (error) {
        if (attempt >= CONFLICT_RETRIES || !CONFLICTS.has(codeOf(error))) throw error;
      }
    }
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
        token.state.lastGrace = consumption.grace;
      }
    }
    if (lockouts.length === 0) return;
    const states = new Map(user.lockouts);
    for (const { source, after } of lockouts) states.set(source, after);
    user.lockouts = states;
    if (cached !== null) cached.lockouts = states;
  }

  /** A database that only reads (a standby, a full disk) is of no use here. */
  async #tryWriting(): Promise<void> {
    await inTime('postgres', this.#db.raw(PROBE));
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
