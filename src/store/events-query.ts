/**
 * Reads the event log, newest first. Ids are UUIDv7, so the index on them is also one on time. A user's events come from the
 * index that the fold keeps (SQLite; what is not folded yet is scanned) or from the database's own (PostgreSQL).
 */
import type { Knex } from 'knex';
import { type EventRecord, OUTCOMES } from '../records/event.js';
import { done, failed, type Result } from '../records/problem.js';
import { isId, nameKey } from '../records/values.js';
import type { EventQuery, Page } from './record-store.js';
import { limitOf, page, readCursor } from './records/paging.js';
import { containing, isSqlite, query, type Row, type Value } from './records/sql.js';
import { userKey } from './user-key.js';

/** Columns that `query` looks through. */
const SEARCHED = ['login', 'resource', 'client', 'source', 'reason', 'actor'] as const;
/** The last instant that 48 bits hold. */
const TIME_END = 2 ** 48 - 1;
/** Whole milliseconds, as the first 13 characters of an id. */
const idPrefix = (ms: number): string => {
  const hex = Math.min(TIME_END, Math.max(0, Math.trunc(ms)))
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
};

/** Positions in one bucket of the index of users' events (the foundation's migration). */
const BUCKET = 1_000_000;

class Conditions {
  /** What stands before `select` and behind `from`. */
  from = 'events e';
  readonly first: Value[] = [];
  readonly where: string[] = [];
  readonly bindings: Value[] = [];

  add(condition: string, ...values: Value[]): void {
    this.where.push(condition);
    this.bindings.push(...values);
  }
}

/** A part of the log that `asked` describes. */
export async function listEvents(db: Knex, asked: EventQuery): Promise<Result<Page<EventRecord>>> {
  const cursor = readCursor(asked.cursor);
  if (cursor === undefined) return failed({ kind: 'badCursor' });
  const conditions = new Conditions();
  if (cursor !== null) conditions.add('e.id < ?', String(cursor[0]));
  if (asked.from !== undefined) conditions.add('e.id >= ?', idPrefix(asked.from));
  if (asked.to !== undefined) conditions.add('e.id < ?', idPrefix(asked.to));
  for (const field of ['client', 'outcome', 'reason', 'kind'] as const) {
    const value = asked[field];
    if (value !== undefined) conditions.add(`e.${field} = ?`, value);
  }
  if (asked.resource !== undefined) conditions.add('e.resource = ?', await resourceName(db, asked.resource));
  if (asked.query !== undefined && asked.query !== '') {
    const like = isSqlite(db) ? 'like' : 'ilike';
    const pattern = containing(asked.query);
    conditions.add(
      `(${SEARCHED.map((column) => `e.${column} ${like} ? escape '\\'`).join(' or ')})`,
      ...SEARCHED.map(() => pattern),
    );
  }
  if (asked.user !== undefined) await addUser(db, conditions, asked.user);
  const limit = limitOf(asked);
  const condition = conditions.where.length === 0 ? '' : ` where ${conditions.where.join(' and ')}`;
  const rows = await query(db, `select e.* from ${conditions.from}${condition} order by e.id desc limit ?`, [
    ...conditions.first,
    ...conditions.bindings,
    limit + 1,
  ]);
  return done(page(rows.map(shownEvent), limit, (event) => [event.id]));
}

/** One event by id. */
export async function getEvent(db: Knex, id: string): Promise<Result<EventRecord>> {
  const [row] = await query(db, 'select * from events where id = ?', [id]);
  return row === undefined ? failed({ kind: 'notFound' }) : done(shownEvent(row));
}

async function resourceName(db: Knex, reference: string): Promise<string> {
  const [row] = await query(db, `select name from resources where ${isId(reference) ? 'id' : 'name_key'} = ?`, [
    nameKey(reference),
  ]);
  return row?.text('name') ?? reference;
}

async function addUser(db: Knex, conditions: Conditions, reference: string): Promise<void> {
  const id = isId(reference) ? reference.toLowerCase() : await userId(db, reference);
  if (id === null) {
    // A name that nobody has: what was tried under it, and whoever had it once.
    conditions.add('lower(e.login) = ?', nameKey(reference));
    return;
  }
  const key = userKey(id);
  conditions.add('e.user_id = ?', id);
  if (!isSqlite(db)) {
    // As a set of its own, or the planner may walk the whole log backwards in the hope of meeting this user soon.
    conditions.from = '(select * from events where user_key = ? offset 0) e';
    conditions.first.push(key);
    return;
  }
  const [last] = await query(db, 'select max(pos) as pos from events');
  const buckets = Array.from({ length: Math.floor((last?.intOrNull('pos') ?? 0) / BUCKET) + 1 }, (_, i) => i);
  conditions.from = `(
      select i.pos from json_each(?) b cross join event_index i on i.bucket = b.value and i.user_key = ?
      union
      select pos from events where pos > coalesce((select cast(value as integer) from meta where key = 'foldMark'), 0) and user_key = ?
    ) p cross join events e on e.pos = p.pos`;
  conditions.first.push(JSON.stringify(buckets), key, key);
}

async function userId(db: Knex, name: string): Promise<string | null> {
  const [row] = await query(db, 'select u.id from names n join users u on u.pk = n.user_pk where n.key = ?', [
    nameKey(name),
  ]);
  return row?.text('id') ?? null;
}

function shownEvent(row: Row): EventRecord {
  const outcome = row.textOrNull('outcome');
  const detail = row.textOrNull('detail');
  return {
    id: row.text('id'),
    time: new Date(row.int('time')).toISOString(),
    kind: row.text('kind'),
    outcome: OUTCOMES.find((each) => each === outcome) ?? null,
    reason: row.textOrNull('reason'),
    login: row.textOrNull('login'),
    userId: row.textOrNull('user_id'),
    resource: row.textOrNull('resource'),
    client: row.textOrNull('client'),
    source: row.textOrNull('source'),
    method: row.textOrNull('method'),
    door: row.textOrNull('door'),
    durationMicros: row.intOrNull('duration'),
    trace: row.textOrNull('trace'),
    detail: detail === null ? null : row.json<Record<string, unknown>>('detail'),
    actor: row.textOrNull('actor'),
  };
}
