/**
 * API keys in the store: 256 random bits, of which only a SHA-256 is kept, so that a stolen database opens nothing. A revoked
 * key stays in the list and frees its name.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { Instant } from '../../base/units.js';
import { uuid7 } from '../../base/uuid7.js';
import { API_KEY_ROLES, type ApiKeyCreate, type ApiKeyRecord } from '../../records/administrator.js';
import { done, failed, type Result } from '../../records/problem.js';
import { nameKey } from '../../records/values.js';
import type { ApiKeyHolder, NameQuery, Page } from '../record-store.js';
import { isoTime } from './named.js';
import { limitOf, page, readCursor } from './paging.js';
import { findTargets, targetList } from './references.js';
import { containing, insertRecords, query, type Row, run, texts, type Value } from './sql.js';
import type { Work } from './work.js';

/** Marks a key as one of ours, so that scanners for leaked secrets can find it. */
const PREFIX = 'sp_';
const KEY_OCTETS = 32;
/** Times of use are written at most so often. */
const USE_NOTED_MS = 60_000;

const TABLE = {
  name: 'api_keys',
  columns: {
    id: 'text',
    name: 'text',
    name_key: 'text',
    role: 'text',
    hash: 'text',
    resources: 'text',
    created_at: 'int',
  },
} as const;
const COLUMNS = 'pk, id, name, name_key, role, resources, created_at, last_used_at, revoked_at';

const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex');

function roleOf(row: Row): ApiKeyRecord['role'] {
  const role = API_KEY_ROLES.find((each) => each === row.text('role'));
  if (role === undefined) throw new Error(`api_keys.role holds ${row.text('role')}`);
  return role;
}

/** Makes a key; the answer alone ever holds it. */
export async function createApiKey(work: Work, input: ApiKeyCreate): Promise<ApiKeyRecord> {
  const references = input.resources ?? [];
  const targets = targetList(
    work,
    await findTargets(work.tx, 'resource', references),
    'resource',
    references,
    '/resources',
  );
  const [holder] = await query(work.tx, 'select name from api_keys where name_key = ?', [nameKey(input.name)]);
  if (holder !== undefined) work.conflict('/name', `${input.name} is taken`, `API key ${holder.text('name')}`);
  const key = PREFIX + randomBytes(KEY_OCTETS).toString('base64url');
  const id = uuid7(work.now);
  const resources = targets.map((resource) => resource.name);
  if (work.problem === null) {
    const row = {
      id,
      name: input.name,
      name_key: nameKey(input.name),
      role: input.role,
      hash: hashOf(key),
      resources: JSON.stringify(targets.map((resource) => resource.id)),
      created_at: work.now,
    };
    const pks = await insertRecords(work.tx, TABLE, [row]);
    work.touch('apiKey', pks.get(id) ?? 0);
    const diff = { role: { from: null, to: input.role }, resources: { from: null, to: resources } };
    work.settle({ record: 'apiKey', name: input.name, action: 'created', diff }, id, null);
  }
  return {
    id,
    name: input.name,
    role: input.role,
    resources,
    createdAt: isoTime(work.now),
    lastUsedAt: null,
    revokedAt: null,
    key,
  };
}

/** The key stops working with this transaction. One that was revoked before is left as it is. */
export async function revokeApiKey(work: Work, id: string): Promise<Result<null>> {
  const [row] = await query(work.tx, `select ${COLUMNS} from api_keys where id = ?`, [id]);
  if (row === undefined) return failed({ kind: 'notFound' });
  if (row.intOrNull('revoked_at') !== null) return done(null);
  // A name key that no name has: it holds a space before the id, and names that end so are refused.
  await run(work.tx, `update api_keys set revoked_at = ?, name_key = name_key || ' ' || id where id = ?`, [
    work.now,
    id,
  ]);
  work.touch('apiKey', row.int('pk'));
  work.settle({ record: 'apiKey', name: row.text('name'), action: 'deleted', diff: {} }, id, null);
  return done(null);
}

async function shown(db: Knex, rows: readonly Row[]): Promise<ApiKeyRecord[]> {
  const ids = rows.flatMap((row) => row.json<string[]>('resources'));
  const names = new Map<string, string>();
  if (ids.length > 0)
    for (const row of await query(db, `select id, name from resources where id in ${texts(db)}`, [JSON.stringify(ids)]))
      names.set(row.text('id'), row.text('name'));
  const time = (ms: number | null) => (ms === null ? null : isoTime(ms));
  return rows.map((row) => ({
    id: row.text('id'),
    name: row.text('name'),
    role: roleOf(row),
    // A resource that was deleted since is named by its id, which opens nothing.
    resources: row.json<string[]>('resources').map((id) => names.get(id) ?? id),
    createdAt: isoTime(row.int('created_at')),
    lastUsedAt: time(row.intOrNull('last_used_at')),
    revokedAt: time(row.intOrNull('revoked_at')),
  }));
}

/** A part of the list, by name; `active` leaves out the revoked (or the others). */
export async function listApiKeys(db: Knex, asked: NameQuery): Promise<Result<Page<ApiKeyRecord>>> {
  const cursor = readCursor(asked.cursor);
  if (cursor === undefined) return failed({ kind: 'badCursor' });
  const where = ['name_key > ?'];
  const bindings: Value[] = [cursor === null ? '' : String(cursor[0])];
  if (asked.query !== undefined) {
    where.push(`name_key like ? escape '\\'`);
    bindings.push(containing(nameKey(asked.query)));
  }
  if (asked.name !== undefined) {
    where.push('name_key = ?');
    bindings.push(nameKey(asked.name));
  }
  if (asked.active !== undefined) where.push(`revoked_at is ${asked.active ? '' : 'not '}null`);
  const limit = limitOf(asked);
  const rows = await query(
    db,
    `select ${COLUMNS} from api_keys where ${where.join(' and ')} order by name_key limit ?`,
    [...bindings, limit + 1],
  );
  const part = page(rows, limit, (row) => [row.text('name_key')]);
  return done({ items: await shown(db, part.items), nextCursor: part.nextCursor });
}

/** One key by id. */
export async function getApiKey(db: Knex, id: string): Promise<Result<ApiKeyRecord>> {
  const [record] = await shown(db, await query(db, `select ${COLUMNS} from api_keys where id = ?`, [id]));
  return record === undefined ? failed({ kind: 'notFound' }) : done(record);
}

/** Who holds `key`, or null where it is none of ours or revoked; notes the use. */
export async function apiKeyHolder(db: Knex, key: string, now: Instant): Promise<ApiKeyHolder | null> {
  if (!key.startsWith(PREFIX)) return null;
  const [row] = await query(db, `select ${COLUMNS} from api_keys where hash = ? and revoked_at is null`, [hashOf(key)]);
  if (row === undefined) return null;
  // Nobody waits for this note, and a store that cannot take it now gets the next one.
  if (now - (row.intOrNull('last_used_at') ?? 0) >= USE_NOTED_MS)
    void run(db, 'update api_keys set last_used_at = ? where pk = ?', [now, row.int('pk')]).catch(() => undefined);
  return { id: row.text('id'), name: row.text('name'), role: roleOf(row), resources: row.json<string[]>('resources') };
}
