/**
 * Users and tokens in bulk: first all are checked against the records, then they are written in slices, each a short transaction
 * with one row of the feed, so that neither a sign-in nor another change waits long. What is there is left as it is, so an import
 * that was interrupted is finished by running it again.
 */
import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import { Secret } from '../../base/secret.js';
import { uuid7 } from '../../base/uuid7.js';
import { SECRET_OCTETS_MADE } from '../../otp/base32.js';
import type { ImportedToken, ImportedUser, RowFault } from '../../records/import-row.js';
import { done } from '../../records/problem.js';
import { nameKey } from '../../records/values.js';
import type { Actor } from '../actor.js';
import type { Seal } from '../seal.js';
import type { RecordContext } from './context.js';
import {
  insertPairs,
  insertRecords,
  insertRows,
  numbers,
  type Pair,
  query,
  texts,
  USER_RESOURCES,
  type Value,
} from './sql.js';
import { isHardware, TOKEN_STATE_TABLE, TOKEN_TABLE } from './tokens.js';
import { NAME_TABLE, USER_TABLE } from './users.js';
import type { Work } from './work.js';

/** What is to be done for one user of the file. */
interface Task {
  readonly user: ImportedUser;
  /** The user who is there already; null: a new one, or none (stock). */
  readonly userPk: number | null;
  readonly tokens: readonly ImportedToken[];
}

/** How much an import did, or would do. `there`: users and tokens that were left as they are. */
export interface ImportCounts {
  readonly users: number;
  readonly tokens: number;
  readonly there: number;
}

/** One import. Resources are looked up once, when it begins. */
export class RecordImport {
  readonly #context: RecordContext;
  readonly #by: Actor;
  readonly #resources: ReadonlyMap<string, number>;

  private constructor(context: RecordContext, by: Actor, resources: ReadonlyMap<string, number>) {
    this.#context = context;
    this.#by = by;
    this.#resources = resources;
  }

  static async begin(context: RecordContext, by: Actor): Promise<RecordImport> {
    const rows = await query(context.db, 'select pk, id, name_key from resources');
    return new RecordImport(
      context,
      by,
      new Map(
        rows.flatMap((row) => [row.text('name_key'), row.text('id')].map((key) => [key, row.int('pk')] as const)),
      ),
    );
  }

  /** Looks `users` up in the records: what speaks against them, and what would be done. */
  async check(
    users: readonly ImportedUser[],
  ): Promise<{ readonly faults: readonly RowFault[]; readonly counts: ImportCounts }> {
    const { tasks, faults } = await this.#tasks(this.#context.db, users);
    return { faults, counts: countsOf(tasks) };
  }

  /**
   * Writes a slice. `users` were checked; whoever was taken by somebody else in the meantime is left out and named. `heldMs`:
   * how long others had to wait.
   */
  async write(
    users: readonly ImportedUser[],
  ): Promise<{ readonly faults: readonly RowFault[]; readonly counts: ImportCounts; readonly heldMs: number }> {
    const hashes = await this.#hashes(users);
    const result = await this.#context.writer.run(this.#by, async (work) => {
      const began = performance.now();
      const { tasks, faults } = await this.#tasks(work.tx, users);
      await writeTasks(work, tasks, hashes, this.#resources, this.#context.seal);
      return done({ faults, counts: countsOf(tasks), began });
    });
    if (!result.ok) throw new Error(`a slice of an import was refused: ${result.problem.kind}`);
    const { faults, counts, began } = result.value;
    return { faults, counts, heldMs: performance.now() - began };
  }

  /** The one event of the import. */
  async finish(file: string, counts: ImportCounts, complete: boolean): Promise<void> {
    await this.#context.writer.run(this.#by, async (work) => {
      work.record({
        action: 'imported',
        record: 'user',
        recordId: null,
        name: file,
        userId: null,
        detail: { ...counts, complete },
      });
      return done(null);
    });
  }

  /** Passwords of users who are not there yet, by login key: hashed outside the transaction, as many at a time as there are threads for it. */
  async #hashes(users: readonly ImportedUser[]): Promise<ReadonlyMap<string, string>> {
    const hashes = new Map<string, string>();
    if (!users.some(({ password }) => password !== null)) return hashes;
    const { tasks } = await this.#tasks(this.#context.db, users);
    await Promise.all(
      tasks.map(async ({ user: { login, password }, userPk }) => {
        if (login !== null && password !== null && userPk === null)
          hashes.set(nameKey(login), await this.#context.passwords.hash(password));
      }),
    );
    return hashes;
  }

  async #tasks(db: Knex, users: readonly ImportedUser[]): Promise<{ tasks: Task[]; faults: RowFault[] }> {
    const faults: RowFault[] = [];
    const present = await presentRecords(db, users, this.#context.seal);
    const tasks = users.flatMap((user): Task | [] => {
      const before = faults.length;
      const userPk = checkNames(user, present, faults);
      for (const resource of user.resources)
        if (!this.#resources.has(nameKey(resource)))
          faults.push({ line: user.line, column: 'resource', message: `no such resource: ${resource}` });
      const tokens = user.tokens.filter((token) => !isThere(token, user, userPk, present, faults));
      return faults.length > before ? [] : { user, userPk, tokens };
    });
    return { tasks, faults };
  }
}

