/**
 * Tokens in the store. Seeds are sealed, each box owned by its token's id. Whatever happens to a token raises its user's
 * revision, the old one's and the new one's.
 */

import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import { Secret } from '../../base/secret.js';
import { seconds } from '../../base/units.js';
import { uuid7 } from '../../base/uuid7.js';
import { decodeBase32, encodeBase32, SECRET_OCTETS_MADE } from '../../otp/base32.js';
import { otpauthUri } from '../../otp/otpauth.js';
import { TOKEN_DEFAULTS, type TokenCreate, type TokenPatch, type TokenRecord } from '../../records/token.js';
import type { Seal } from '../seal.js';
import { isoTime, shownHead } from './named.js';
import { byName, findTargets, type Target, targetList } from './references.js';
import {
  deletePairs,
  deleteWhere,
  insertPairs,
  insertRecords,
  insertRows,
  isSqlite,
  numbers,
  type Pair,
  query,
  type Row,
  run,
  TOKEN_RESOURCES,
  texts,
  updateRecords,
  type Value,
} from './sql.js';
import { difference, type Work } from './work.js';

export interface TokenState {
  readonly pk: number;
  readonly id: string;
  readonly revision: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Null: in stock. */
  readonly user: Target | null;
  readonly serial: string | null;
  readonly name: string | null;
  readonly type: 'totp' | 'hotp';
  readonly secretBox: string;
  readonly algorithm: 'SHA1' | 'SHA256' | 'SHA512';
  readonly digits: number;
  readonly period: number;
  readonly active: boolean;
  readonly hardware: boolean;
  readonly resources: readonly Target[];
  readonly usedAt: number | null;
}

/** What tokens need beside the database. */
export interface TokenSetting {
  readonly seal: Seal;
  /** Who an authenticator app says the code is for. */
  readonly issuer: string;
}

export const TOKEN_TABLE = {
  name: 'tokens',
  columns: {
    id: 'text',
    user_pk: 'int',
    serial: 'text',
    name: 'text',
    type: 'text',
    secret: 'text',
    algorithm: 'text',
    digits: 'int',
    period: 'int',
    active: 'bool',
    hardware: 'bool',
    revision: 'int',
    created_at: 'int',
    updated_at: 'int',
  },
} as const;
export const TOKEN_STATE_TABLE = { name: 'token_state', columns: { token_pk: 'int', floor: 'int' } } as const;

const LINKED = {
  sqlite: `(select json_group_array(json_object('pk', r.pk, 'id', r.id, 'name', r.name)) from token_resources l join resources r on r.pk = l.resource_pk where l.token_pk = t.pk)`,
  postgres: `(select coalesce(json_agg(json_build_object('pk', r.pk, 'id', r.id, 'name', r.name)), '[]')::text from token_resources l join resources r on r.pk = l.resource_pk where l.token_pk = t.pk)`,
} as const;

/** Reads tokens; `rest` follows the from clause: `where t.…`, `order by`, `limit`. */
export async function loadTokens(db: Knex, rest: string, bindings: readonly Value[]): Promise<TokenState[]> {
  const linked = LINKED[isSqlite(db) ? 'sqlite' : 'postgres'];
  const rows = await query(
    db,
    `select t.*, u.id as user_id, u.login as user_login, s.used_at, ${linked} as resources
     from tokens t left join users u on u.pk = t.user_pk left join token_state s on s.token_pk = t.pk ${rest}`,
    bindings,
  );
  return rows.map(readToken);
}

/** Those with one of these ids, pks of users, or serials. */
export const loadTokensBy = {
  ids: (db: Knex, ids: readonly string[]) => loadTokens(db, `where t.id in ${texts(db)}`, [JSON.stringify(ids)]),
  users: (db: Knex, pks: readonly number[]) =>
    loadTokens(db, `where t.user_pk in ${numbers(db)} order by t.pk`, [JSON.stringify(pks)]),
  serials: (db: Knex, serials: readonly string[]) =>
    loadTokens(db, `where t.serial in ${texts(db)}`, [JSON.stringify(serials)]),
};

function readToken(row: Row): TokenState {
  const userPk = row.intOrNull('user_pk');
  return {
    pk: row.int('pk'),
    id: row.text('id'),
    revision: row.int('revision'),
    createdAt: row.int('created_at'),
    updatedAt: row.int('updated_at'),
    user: userPk === null ? null : { pk: userPk, id: row.text('user_id'), name: row.text('user_login') },
    serial: row.textOrNull('serial'),
    name: row.textOrNull('name'),
    type: row.text('type') === 'hotp' ? 'hotp' : 'totp',
    secretBox: row.text('secret'),
    algorithm: algorithmOf(row.text('algorithm')),
    digits: row.int('digits'),
    period: row.int('period'),
    active: row.flag('active'),
    hardware: row.flag('hardware'),
    resources: byName(row.json<Target[]>('resources')),
    usedAt: row.intOrNull('used_at'),
  };
}

