/**
 * Reads users as decisions see them: one statement for many names, which returns one JSON text, so that the database's own
 * thread puts it together and this one parses it in one go (a driver's row objects cost several times as much).
 */
import type { Knex } from 'knex';
import type { FeedPosition, HashAlgorithm, LockoutState, TokenFacts, TokenState, UserFacts } from '../access/ports.js';
import { instant, seconds } from '../base/units.js';
import { type Database, inTime } from './database.js';
import { POSITION_SQL } from './feed-position.js';
import type { Seal } from './seal.js';
import { rowsOf } from './sqlite-statement.js';
import type { StateOverlay } from './state-overlay.js';

type TokenTuple = readonly [
  pk: number,
  id: string,
  type: 'totp' | 'hotp',
  box: string,
  algorithm: HashAlgorithm,
  digits: 6 | 7 | 8,
  period: number,
  active: number | boolean,
  resources: readonly number[],
];
/** What `user_facts.facts` holds. */
type FactsTuple = readonly [
  pk: number,
  id: string,
  login: string,
  active: number | boolean,
  revision: number,
  passwordHash: string | null,
  resources: readonly number[],
  groups: readonly number[],
  tokens: readonly TokenTuple[],
];
type StateTuple = readonly [tokenPk: number, floor: number, lastDatagram: string | null, lastGrace: string | null];
type LockoutTuple = readonly [
  source: string,
  failures: number,
  windowStart: number,
  lockedUntil: number,
  recent: readonly string[],
];
type UserTuple = readonly [
  key: string,
  facts: FactsTuple,
  states: readonly StateTuple[],
  lockouts: readonly LockoutTuple[],
];

/** Puts a user's row of `user_facts` together; `where` may narrow it. Decisions know TOTP and HOTP. */
const REFRESH = {
  sqlite: `
    insert or replace into user_facts (user_pk, facts, token_pks)
    select u.pk, json_array(u.pk, u.id, u.login, u.active, u.revision, u.password_hash,
      (select json_group_array(resource_pk) from user_resources where user_pk = u.pk),
      (select json_group_array(group_pk) from user_groups where user_pk = u.pk),
      (select json_group_array(json_array(t.pk, t.id, t.type, t.secret, t.algorithm, t.digits, t.period, t.active,
        (select json_group_array(resource_pk) from token_resources where token_pk = t.pk)))
        from tokens t where t.user_pk = u.pk and t.type in ('totp', 'hotp'))),
      (select json_group_array(t.pk) from tokens t where t.user_pk = u.pk and t.type in ('totp', 'hotp'))
    from users u`,
  postgres: `
    insert into user_facts (user_pk, facts, token_pks)
    select u.pk, json_build_array(u.pk, u.id, u.login, u.active, u.revision, u.password_hash,
      (select coalesce(json_agg(resource_pk), '[]') from user_resources where user_pk = u.pk),
      (select coalesce(json_agg(group_pk), '[]') from user_groups where user_pk = u.pk),
      (select coalesce(json_agg(json_build_array(t.pk, t.id, t.type, t.secret, t.algorithm, t.digits, t.period, t.active,
        (select coalesce(json_agg(resource_pk), '[]') from token_resources where token_pk = t.pk)) order by t.pk), '[]')
        from tokens t where t.user_pk = u.pk and t.type in ('totp', 'hotp')))::text,
      (select coalesce(json_agg(t.pk), '[]') from tokens t where t.user_pk = u.pk and t.type in ('totp', 'hotp'))::text
    from users u`,
} as const;
const REFRESH_SOME = {
  sqlite: ' where u.pk in (select value from json_each(?))',
  postgres: ' where u.pk in (select value::bigint from json_array_elements_text(?::json))',
} as const;
const REFRESH_CONFLICT = {
  sqlite: '',
  postgres: ' on conflict (user_pk) do update set facts = excluded.facts, token_pks = excluded.token_pks',
} as const;

/**
 * Brings `user_facts` in line with the records of these users (pks; null: of all), in the transaction that changed them. A user
 * who is gone took the row along.
 */
export async function refreshUserFacts(tx: Knex, pks: readonly number[] | null): Promise<void> {
  const engine = tx.client.config.client === 'sqlite3' ? 'sqlite' : 'postgres';
  if (pks === null) await tx.raw(REFRESH[engine] + REFRESH_CONFLICT[engine]);
  else await tx.raw(REFRESH[engine] + REFRESH_SOME[engine] + REFRESH_CONFLICT[engine], [JSON.stringify(pks)]);
}