/** What the records hold of the names and serials in question. */
interface Present {
  readonly names: ReadonlyMap<string, { readonly userPk: number; readonly login: string; readonly isAlias: boolean }>;
  readonly serials: ReadonlyMap<string, number | null>;
  /** By pk: the seeds of users who are there, as type and octets in hex; and their types. */
  readonly seeds: ReadonlyMap<number, ReadonlySet<string>>;
}

async function presentRecords(db: Knex, users: readonly ImportedUser[], seal: Seal): Promise<Present> {
  const keys = users.flatMap(({ login, aliases }) => (login === null ? [] : [login, ...aliases].map(nameKey)));
  const names = new Map<string, { userPk: number; login: string; isAlias: boolean }>();
  if (keys.length > 0) {
    const sql = `select n.key, n.user_pk, n.is_alias, u.login from names n join users u on u.pk = n.user_pk where n.key in ${texts(db)}`;
    for (const row of await query(db, sql, [JSON.stringify(keys)]))
      names.set(row.text('key'), {
        userPk: row.int('user_pk'),
        login: row.text('login'),
        isAlias: row.flag('is_alias'),
      });
  }
  const wanted = users.flatMap(({ tokens }) => tokens.flatMap(({ serial }) => serial ?? []));
  const serials = new Map<string, number | null>();
  if (wanted.length > 0)
    for (const row of await query(db, `select serial, user_pk from tokens where serial in ${texts(db)}`, [
      JSON.stringify(wanted),
    ]))
      serials.set(row.text('serial'), row.intOrNull('user_pk'));
  const pks = users.flatMap(({ login, tokens }) => {
    const holder = login === null ? undefined : names.get(nameKey(login));
    return holder === undefined || tokens.every(({ serial }) => serial !== null) ? [] : [holder.userPk];
  });
  const seeds = new Map<number, Set<string>>();
  if (pks.length > 0) {
    const sql = `select id, user_pk, type, secret from tokens where user_pk in ${numbers(db)}`;
    for (const row of await query(db, sql, [JSON.stringify(pks)])) {
      const known = seeds.get(row.int('user_pk')) ?? new Set();
      const key = seal.open('tokens.secret', row.text('id'), row.text('secret'));
      known.add(row.text('type')).add(seedText(row.text('type'), key));
      seeds.set(row.int('user_pk'), known);
    }
  }
  return { names, serials, seeds };
}

const seedText = (type: string, key: Buffer | null): string => (key === null ? type : `${type} ${key.toString('hex')}`);

/** The pk of the user who has this login already, or null. Names that others have are faults. */
function checkNames(user: ImportedUser, { names }: Present, faults: RowFault[]): number | null {
  if (user.login === null) return null;
  const holder = names.get(nameKey(user.login));
  if (holder !== undefined && !holder.isAlias) return holder.userPk;
  if (holder !== undefined)
    faults.push({ line: user.line, column: 'login', message: `${user.login} is an alias of ${holder.login}` });
  for (const alias of user.aliases) {
    const other = names.get(nameKey(alias));
    if (other !== undefined)
      faults.push({ line: user.line, column: 'aliases', message: `${alias} is taken by ${other.login}` });
    if (nameKey(alias) === nameKey(user.login))
      faults.push({ line: user.line, column: 'aliases', message: `${alias} is the login itself` });
  }
  return null;
}

