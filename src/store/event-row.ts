/**
 * Events as rows. Everything that is written to the log goes through here, as an array in the order of EVENT_COLUMNS.
 *
 * On SQLite that array, as JSON, is all that a row stores (`body`): the other columns are computed from it when somebody reads
 * them. Taking two dozen values out of JSON for each row was two thirds of a commit's processor time (14 µs an event against 4.5).
 */
import type { Knex } from 'knex';
import type { LedgerEntry, LockoutChange } from '../access/ports.js';
import { userKey } from './user-key.js';

/** Columns of `events`, in the order of `EventRow`, with their PostgreSQL types. */
export const EVENT_COLUMN_TYPES = {
  id: 'text',
  writer: 'text',
  seq: 'bigint',
  time: 'bigint',
  kind: 'text',
  outcome: 'text',
  reason: 'text',
  login: 'text',
  user_id: 'text',
  user_key: 'bigint',
  resource: 'text',
  client: 'text',
  door: 'text',
  source: 'text',
  method: 'text',
  duration: 'bigint',
  token_pk: 'bigint',
  step: 'bigint',
  datagram: 'text',
  lockouts: 'text',
  trace: 'text',
  detail: 'text',
  actor: 'text',
  grace: 'text',
} as const;

export type EventColumn = keyof typeof EVENT_COLUMN_TYPES;
export const EVENT_COLUMNS: readonly string[] = Object.keys(EVENT_COLUMN_TYPES);
export type EventRow = readonly (string | number | null)[];

/** Fields of an event that is no decision; absent ones are null. */
export type EventFields = { readonly [column in EventColumn]?: string | number | null };

/** `fields` as a row. */
export function fieldsRow(fields: EventFields): EventRow {
  const values: Readonly<Record<string, string | number | null | undefined>> = fields;
  return EVENT_COLUMNS.map((column) => values[column] ?? null);
}

/** SQL that appends the rows in one bound JSON array of arrays to SQLite's log; a `where` may follow. */
export const APPEND_SQLITE = 'insert into events (body) select value from json_each(?)';

/** Appends `rows` in one statement, in the transaction or connection `db`. */
export async function insertEvents(db: Knex, rows: readonly EventRow[]): Promise<void> {
  if (rows.length === 0) return;
  if (db.client.config.client === 'sqlite3') {
    await db.raw(APPEND_SQLITE, [JSON.stringify(rows)]);
    return;
  }
  const values = Object.entries(EVENT_COLUMN_TYPES).map(([, type], i) => `(r->>${i})::${type}`);
  await db.raw(
    `insert into events (${EVENT_COLUMNS.join(', ')}) select ${values.join(', ')} from jsonb_array_elements(?::jsonb) with ordinality as rows(r, n) order by n`,
    [JSON.stringify(rows)],
  );
}

/** The row for `entry`, as number `seq` of `writer`. */
export function eventRow(entry: LedgerEntry, writer: string, seq: number): EventRow {
  const { event, consumption, user } = entry;
  return [
    event.id,
    writer,
    seq,
    event.time,
    'authentication',
    event.outcome,
    event.reason,
    event.login,
    event.userId,
    event.userId === null ? null : userKey(event.userId),
    event.resource,
    event.client,
    event.door,
    event.source,
    event.method,
    event.durationMicros,
    consumption === null ? null : consumption.token.pk,
    consumption === null ? null : consumption.at,
    consumption === null ? null : consumption.datagram,
    user === null || entry.lockouts.length === 0 ? null : lockoutColumn(user.pk, entry.lockouts),
    event.trace,
    event.detail === null ? null : JSON.stringify(event.detail),
    null,
    consumption === null ? null : consumption.grace,
  ];
}

/**
 * What an event says of lockouts: `[user pk, [source, failures, windowStart, lockedUntil, recent], …]`, the states after it.
 * A user pk alone says that all were forgotten (an administrator unlocked).
 */
export type LockoutColumn = readonly [number, ...(readonly [string, number, number, number, readonly string[]])[]];

function lockoutColumn(userPk: number, changes: readonly LockoutChange[]): string {
  const column: LockoutColumn = [
    userPk,
    ...changes.map(
      ({ source, after }) => [source, after.failures, after.windowStart, after.lockedUntil, after.recent] as const,
    ),
  ];
  return JSON.stringify(column);
}
