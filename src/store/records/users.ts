/**
 * Users in the store: the record, its names (login and aliases share one space), its groups and direct resources. Whatever a
 * decision reads of a user raises the revision.
 */
import type { Knex } from 'knex';
import { uuid7 } from '../../base/uuid7.js';
import type { TokenRecord } from '../../records/token.js';
import type { UserCreate, UserPatch, UserRecord } from '../../records/user.js';
import { nameKey } from '../../records/values.js';
import { shownHead } from './named.js';
import { byName, findTargets, type Target, targetList } from './references.js';
import {
  deletePairs,
  deleteWhere,
  insertPairs,
  insertRecords,
  insertRows,
  type LinkTable,
  numbers,
  type Pair,
  query,
  type Row,
  run,
  texts,
  USER_GROUPS,
  USER_RESOURCES,
  updateRecords,
  type Value,
} from './sql.js';
import { destroyTokens, loadTokensBy, type TokenState, tokenName } from './tokens.js';
import { difference, type Work } from './work.js';

export interface UserState {
  readonly pk: number;
  readonly id: string;
  readonly revision: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly login: string;
  /** As they were written, sorted. */
  readonly aliases: readonly string[];
  readonly displayName: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly passwordHash: string | null;
  readonly active: boolean;
  readonly groups: readonly Target[];
  readonly resources: readonly Target[];
}

export const USER_TABLE = {
  name: 'users',
  columns: {
    id: 'text',
    login: 'text',
    display_name: 'text',
    email: 'text',
    phone: 'text',
    password_hash: 'text',
    active: 'bool',
    revision: 'int',
    created_at: 'int',
    updated_at: 'int',
  },
} as const;
export const NAME_TABLE = {
  name: 'names',
  columns: { key: 'text', user_pk: 'int', name: 'text', is_alias: 'bool' },
} as const;

/** Reads users with everything that a record shows but tokens, in the order of `pks`. */
export async function loadUsers(db: Knex, pks: readonly number[]): Promise<UserState[]> {
  if (pks.length === 0) return [];
  const set = numbers(db);
  const bound = [JSON.stringify(pks)];
  const rows = await query(db, `select * from users where pk in ${set}`, bound);
  const aliases = await query(
    db,
    `select user_pk, name from names where user_pk in ${set} and is_alias order by key`,
    bound,
  );
  const groups = await query(
    db,
    `select l.user_pk, r.pk, r.id, r.name from user_groups l join "groups" r on r.pk = l.group_pk where l.user_pk in ${set}`,
    bound,
  );
  const resources = await query(
    db,
    `select l.user_pk, r.pk, r.id, r.name from user_resources l join resources r on r.pk = l.resource_pk where l.user_pk in ${set}`,
    bound,
  );
  const aliasesOf = byUser(aliases);
  const groupsOf = byUser(groups);
  const resourcesOf = byUser(resources);
  const targets = (links: typeof groups | undefined) =>
    byName((links ?? []).map((row) => ({ pk: row.int('pk'), id: row.text('id'), name: row.text('name') })));
  const states = new Map(
    rows.map((row) => {
      const pk = row.int('pk');
      const state: UserState = {
        pk,
        id: row.text('id'),
        revision: row.int('revision'),
        createdAt: row.int('created_at'),
        updatedAt: row.int('updated_at'),
        login: row.text('login'),
        aliases: (aliasesOf.get(pk) ?? []).map((alias) => alias.text('name')),
        displayName: row.textOrNull('display_name'),
        email: row.textOrNull('email'),
        phone: row.textOrNull('phone'),
        passwordHash: row.textOrNull('password_hash'),
        active: row.flag('active'),
        groups: targets(groupsOf.get(pk)),
        resources: targets(resourcesOf.get(pk)),
      };
      return [pk, state];
    }),
  );
  return pks.flatMap((pk) => states.get(pk) ?? []);
}

function byUser(rows: readonly Row[]): Map<number, Row[]> {
  const groups = new Map<number, Row[]>();
  for (const row of rows) {
    const pk = row.int('user_pk');
    const group = groups.get(pk);
    if (group === undefined) groups.set(pk, [row]);
    else group.push(row);
  }
  return groups;
}

/** A user as the API shows it. */
export const shownUser = (state: UserState, tokens: readonly TokenRecord[]): UserRecord => ({
  ...shownHead(state),
  login: state.login,
  aliases: [...state.aliases],
  displayName: state.displayName,
  email: state.email,
  phone: state.phone,
  hasPassword: state.passwordHash !== null,
  active: state.active,
  groups: state.groups.map(({ name }) => name),
  resources: state.resources.map(({ name }) => name),
  tokens: [...tokens],
});

