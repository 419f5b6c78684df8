/**
 * Finding users. Names that begin with what is asked for come first, by an index, whatever the number of users; then whoever has it
 * anywhere in login, alias, display name or mail address, by a scan on a connection that no decision waits for.
 */
import type { Knex } from 'knex';
import { done, failed, type Result } from '../../records/problem.js';
import { nameKey } from '../../records/values.js';
import type { Page, UserQuery } from '../record-store.js';
import { limitOf, page, readCursor } from './paging.js';
import { containing, isSqlite, query, type Value } from './sql.js';

/** Where a user stands in the list: by name (phase 0) or among those who merely contain the text (phase 1). */
interface Place {
  readonly pk: number;
  readonly phase: 0 | 1;
  readonly key: string;
}

/** Above every character of a login. */
const AFTER = '\u{7f}';

/** The pks of a part of the list. */
export async function findUsers(db: Knex, asked: UserQuery): Promise<Result<Page<number>>> {
  const cursor = readCursor(asked.cursor);
  if (cursor === undefined) return failed({ kind: 'badCursor' });
  const phase = cursor?.[0] === 1 ? 1 : 0;
  const after = String(cursor?.[1] ?? '');
  const limit = limitOf(asked);
  const wanted = limit + 1;
  const text = nameKey(asked.query ?? '');
  const places = phase === 0 ? await byName(db, asked, text, after, wanted) : [];
  if (text !== '' && asked.login === undefined && places.length < wanted)
    places.push(...(await byPart(db, asked, text, phase === 1 ? Number(after) || 0 : 0, wanted - places.length)));
  const part = page(places, limit, (place) => [place.phase, place.phase === 0 ? place.key : place.pk]);
  return done({ items: part.items.map(({ pk }) => pk), nextCursor: part.nextCursor });
}

async function byName(db: Knex, asked: UserQuery, text: string, after: string, limit: number): Promise<Place[]> {
  const where: string[] = [];
  const bindings: Value[] = [];
  const add = (condition: string, ...values: Value[]) => {
    where.push(condition);
    bindings.push(...values);
  };
  if (asked.login !== undefined) {
    add('n.key = ?', nameKey(asked.login));
    if (text !== '')
      add(`exists (select 1 from names m where m.user_pk = n.user_pk and m.key like ? escape '\\')`, containing(text));
  } else if (text === '') add('n.is_alias = ?', false);
  else {
    add('n.key >= ? and n.key < ?', text, text + AFTER);
    // A user with several such names stands at the first of them.
    add('not exists (select 1 from names m where m.user_pk = n.user_pk and m.key >= ? and m.key < n.key)', text);
  }
  add('n.key > ?', after);
  if (asked.active !== undefined) add('u.active = ?', asked.active);
  const rows = await query(
    db,
    `select n.key, u.pk from names n join users u on u.pk = n.user_pk where ${where.join(' and ')} order by n.key limit ?`,
    [...bindings, limit],
  );
  return rows.map((row) => ({ pk: row.int('pk'), phase: 0, key: row.text('key') }));
}

async function byPart(db: Knex, asked: UserQuery, text: string, after: number, limit: number): Promise<Place[]> {
  const like = isSqlite(db) ? 'like' : 'ilike';
  const patterns = spellings(db, text).map(containing);
  const anyOf = (column: string) => patterns.map(() => `${column} ${like} ? escape '\\'`).join(' or ');
  const rows = await query(
    db,
    `select u.pk from users u
     where u.pk > ? ${asked.active === undefined ? '' : 'and u.active = ?'}
       and (${anyOf('u.login')} or ${anyOf('u.display_name')} or ${anyOf('u.email')}
         or u.pk in (select user_pk from names where is_alias and key like ? escape '\\'))
       and u.pk not in (select user_pk from names where key >= ? and key < ?)
     order by u.pk limit ?`,
    [
      after,
      ...(asked.active === undefined ? [] : [asked.active]),
      ...patterns,
      ...patterns,
      ...patterns,
      containing(text),
      text,
      text + AFTER,
      limit,
    ],
  );
  return rows.map((row) => ({ pk: row.int('pk'), phase: 1, key: '' }));
}

/** SQLite's LIKE folds ASCII only: other letters are looked for small, large, and with large initials. */
function spellings(db: Knex, text: string): string[] {
  if (!isSqlite(db) || /^[\0-\x7f]*$/.test(text)) return [text];
  const initials = text.replace(
    /(^|[\s-])(\p{L})/gu,
    (_, before: string, letter: string) => before + letter.toUpperCase(),
  );
  return [...new Set([text, text.toUpperCase(), initials])];
}
