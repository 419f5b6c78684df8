/** Records put straight into the tables, and whole deciding nodes over them: what tests of the store stand on. */
import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import { makeAuthenticate } from '../../src/access/authenticate.js';
import type { Authenticate, Decision } from '../../src/access/request.js';
import { Secret } from '../../src/base/secret.js';
import { type Clock, instant, seconds } from '../../src/base/units.js';
import { uuid7 } from '../../src/base/uuid7.js';
import { hotp } from '../../src/otp/hotp.js';
import { totpStep } from '../../src/otp/totp.js';
import { announce, type ChangeKind } from '../../src/store/change.js';
import { type Database, type DatabaseConfig, openDatabase } from '../../src/store/database.js';
import { StoreDirectory } from '../../src/store/directory.js';
import { Feed } from '../../src/store/feed.js';
import { Fold } from '../../src/store/fold.js';
import { EmbeddedLedger } from '../../src/store/ledger-embedded.js';
import { SharedLedger } from '../../src/store/ledger-shared.js';
import { Seal } from '../../src/store/seal.js';
import { StateOverlay } from '../../src/store/state-overlay.js';

export const SEAL = new Seal(Secret.of(Buffer.alloc(32, 7)));
export const KEY = Buffer.from('12345678901234567890');
const PERIOD = seconds(30);

