/**
 * Reads users as decisions see them: one statement for many names, which returns one JSON text, so that the database's own
 * thread puts it together and this one parses it in one go (a driver's row objects cost several times as much).
 */
import type { Knex } from 'knex';
import type { FeedPosition, HashAlgorithm, LockoutState, TokenFacts, UserFacts } from '../access/ports.js';
import { instant, seconds } from '../base/units.js';
import type { Database } from './database.js';
import { POSITION_SQL } from './feed.js';
import type { Seal } from './seal.js';
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
  floor: number,
  lastDatagram: string | null,
  resources: readonly number[],
];
type LockoutTuple = readonly [
  source: string,
  failures: number,
  windowStart: number,
  lockedUntil: number,
  recent: readonly string[],
];
type UserTuple = readonly [
  key: string,
  pk: number,
  id: string,
  login: string,
  active: number | boolean,
  revision: number,
  passwordHash: string | null,
  resources: readonly number[],
  groups: readonly number[],
  tokens: readonly TokenTuple[],
  lockouts: readonly LockoutTuple[],
];

const SQL = {
  sqlite: `
    select json_group_array(json_array(k.value, u.pk, u.id, u.login, u.active, u.revision, u.password_hash,
      json((select json_group_array(resource_pk) from user_resources where user_pk = u.pk)),
      json((select json_group_array(group_pk) from user_groups where user_pk = u.pk)),
      json((select json_group_array(json_array(t.pk, t.id, t.type, t.secret, t.algorithm, t.digits, t.period, t.active, s.floor, s.last_datagram,
        json((select json_group_array(resource_pk) from token_resources where token_pk = t.pk))))
        from tokens t join token_state s on s.token_pk = t.pk where t.user_pk = u.pk and t.type in ('totp', 'hotp'))),
      json((select json_group_array(json_array(source, failures, window_start, locked_until, json(recent))) from lockouts where user_pk = u.pk))
    )) as facts, ${POSITION_SQL.sqlite} as position
    from json_each(?) k cross join names n on n.key = k.value cross join users u on u.pk = n.user_pk`,
  postgres: `
    select coalesce(json_agg(json_build_array(k.value, u.pk, u.id, u.login, u.active, u.revision, u.password_hash,
      (select coalesce(json_agg(resource_pk), '[]') from user_resources where user_pk = u.pk),
      (select coalesce(json_agg(group_pk), '[]') from user_groups where user_pk = u.pk),
      (select coalesce(json_agg(json_build_array(t.pk, t.id, t.type, t.secret, t.algorithm, t.digits, t.period, t.active, s.floor, s.last_datagram,
        (select coalesce(json_agg(resource_pk), '[]') from token_resources where token_pk = t.pk)) order by t.pk), '[]')
        from tokens t join token_state s on s.token_pk = t.pk where t.user_pk = u.pk and t.type in ('totp', 'hotp')),
      (select coalesce(json_agg(json_build_array(source, failures, window_start, locked_until, recent::json)), '[]') from lockouts where user_pk = u.pk)
    )), '[]')::text as facts, ${POSITION_SQL.postgres}::text as position
    from json_array_elements_text(?::json) k join names n on n.key = k.value join users u on u.pk = n.user_pk`,
} as const;

/** Users by name key, and the feed's position in the snapshot that they were read from. */
export interface UserFill {
  readonly users: ReadonlyMap<string, UserFacts>;
  readonly position: FeedPosition;
}

/** Reads and unseals `keys` (logins or aliases in lower case). Rejects where the database cannot be read. */
export async function readUsers(
  db: Knex,
  engine: Database['engine'],
  keys: readonly string[],
  seal: Seal,
  overlay: StateOverlay | null,
  onBrokenBox: (tokenId: string) => void,
): Promise<UserFill> {
  const answer = await db.raw(SQL[engine], [JSON.stringify(keys)]);
  const row = engine === 'sqlite' ? answer[0] : answer.rows[0];
  const tuples: UserTuple[] = JSON.parse(row.facts);
  const users = new Map<string, UserFacts>();
  const byPk = new Map<number, UserFacts>();
  for (const tuple of tuples) {
    const facts = byPk.get(tuple[1]) ?? userFacts(tuple, seal, overlay, onBrokenBox);
    byPk.set(tuple[1], facts);
    users.set(tuple[0], facts);
  }
  return { users, position: Number(row.position) };
}

function userFacts(
  tuple: UserTuple,
  seal: Seal,
  overlay: StateOverlay | null,
  onBrokenBox: (tokenId: string) => void,
): UserFacts {
  const [, pk, id, login, active, revision, passwordHash, resources, groups, tokens, lockouts] = tuple;
  return {
    pk,
    id,
    login,
    active: active === 1 || active === true,
    revision,
    passwordHash,
    resources,
    groups,
    tokens: tokens.flatMap((token) => tokenFacts(token, seal, overlay, onBrokenBox)),
    lockouts: overlay?.lockouts.get(pk) ?? lockoutStates(lockouts),
  };
}

/** A token, or nothing where its box does not open: a seed that cannot be read opens no door. */
function tokenFacts(
  tuple: TokenTuple,
  seal: Seal,
  overlay: StateOverlay | null,
  onBrokenBox: (tokenId: string) => void,
): TokenFacts[] {
  const [pk, id, type, box, algorithm, digits, period, active, floor, lastDatagram, resources] = tuple;
  const key = seal.open('tokens.secret', id, box);
  if (key === null) {
    onBrokenBox(id);
    return [];
  }
  const state = overlay?.tokens.get(pk) ?? { floor, lastDatagram };
  return [
    {
      pk,
      id,
      type,
      key,
      algorithm,
      digits,
      period: seconds(period),
      active: active === 1 || active === true,
      resources,
      state,
    },
  ];
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