function algorithmOf(text: string): TokenState['algorithm'] {
  if (text === 'SHA1' || text === 'SHA256' || text === 'SHA512') return text;
  throw new Error(`tokens.algorithm holds ${text}`);
}

/** A token as the API shows it. */
export const shownToken = (state: TokenState): TokenRecord => ({
  ...shownHead(state),
  type: state.type,
  serial: state.serial,
  name: state.name,
  algorithm: state.algorithm,
  digits: state.digits,
  period: state.period,
  active: state.active,
  hardware: state.hardware,
  user: state.user?.name ?? null,
  userId: state.user?.id ?? null,
  resources: state.resources.map(({ name }) => name),
  usedAt: state.usedAt === null ? null : isoTime(state.usedAt),
});

/** How messages and the log call a token. */
export const tokenName = ({ serial, name, type, id }: Pick<TokenState, 'serial' | 'name' | 'type' | 'id'>): string =>
  serial ?? name ?? `${type} ${id}`;

const fieldsOf = (state: TokenState): Record<string, unknown> => ({
  type: state.type,
  serial: state.serial,
  name: state.name,
  algorithm: state.algorithm,
  digits: state.digits,
  period: state.period,
  active: state.active,
  user: state.user?.name ?? null,
  resources: state.resources.map(({ name }) => name),
});

/** A change of a token. Without `before`, `patch` is one that `TokenCreate` allows and makes it. `user`: undefined leaves it where it is. */
export type TokenEdit =
  | {
      readonly before: TokenState;
      readonly patch: TokenPatch;
      readonly user: Target | null | undefined;
      readonly at: string;
    }
  | { readonly before: null; readonly patch: TokenCreate; readonly user: Target | null; readonly at: string };

interface Planned {
  readonly before: TokenState | null;
  readonly after: TokenState;
  readonly at: string;
  /** The first counter of a new token. */
  readonly floor: number;
}

/** Destroys `removals` (in stock they would be known by their serial still), then changes and makes tokens. */
export async function changeTokens(
  work: Work,
  edits: readonly TokenEdit[],
  removals: readonly TokenState[],
  setting: TokenSetting,
): Promise<void> {
  const targets = await findTargets(
    work.tx,
    'resource',
    edits.flatMap(({ patch }) => patch.resources ?? []),
  );
  const planned = edits.map((edit) => plan(work, edit, targets, setting));
  await checkSerials(work, planned, removals);
  if (work.problem !== null) return;
  await destroyTokens(work, removals);
  const made = planned.filter(({ before }) => before === null);
  const diffs = planned.map(({ before, after }) =>
    difference(before === null ? null : fieldsOf(before), fieldsOf(after)),
  );
  const changed = planned.filter(({ before }, i) => before !== null && Object.keys(diffs[i] ?? {}).length > 0);

  await freeSerials(work, changed);
  await updateRecords(
    work.tx,
    TOKEN_TABLE,
    changed.map(({ after }) => ({
      ...tokenRow(after),
      revision: after.revision + 1,
      updated_at: work.now,
      pk: after.pk,
    })),
  );
  const pks = await insertRecords(
    work.tx,
    TOKEN_TABLE,
    made.map(({ after }) => tokenRow(after)),
  );
  const pkOf = (state: TokenState): number => (state.pk === 0 ? (pks.get(state.id) ?? 0) : state.pk);
  await insertRows(
    work.tx,
    TOKEN_STATE_TABLE,
    made.map(({ after, floor }) => ({ token_pk: pkOf(after), floor })),
  );
  const links = (states: readonly (TokenState | null)[]) =>
    states.flatMap((state) =>
      state === null ? [] : state.resources.map((resource): Pair => [pkOf(state), resource.pk]),
    );
  await deletePairs(work.tx, TOKEN_RESOURCES, links(changed.map(({ before }) => before)));
  await insertPairs(work.tx, TOKEN_RESOURCES, links([...made, ...changed].map(({ after }) => after)));

  planned.forEach(({ before, after }, i) => {
    const diff = diffs[i] ?? {};
    const action = before === null ? 'created' : Object.keys(diff).length > 0 ? 'updated' : 'unchanged';
    const userId = after.user?.id ?? before?.user?.id ?? null;
    work.settle({ record: 'token', name: tokenName(after), action, diff }, after.id, userId);
    if (action !== 'unchanged') touchToken(work, pkOf(after), [before?.user, after.user]);
  });
}

/** Deletes tokens for good. */
export async function destroyTokens(work: Work, tokens: readonly TokenState[]): Promise<void> {
  await deleteWhere(
    work.tx,
    'tokens',
    'pk',
    tokens.map(({ pk }) => pk),
  );
  for (const token of tokens) {
    touchToken(work, token.pk, [token.user]);
    work.settle(
      { record: 'token', name: tokenName(token), action: 'deleted', diff: {} },
      token.id,
      token.user?.id ?? null,
    );
  }
}