/** A clock that stands where it is set. The moment is the middle of a TOTP step. */
export class TestClock {
  #now = 1_800_000_015_000;
  readonly read: Clock = () => instant(this.#now);

  get step(): number {
    return totpStep(this.read(), PERIOD);
  }
  advance(ms: number): void {
    this.#now += ms;
  }
}

/** What a token with KEY shows at a step or counter. */
export const codeAt = (at: number): string => hotp('SHA1', KEY, 6, at);

/** A transaction that changes records: `work` does, `kind` and `pks` go to the feed. */
export async function change(
  db: Knex,
  kind: ChangeKind,
  pks: readonly number[] | null,
  work: (tx: Knex.Transaction) => Promise<unknown>,
): Promise<void> {
  await db.transaction(async (tx) => {
    // On SQLite the write lock comes first, or a snapshot that is out of date could not be written on.
    await tx.raw(`update meta set value = value where key = ''`);
    await work(tx);
    await announce(tx, kind, pks, instant(0));
  });
}

export interface Placed {
  readonly pk: number;
  readonly id: string;
}

async function place(tx: Knex, table: string, row: Readonly<Record<string, unknown>>): Promise<Placed> {
  const id = uuid7(instant(Date.now()));
  const [made]: { pk: number | string }[] = await tx(table)
    .insert({ id, created_at: 0, updated_at: 0, ...row })
    .returning('pk');
  return { pk: Number(made?.pk), id };
}

export async function addResource(
  db: Knex,
  name: string,
  policy: Readonly<Record<string, unknown>> = {},
): Promise<Placed> {
  let made = { pk: 0, id: '' };
  await change(db, 'resource', null, async (tx) => {
    made = await place(tx, 'resources', { name, name_key: name, active: true, policy: JSON.stringify(policy) });
  });
  return made;
}

export interface NewUser {
  readonly login: string;
  readonly aliases?: readonly string[];
  readonly resources?: readonly number[];
  readonly groups?: readonly number[];
  readonly type?: 'totp' | 'hotp';
  readonly floor?: number;
}

/** A user with one token, whose seed is KEY. */
export async function addUser(db: Knex, user: NewUser): Promise<Placed & { readonly token: Placed }> {
  let made = { pk: 0, id: '', token: { pk: 0, id: '' } };
  await db.transaction(async (tx) => {
    await tx.raw(`update meta set value = value where key = ''`);
    const { login } = user;
    const { pk, id } = await place(tx, 'users', { login, active: true });
    const names = [login, ...(user.aliases ?? [])].map((name, i) => ({
      key: name,
      name,
      user_pk: pk,
      is_alias: i > 0,
    }));
    await tx('names').insert(names);
    for (const resource_pk of user.resources ?? []) await tx('user_resources').insert({ user_pk: pk, resource_pk });
    for (const group_pk of user.groups ?? []) await tx('user_groups').insert({ user_pk: pk, group_pk });
    const tokenId = uuid7(instant(Date.now()));
    const token = await place(tx, 'tokens', {
      id: tokenId,
      user_pk: pk,
      type: user.type ?? 'totp',
      secret: SEAL.seal('tokens.secret', tokenId, Secret.of(KEY)),
      algorithm: 'SHA1',
      digits: 6,
      period: PERIOD,
      active: true,
      hardware: false,
    });
    await tx('token_state').insert({ token_pk: token.pk, floor: user.floor ?? 0 });
    await announce(tx, 'user', [pk], instant(0));
    made = { pk, id, token: { pk: token.pk, id: tokenId } };
  });
  return made;
}

/** Blocks a user, as an administrator does. */
export const block = (db: Knex, pk: number): Promise<void> =>
  change(db, 'user', [pk], (tx) =>
    tx('users')
      .where({ pk })
      .update({ active: false, revision: tx.raw('revision + 1') }),
  );

/** Unlocks a user, with the event that says so. */
export const unlock = (db: Knex, pk: number): Promise<void> =>
  change(db, 'unlock', [pk], async (tx) => {
    await tx('lockouts').where({ user_pk: pk }).delete();
    const { fieldsRow, insertEvents } = await import('../../src/store/event-row.js');
    const event = { id: uuid7(instant(Date.now())), writer: `r${randomBytes(6).toString('hex')}`, seq: 1, time: 0 };
    await insertEvents(tx, [fieldsRow({ ...event, kind: 'change', lockouts: JSON.stringify([pk]) })]);
  });

/** One request: who, with which code; the rest as a NAS would. */
export interface Ask {
  readonly login: string;
  readonly code: string;
  readonly resourceId: string;
  readonly source?: string;
  readonly datagram?: string | null;
}

export interface TestNode {
  readonly database: Database;
  readonly feed: Feed;
  readonly directory: StoreDirectory;
  readonly ledger: EmbeddedLedger | SharedLedger;
  readonly overlay: StateOverlay | null;
  readonly fold: Fold | null;
  readonly writer: string;
  readonly errors: unknown[];
  readonly authenticate: Authenticate;
  ask(ask: Ask): Promise<Decision>;
  /** Ends without folding. Closes the database where the node has opened it. */
  stop(): Promise<void>;
}

/** A deciding node, as the daemon builds it, over a database that is open (it stays so) or one of its own. */
export async function startNode(from: Database | DatabaseConfig, clock: Clock): Promise<TestNode> {
  const own = 'engine' in from ? null : await openDatabase(from);
  const database = 'engine' in from ? from : (own ?? (await openDatabase(from)));
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const writer = randomBytes(6).toString('hex');
  const feed = new Feed(database, clock, onError);
  await feed.start();
  const cached: { user: (pk: number) => ReturnType<StoreDirectory['cachedUser']> } = { user: () => null };
  const overlay = database.engine === 'sqlite' ? new StateOverlay() : null;
  const observer = { batch: () => undefined, failed: onError, recovered: () => undefined };
  const deps = { db: database.ledger, writer, observer, cached };
  const embedded = overlay === null ? null : new EmbeddedLedger({ ...deps, feed, overlay });
  const ledger = embedded ?? new SharedLedger(deps);
  const directory = new StoreDirectory({ database, feed, seal: SEAL, overlay, clock, onBrokenBox: onError });
  cached.user = (pk) => directory.cachedUser(pk);
  await embedded?.start();
  const fold =
    embedded === null || overlay === null
      ? null
      : new Fold({ db: database.ledger, ledger: embedded, overlay, directory, feed, onError });
  const authenticate = makeAuthenticate({
    directory,
    ledger,
    firstFactors: { check: async () => 'right' },
    clock,
    micros: () => 0,
    newId: uuid7,
    hashWrong: (text) => SEAL.fingerprint(text),
    hashGrace: (text) => SEAL.fingerprint(text),
    unknownLogins: 'full',
    onError,
  });
  return {
    database,
    feed,
    directory,
    ledger,
    overlay,
    fold,
    writer,
    errors,
    authenticate,
    ask: ({ login, code, resourceId, source, datagram }) =>
      authenticate({
        door: 'radius',
        method: 'pap',
        client: 'edge',
        domains: [],
        resourceId,
        login,
        credential: { kind: 'text', text: code },
        source: source ?? '192.0.2.1',
        station: null,
        peer: '198.51.100.1',
        datagram: datagram ?? null,
        receivedAt: clock(),
      }),
    stop: async () => {
      await fold?.stop();
      await ledger.stop();
      await feed.stop();
      await own?.close();
    },
  };
}

/** How many decisions came out as what: `accepted`, `unavailable` or the reason of a refusal. */
export function tally(decisions: readonly Decision[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const decision of decisions) {
    const name = decision.outcome === 'refused' ? decision.reason : decision.outcome;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

export interface LoggedEvent {
  readonly writer: string;
  readonly seq: number;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly login: string | null;
}

/** All authentications in the log, in its order, read through `db`. */
export async function loggedEvents(db: Knex): Promise<readonly LoggedEvent[]> {
  const rows: (LoggedEvent & { seq: number | string })[] = await db('events')
    .where({ kind: 'authentication' })
    .orderBy('pos')
    .select('writer', 'seq', 'outcome', 'reason', 'login');
  return rows.map((row) => ({ ...row, seq: Number(row.seq) }));
}

/** Writers whose numbers do not run 1, 2, 3 … without a gap or a double. */
export function gaps(events: readonly LoggedEvent[]): readonly string[] {
  const byWriter = new Map<string, number[]>();
  for (const { writer, seq } of events) byWriter.set(writer, [...(byWriter.get(writer) ?? []), seq]);
  return [...byWriter].flatMap(([writer, seqs]) =>
    seqs.sort((a, b) => a - b).every((seq, i) => seq === i + 1) ? [] : [`${writer}: ${seqs.join(' ')}`],
  );
}