const fieldsOf = (state: UserState): Record<string, unknown> => ({
  login: state.login,
  aliases: state.aliases,
  displayName: state.displayName,
  email: state.email,
  phone: state.phone,
  password: state.passwordHash,
  active: state.active,
  groups: state.groups.map(({ name }) => name),
  resources: state.resources.map(({ name }) => name),
});

/** `passwordHash` stands for what the patch says of a password: undefined leaves it alone, null takes it away. `tokens` are not looked at here. */
export interface UserEdit {
  readonly before: UserState | null;
  readonly patch: UserCreate | UserPatch;
  readonly passwordHash: string | null | undefined;
  readonly at: string;
}

interface Planned {
  readonly before: UserState | null;
  readonly after: UserState;
  readonly at: string;
}

/** Changes users, or makes those that have no `before`. Returns each as it is now, in the order of the edits. */
export async function changeUsers(work: Work, edits: readonly UserEdit[]): Promise<UserState[]> {
  const groups = await findTargets(
    work.tx,
    'group',
    edits.flatMap(({ patch }) => patch.groups ?? []),
  );
  const resources = await findTargets(
    work.tx,
    'resource',
    edits.flatMap(({ patch }) => patch.resources ?? []),
  );
  const planned = edits.map((edit) => plan(work, edit, groups, resources));
  await checkNames(work, planned);
  if (work.problem !== null) return planned.map(({ after }) => after);

  const settled = planned.map((each) => {
    const diff = difference(each.before === null ? null : fieldsOf(each.before), fieldsOf(each.after), ['password']);
    const action = each.before === null ? 'created' : Object.keys(diff).length > 0 ? 'updated' : 'unchanged';
    const after =
      action === 'updated' ? { ...each.after, revision: each.after.revision + 1, updatedAt: work.now } : each.after;
    return { ...each, after, diff, action } as const;
  });
  const updated = settled.filter(({ action }) => action === 'updated');
  await updateRecords(
    work.tx,
    USER_TABLE,
    updated.map(({ after }) => ({ ...userRow(after), pk: after.pk })),
  );
  const created = settled.filter(({ action }) => action === 'created');
  const pks = await insertRecords(
    work.tx,
    USER_TABLE,
    created.map(({ after }) => userRow(after)),
  );
  const written = settled.map(({ after, ...rest }) => ({
    ...rest,
    after: after.pk === 0 ? { ...after, pk: pks.get(after.id) ?? 0 } : after,
  }));
  const changed = written.filter(({ action }) => action !== 'unchanged');
  await writeNames(work, changed);
  await writeLinks(work, USER_GROUPS, changed, ({ groups }) => groups);
  await writeLinks(work, USER_RESOURCES, changed, ({ resources }) => resources);
  for (const { after, action, diff } of written) {
    work.settle({ record: 'user', name: after.login, action, diff }, after.id, after.id);
    if (action !== 'unchanged') work.touchUser(after.pk, 'raised');
  }
  return written.map(({ after }) => after);
}

/**
 * Deletes users for good. Their names are free, their software tokens destroyed, their hardware tokens in stock; what they did
 * stays in the log.
 */
export async function removeUsers(work: Work, states: readonly UserState[]): Promise<void> {
  const pks = states.map(({ pk }) => pk);
  const tokens = pks.length === 0 ? [] : await loadTokensBy.users(work.tx, pks);
  await destroyTokens(
    work,
    tokens.filter(({ hardware }) => !hardware),
  );
  await returnToStock(
    work,
    tokens.filter(({ hardware }) => hardware),
  );
  await deleteWhere(work.tx, 'users', 'pk', pks);
  for (const { pk, id, login } of states) {
    work.touchUser(pk, 'raised');
    work.settle({ record: 'user', name: login, action: 'deleted', diff: {} }, id, id);
  }
}

async function returnToStock(work: Work, tokens: readonly TokenState[]): Promise<void> {
  if (tokens.length === 0) return;
  const pks = JSON.stringify(tokens.map(({ pk }) => pk));
  const set = numbers(work.tx);
  await run(work.tx, `delete from token_resources where token_pk in ${set}`, [pks]);
  await run(work.tx, `update tokens set user_pk = null, revision = revision + 1, updated_at = ? where pk in ${set}`, [
    work.now,
    pks,
  ]);
  for (const token of tokens) {
    work.touch('token', token.pk);
    const diff = { user: { from: token.user?.name ?? null, to: null } };
    work.settle({ record: 'token', name: tokenName(token), action: 'updated', diff }, token.id, token.user?.id ?? null);
  }
}