function touchToken(work: Work, pk: number, users: readonly (Target | null | undefined)[]): void {
  work.touch('token', pk);
  for (const user of users) if (user !== null && user !== undefined) work.touchUser(user.pk, 'raise');
}

function plan(work: Work, edit: TokenEdit, targets: ReadonlyMap<string, Target>, setting: TokenSetting): Planned {
  const { patch, at } = edit;
  const base = edit.before ?? made(work, edit.patch, edit.user, setting);
  const resources = patch.resources;
  const after: TokenState = {
    ...base,
    serial: patch.serial === undefined ? base.serial : patch.serial,
    name: patch.name === undefined ? base.name : patch.name,
    active: patch.active === undefined ? base.active : (patch.active ?? true),
    user: edit.user === undefined ? base.user : edit.user,
    resources:
      resources === undefined
        ? base.resources
        : targetList(work, targets, 'resource', resources ?? [], `${at}/resources`),
  };
  const floor = edit.before === null && edit.patch.type === 'hotp' ? (edit.patch.counter ?? TOKEN_DEFAULTS.counter) : 0;
  return { before: edit.before, after, at, floor };
}

function made(work: Work, input: TokenCreate, user: Target | null, { seal, issuer }: TokenSetting): TokenState {
  const id = uuid7(work.now);
  const brought = typeof input.secret === 'string' ? decodeBase32(input.secret) : null;
  const key = brought?.kind === 'octets' ? brought.octets : randomBytes(SECRET_OCTETS_MADE);
  const token: TokenState = {
    pk: 0,
    id,
    revision: 1,
    createdAt: work.now,
    updatedAt: work.now,
    user,
    serial: input.serial ?? null,
    name: input.name ?? null,
    type: input.type,
    secretBox: seal.seal('tokens.secret', id, Secret.of(key)),
    algorithm: input.algorithm ?? TOKEN_DEFAULTS.algorithm,
    digits: input.digits ?? TOKEN_DEFAULTS.digits,
    period: input.period ?? TOKEN_DEFAULTS.period,
    active: true,
    hardware: isHardware(brought !== null, input.serial ?? null, user !== null),
    resources: [],
    usedAt: null,
  };
  work.issued.push({
    tokenId: id,
    secret: encodeBase32(key),
    otpauthUri: otpauthUri({
      type: token.type,
      issuer,
      label: user?.name ?? tokenName(token),
      key,
      algorithm: token.algorithm,
      digits: input.digits ?? TOKEN_DEFAULTS.digits,
      period: seconds(token.period),
      counter: input.counter ?? TOKEN_DEFAULTS.counter,
    }),
  });
  return token;
}

/** Whether a token outlives its user: it arrived without one, or with a serial number and a seed that somebody else made. */
export const isHardware = (seedBrought: boolean, serial: string | null, hasUser: boolean): boolean =>
  !hasUser || (seedBrought && serial !== null);

const tokenRow = (state: TokenState): Record<string, Value> => ({
  id: state.id,
  user_pk: state.user?.pk ?? null,
  serial: state.serial,
  name: state.name,
  type: state.type,
  secret: state.secretBox,
  algorithm: state.algorithm,
  digits: state.digits,
  period: state.period,
  active: state.active,
  hardware: state.hardware,
  revision: state.revision,
  created_at: state.createdAt,
  updated_at: state.updatedAt,
});

async function checkSerials(work: Work, planned: readonly Planned[], removals: readonly TokenState[]): Promise<void> {
  const wanted = planned.filter(({ before, after }) => after.serial !== null && after.serial !== before?.serial);
  if (wanted.length === 0) return;
  const leaving = new Set(removals.map(({ pk }) => pk));
  for (const { before, after } of planned)
    if (before !== null && before.serial !== after.serial) leaving.add(before.pk);
  const holders = new Map<string | null, TokenState>();
  for (const holder of await loadTokensBy.serials(
    work.tx,
    wanted.map(({ after }) => after.serial ?? ''),
  ))
    if (!leaving.has(holder.pk)) holders.set(holder.serial, holder);
  for (const { after, at } of wanted) {
    const holder = holders.get(after.serial);
    if (holder !== undefined)
      work.conflict(
        `${at}/serial`,
        `${after.serial} is taken`,
        holder.user === null ? 'a token in stock' : `a token of user ${holder.user.name}`,
      );
    holders.set(after.serial, after);
  }
}

/** Tokens that swap serials would collide in the middle of the statement. */
async function freeSerials(work: Work, changed: readonly Planned[]): Promise<void> {
  const leaving = changed.filter(({ before, after }) => before?.serial !== after.serial);
  if (leaving.length < 2) return;
  await run(work.tx, `update tokens set serial = null where pk in ${numbers(work.tx)}`, [
    JSON.stringify(leaving.map(({ after }) => after.pk)),
  ]);
}