const READ = {
  sqlite: `
    select '[' || coalesce(group_concat('[' || json_quote(k.value) || ',' || f.facts || ',' ||
      (select json_group_array(json_array(s.token_pk, s.floor, s.last_datagram, s.last_grace)) from json_each(f.token_pks) p cross join token_state s on s.token_pk = p.value) || ',' ||
      (select json_group_array(json_array(source, failures, window_start, locked_until, json(recent))) from lockouts where user_pk = f.user_pk) || ']'), '') || ']' as facts,
      ${POSITION_SQL.sqlite} as position
    from json_each(?) k cross join names n on n.key = k.value cross join user_facts f on f.user_pk = n.user_pk`,
  postgres: `
    select '[' || coalesce(string_agg('[' || to_json(k.value)::text || ',' || f.facts || ',' ||
      (select coalesce(json_agg(json_build_array(s.token_pk, s.floor, s.last_datagram, s.last_grace)), '[]')::text from json_array_elements_text(f.token_pks::json) p join token_state s on s.token_pk = p.value::bigint) || ',' ||
      (select coalesce(json_agg(json_build_array(source, failures, window_start, locked_until, recent::json)), '[]')::text from lockouts where user_pk = f.user_pk) || ']', ','), '') || ']' as facts,
      ${POSITION_SQL.postgres}::text as position
    from json_array_elements_text(?::json) k join names n on n.key = k.value join user_facts f on f.user_pk = n.user_pk`,
} as const;

interface ReadRow {
  readonly facts: string;
  readonly position: number | string;
}

/** What the database said of some users: JSON, and the feed's position in the snapshot that it comes from. */
export interface UserRead {
  readonly facts: string;
  readonly position: FeedPosition;
}

/** Reads `keys` (logins or aliases in lower case). Rejects where the database cannot be read. */
export async function readUsers(db: Knex, engine: Database['engine'], keys: readonly string[]): Promise<UserRead> {
  const bindings = [JSON.stringify(keys)];
  const rows =
    engine === 'sqlite'
      ? await rowsOf<ReadRow>(db, READ.sqlite, bindings)
      : (await inTime(engine, db.raw<{ rows: ReadRow[] }>(READ.postgres, bindings))).rows;
  const row = rows[0] ?? { facts: '[]', position: 0 };
  return { facts: row.facts, position: Number(row.position) };
}

/** The users of a read by name key, unsealed. `overlay` must have heard of every unlock up to the read's position. */
export function usersOf(
  { facts: json }: UserRead,
  seal: Seal,
  overlay: StateOverlay | null,
  onBrokenBox: (tokenId: string) => void,
): ReadonlyMap<string, UserFacts> {
  const tuples: UserTuple[] = JSON.parse(json);
  const users = new Map<string, UserFacts>();
  const byPk = new Map<number, UserFacts>();
  for (const tuple of tuples) {
    const pk = tuple[1][0];
    const facts = byPk.get(pk) ?? userFacts(tuple, seal, overlay, onBrokenBox);
    byPk.set(pk, facts);
    users.set(tuple[0], facts);
  }
  return users;
}

function userFacts(
  [, facts, states, lockouts]: UserTuple,
  seal: Seal,
  overlay: StateOverlay | null,
  onBrokenBox: (tokenId: string) => void,
): UserFacts {
  const [pk, id, login, active, revision, passwordHash, resources, groups, tuples] = facts;
  const tokens: TokenFacts[] = [];
  for (const tuple of tuples) {
    const token = tokenFacts(tuple, states, seal, overlay);
    if (token === null) onBrokenBox(tuple[1]);
    else tokens.push(token);
  }
  return {
    pk,
    id,
    login,
    active: active === 1 || active === true,
    revision,
    passwordHash,
    resources,
    groups,
    tokens,
    lockouts: overlay?.lockouts.get(pk) ?? lockoutStates(lockouts),
  };
}

/** A token, or null where its box does not open or it has no state: a seed that cannot be read opens no door. */
function tokenFacts(
  [pk, id, type, box, algorithm, digits, period, active, resources]: TokenTuple,
  states: readonly StateTuple[],
  seal: Seal,
  overlay: StateOverlay | null,
): TokenFacts | null {
  const stored = states.find(([tokenPk]) => tokenPk === pk);
  const key = seal.open('tokens.secret', id, box);
  if (key === null || stored === undefined) return null;
  return {
    pk,
    id,
    type,
    key,
    algorithm,
    digits,
    period: seconds(period),
    active: active === 1 || active === true,
    resources,
    state: tokenState(overlay?.tokens.get(pk), stored),
  };
}

/** The overlay's object, which the ledger goes on writing. The table is ahead of it where a resynchronisation moved the floor. */
function tokenState(overlaid: TokenState | undefined, [, floor, lastDatagram, lastGrace]: StateTuple): TokenState {
  if (overlaid === undefined) return { floor, lastDatagram, lastGrace };
  if (floor > overlaid.floor) {
    overlaid.floor = floor;
    overlaid.lastDatagram = lastDatagram;
    overlaid.lastGrace = lastGrace;
  }
  return overlaid;
}

const NO_LOCKOUTS: ReadonlyMap<string, LockoutState> = new Map();

function lockoutStates(tuples: readonly LockoutTuple[]): ReadonlyMap<string, LockoutState> {
  if (tuples.length === 0) return NO_LOCKOUTS;
  return new Map(
    tuples.map(([source, failures, windowStart, lockedUntil, recent]) => [
      source,
      { failures, windowStart: instant(windowStart), lockedUntil: instant(lockedUntil), recent },
    ]),
  );
}