function plan(
  work: Work,
  { before, patch, passwordHash, at }: UserEdit,
  groups: ReadonlyMap<string, Target>,
  resources: ReadonlyMap<string, Target>,
): Planned {
  const base = before ?? {
    pk: 0,
    id: uuid7(work.now),
    revision: 1,
    createdAt: work.now,
    updatedAt: work.now,
    login: '',
    aliases: [],
    displayName: null,
    email: null,
    phone: null,
    passwordHash: null,
    active: true,
    groups: [],
    resources: [],
  };
  const or = <T>(value: T | undefined, old: T): T => (value === undefined ? old : value);
  return {
    before,
    after: {
      ...base,
      login: patch.login ?? base.login,
      aliases: patch.aliases === undefined ? base.aliases : sortedNames(patch.aliases ?? []),
      displayName: or(patch.displayName, base.displayName),
      email: or(patch.email, base.email),
      phone: or(patch.phone, base.phone),
      passwordHash: or(passwordHash, base.passwordHash),
      active: patch.active === undefined ? base.active : (patch.active ?? true),
      groups:
        patch.groups === undefined
          ? base.groups
          : targetList(work, groups, 'group', patch.groups ?? [], `${at}/groups`),
      resources:
        patch.resources === undefined
          ? base.resources
          : targetList(work, resources, 'resource', patch.resources ?? [], `${at}/resources`),
    },
    at,
  };
}

const userRow = (state: UserState): Record<string, Value> => ({
  id: state.id,
  login: state.login,
  display_name: state.displayName,
  email: state.email,
  phone: state.phone,
  password_hash: state.passwordHash,
  active: state.active,
  revision: state.revision,
  created_at: state.createdAt,
  updated_at: state.updatedAt,
});

const sortedNames = (names: readonly string[]): readonly string[] =>
  [...names].sort((a, b) => (nameKey(a) < nameKey(b) ? -1 : 1));

interface Name {
  readonly key: string;
  readonly name: string;
  readonly isAlias: boolean;
}

const namesOf = (state: UserState | null): readonly Name[] =>
  state === null
    ? []
    : [
        { key: nameKey(state.login), name: state.login, isAlias: false },
        ...state.aliases.map((name) => ({ key: nameKey(name), name, isAlias: true })),
      ];

/** Where in the body a name stands. */
const nameField = (name: Name, state: UserState): string =>
  name.isAlias ? `/aliases/${state.aliases.indexOf(name.name)}` : '/login';

async function checkNames(work: Work, planned: readonly Planned[]): Promise<void> {
  const edited = new Set(planned.flatMap(({ before }) => (before === null ? [] : [before.pk])));
  const wanted = planned.flatMap(({ before, after }) => {
    const kept = new Set(namesOf(before).map(({ key }) => key));
    return namesOf(after).flatMap(({ key }) => (kept.has(key) ? [] : [key]));
  });
  const holders = new Map<string, string>();
  if (wanted.length > 0) {
    const sql = `select n.key, n.user_pk, u.login from names n join users u on u.pk = n.user_pk where n.key in ${texts(work.tx)}`;
    for (const row of await query(work.tx, sql, [JSON.stringify(wanted)]))
      if (!edited.has(row.int('user_pk'))) holders.set(row.text('key'), row.text('login'));
  }
  for (const { after, at } of planned) {
    for (const name of namesOf(after)) {
      const holder = holders.get(name.key);
      if (holder !== undefined) work.conflict(at + nameField(name, after), `${name.name} is taken`, `user ${holder}`);
      holders.set(name.key, after.login);
    }
  }
}

async function writeNames(work: Work, changed: readonly Planned[]): Promise<void> {
  const text = ({ name, isAlias }: Name) => `${isAlias} ${name}`;
  const gone: string[] = [];
  const added: Record<string, Value>[] = [];
  for (const { before, after } of changed) {
    const old = new Map(namesOf(before).map((name) => [text(name), name]));
    for (const name of namesOf(after)) {
      if (!old.delete(text(name)))
        added.push({ key: name.key, user_pk: after.pk, name: name.name, is_alias: name.isAlias });
    }
    gone.push(...[...old.values()].map(({ key }) => key));
  }
  await deleteWhere(work.tx, 'names', 'key', gone);
  await insertRows(work.tx, NAME_TABLE, added);
}

async function writeLinks(
  work: Work,
  table: LinkTable,
  changed: readonly Planned[],
  links: (state: UserState) => readonly Target[],
): Promise<void> {
  const gone: Pair[] = [];
  const added: Pair[] = [];
  for (const { before, after } of changed) {
    const old = new Set(before === null ? [] : links(before).map(({ pk }) => pk));
    for (const { pk } of links(after)) if (!old.delete(pk)) added.push([after.pk, pk]);
    for (const pk of old) gone.push([after.pk, pk]);
  }
  await deletePairs(work.tx, table, gone);
  await insertPairs(work.tx, table, added);
}
