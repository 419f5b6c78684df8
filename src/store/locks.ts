/** Which locks of a user are on, for those who ask why somebody is kept out. Decisions read theirs with the user's facts. */
import type { Knex } from 'knex';
import { type Instant, instant } from '../base/units.js';
import type { LockoutColumn } from './event-row.js';
import { isSqlite, query } from './records/sql.js';
import { userKey } from './user-key.js';

/** One lock. */
export interface Lock {
  /** What was wrong too often. */
  readonly after: 'codes' | 'passwords';
  /** The network that it holds for; null: all. */
  readonly source: string | null;
  readonly until: Instant;
}

/** The locks of the user with id `userId` that are on at `now`. On SQLite, the log behind the fold's mark is newer than the table. */
export async function locksOf(db: Knex, userId: string, now: Instant): Promise<Lock[]> {
  const [user] = await query(db, 'select pk from users where id = ?', [userId]);
  if (user === undefined) return [];
  const pk = user.int('pk');
  const until = new Map<string, number>();
  for (const row of await query(db, 'select source, locked_until from lockouts where user_pk = ?', [pk]))
    until.set(row.text('source'), row.int('locked_until'));
  if (isSqlite(db)) {
    const tail = `select lockouts from events where user_key = ? and lockouts is not null
      and pos > coalesce((select cast(value as integer) from meta where key = 'foldMark'), 0) order by pos`;
    for (const row of await query(db, tail, [userKey(userId)])) {
      const [userPk, ...states] = row.json<LockoutColumn>('lockouts');
      if (userPk !== pk) continue;
      if (states.length === 0) until.clear();
      for (const [source, , , lockedUntil] of states) until.set(source, lockedUntil);
    }
  }
  return [...until].flatMap(([key, end]) => (end > now ? [lockOf(key, end)] : []));
}

/** The keys of counters: access/lockout.ts. */
function lockOf(key: string, until: number): Lock {
  const colon = key.indexOf(':');
  const source = key.slice(colon + 1);
  return {
    after: key.startsWith('pw:') ? 'passwords' : 'codes',
    source: source === '*' ? null : source.replace(/\/32$/, ''),
    until: instant(until),
  };
}