/** Whether the token is there: by its serial, else by user and seed; one without a seed by its type. */
function isThere(
  token: ImportedToken,
  { login }: ImportedUser,
  userPk: number | null,
  { serials, seeds }: Present,
  faults: RowFault[],
): boolean {
  const holder = token.serial === null ? undefined : serials.get(token.serial);
  if (holder !== undefined) {
    const same = login === null || (userPk !== null && holder === userPk);
    if (!same) {
      const where = holder === null ? 'in stock' : "somebody else's";
      faults.push({ line: token.line, column: 'tokenSerial', message: `${token.serial} is there already, ${where}` });
    }
    return same;
  }
  return userPk !== null && token.serial === null && seeds.get(userPk)?.has(seedText(token.type, token.key)) === true;
}

function countsOf(tasks: readonly Task[]): ImportCounts {
  const users = tasks.filter(({ user, userPk }) => user.login !== null && userPk === null).length;
  const tokens = tasks.reduce((sum, task) => sum + task.tokens.length, 0);
  const asked = tasks.reduce((sum, { user }) => sum + (user.login === null ? 0 : 1) + user.tokens.length, 0);
  return { users, tokens, there: asked - users - tokens };
}

async function writeTasks(
  work: Work,
  tasks: readonly Task[],
  hashes: ReadonlyMap<string, string>,
  resources: ReadonlyMap<string, number>,
  seal: Seal,
): Promise<void> {
  const { tx, now } = work;
  const made = tasks.flatMap(({ user, userPk }) =>
    user.login === null || userPk !== null ? [] : [{ user, login: user.login, id: uuid7(now) }],
  );
  const pks = await insertRecords(
    tx,
    USER_TABLE,
    made.map(({ user, login, id }) => ({
      id,
      login,
      display_name: user.displayName,
      email: user.email,
      phone: user.phone,
      password_hash: hashes.get(nameKey(login)) ?? null,
      active: true,
      revision: 1,
      created_at: now,
      updated_at: now,
    })),
  );
  const names: Record<string, Value>[] = [];
  const links: Pair[] = [];
  const pkOf = new Map<ImportedUser, number>();
  for (const { user, login, id } of made) {
    const pk = pks.get(id) ?? 0;
    pkOf.set(user, pk);
    names.push({ key: nameKey(login), user_pk: pk, name: login, is_alias: false });
    for (const alias of user.aliases) names.push({ key: nameKey(alias), user_pk: pk, name: alias, is_alias: true });
    for (const resource of user.resources) links.push([pk, resources.get(nameKey(resource)) ?? 0]);
    work.touchUser(pk, 'raised');
  }
  await insertRows(tx, NAME_TABLE, names);
  await insertPairs(tx, USER_RESOURCES, links);
  await writeTokens(work, tasks, pkOf, seal);
}

async function writeTokens(
  work: Work,
  tasks: readonly Task[],
  pkOf: ReadonlyMap<ImportedUser, number>,
  seal: Seal,
): Promise<void> {
  const floors = new Map<string, number>();
  const rows = tasks.flatMap(({ user, userPk, tokens }) => {
    const owner = userPk ?? pkOf.get(user) ?? null;
    if (userPk !== null && tokens.length > 0) work.touchUser(userPk, 'raise');
    return tokens.map((token): Record<string, Value> => {
      const id = uuid7(work.now);
      floors.set(id, token.counter);
      return {
        id,
        user_pk: owner,
        serial: token.serial,
        name: null,
        type: token.type,
        secret: seal.seal('tokens.secret', id, Secret.of(token.key ?? randomBytes(SECRET_OCTETS_MADE))),
        algorithm: token.algorithm,
        digits: token.digits,
        period: token.period,
        active: true,
        hardware: isHardware(token.key !== null, token.serial, owner !== null),
        revision: 1,
        created_at: work.now,
        updated_at: work.now,
      };
    });
  });
  const pks = await insertRecords(work.tx, TOKEN_TABLE, rows);
  await insertRows(
    work.tx,
    TOKEN_STATE_TABLE,
    [...pks].map(([id, pk]) => ({ token_pk: pk, floor: floors.get(id) ?? 0 })),
  );
}
