/**
 * Sets of rows, for both engines: a statement takes any number of rows as one bound JSON array, so that a thousand records cost
 * as many statements as one. What comes back is checked column by column where it is read.
 */
import type { Knex } from 'knex';

/** What a column may hold, as it is bound. */
export type Value = string | number | boolean | null;
export type ColumnType = 'text' | 'int' | 'bool';

/** A table as far as statements here write it. */
export interface Table {
  /** Quoted where SQL needs it. */
  readonly name: string;
  readonly columns: Readonly<Record<string, ColumnType>>;
}

/** One row that was read. A column that is not what was asked for is a bug, and throws. */
export class Row {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  text(column: string): string {
    return this.textOrNull(column) ?? this.#missing(column);
  }

  textOrNull(column: string): string | null {
    const value = this.#values[column] ?? null;
    return value === null || typeof value === 'string' ? value : this.#missing(column);
  }

  int(column: string): number {
    return this.intOrNull(column) ?? this.#missing(column);
  }

  /** PostgreSQL's bigint arrives as text. */
  intOrNull(column: string): number | null {
    const value = this.#values[column] ?? null;
    if (value === null) return null;
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : this.#missing(column);
  }

  /** SQLite has 0 and 1. */
  flag(column: string): boolean {
    const value = this.#values[column];
    if (typeof value === 'boolean') return value;
    return value === 1 ? true : value === 0 ? false : this.#missing(column);
  }

  /** A column that holds JSON. */
  json<T>(column: string): T {
    const value: T = JSON.parse(this.text(column));
    return value;
  }

  #missing(column: string): never {
    throw new Error(`column ${column} does not hold what it should`);
  }
}

/** Whether `db` speaks SQLite's SQL; else PostgreSQL's. */
export const isSqlite = (db: Knex): boolean => db.client.config.client === 'sqlite3';

/** Runs `sql` and reads what it returns. */
export async function query(db: Knex, sql: string, bindings: readonly Value[] = []): Promise<Row[]> {
  const answer = await db.raw(sql, [...bindings]);
  const rows: readonly Record<string, unknown>[] = isSqlite(db) ? answer : answer.rows;
  return rows.map((values) => new Row(values));
}

/** Runs `sql` for its effect. */
export async function run(db: Knex, sql: string, bindings: readonly Value[] = []): Promise<void> {
  await db.raw(sql, [...bindings]);
}

/** `in ${numbers(db)}`: bind `JSON.stringify(numbers)`. */
export const numbers = (db: Knex): string =>
  isSqlite(db) ? '(select value from json_each(?))' : '(select value::bigint from jsonb_array_elements_text(?::jsonb))';

/** `in ${texts(db)}`: bind `JSON.stringify(texts)`. */
export const texts = (db: Knex): string =>
  isSqlite(db) ? '(select value from json_each(?))' : '(select value from jsonb_array_elements_text(?::jsonb))';

const PG_TYPES: Readonly<Record<ColumnType, string>> = { text: 'text', int: 'bigint', bool: 'boolean' };

/** A bound JSON array of arrays as rows with `columns`, to stand behind `from`. */
export function rowSource(db: Knex, columns: Readonly<Record<string, ColumnType>>): string {
  const entries = Object.entries(columns);
  return isSqlite(db)
    ? `(select ${entries.map(([name], i) => `value->>${i} as ${name}`).join(', ')} from json_each(?))`
    : `(select ${entries.map(([name, type], i) => `(r->>${i})::${PG_TYPES[type]} as ${name}`).join(', ')} from jsonb_array_elements(?::jsonb) as a(r))`;
}

/** Rows as the JSON that `rowSource` reads. */
export const rowsJson = (
  columns: Readonly<Record<string, ColumnType>>,
  rows: readonly Readonly<Record<string, Value>>[],
): string => {
  const names = Object.keys(columns);
  return JSON.stringify(rows.map((row) => names.map((name) => row[name] ?? null)));
};

type Rows = readonly Readonly<Record<string, Value>>[];

/** Inserts rows of a table without a `pk`. */
export async function insertRows(db: Knex, { name, columns }: Table, rows: Rows): Promise<void> {
  if (rows.length === 0) return;
  const names = Object.keys(columns).join(', ');
  await run(db, `insert into ${name} (${names}) select ${names} from ${rowSource(db, columns)} j`, [
    rowsJson(columns, rows),
  ]);
}

/** Inserts rows of a table with `pk` and `id`; returns the new pks by id. */
export async function insertRecords(db: Knex, { name, columns }: Table, rows: Rows): Promise<Map<string, number>> {
  if (rows.length === 0) return new Map();
  const names = Object.keys(columns).join(', ');
  const made = await query(
    db,
    `insert into ${name} (${names}) select ${names} from ${rowSource(db, columns)} j where true returning pk, id`,
    [rowsJson(columns, rows)],
  );
  return new Map(made.map((row) => [row.text('id'), row.int('pk')]));
}

/** Writes all columns of rows that are there, found by `pk`. */
export async function updateRecords(db: Knex, { name, columns }: Table, rows: Rows): Promise<void> {
  if (rows.length === 0) return;
  const all = { ...columns, pk: 'int' } as const;
  const set = Object.keys(columns).map((column) => `${column} = j.${column}`);
  await run(db, `update ${name} set ${set.join(', ')} from ${rowSource(db, all)} j where ${name}.pk = j.pk`, [
    rowsJson(all, rows),
  ]);
}

/** Deletes the rows whose `column` is one of `keys`. */
export async function deleteWhere(
  db: Knex,
  name: string,
  column: string,
  keys: readonly (number | string)[],
): Promise<void> {
  if (keys.length === 0) return;
  const set = typeof keys[0] === 'number' ? numbers(db) : texts(db);
  await run(db, `delete from ${name} where ${column} in ${set}`, [JSON.stringify(keys)]);
}

/** A table of links: two columns of pks. */
export interface LinkTable {
  readonly name: string;
  readonly left: string;
  readonly right: string;
}
export type Pair = readonly [left: number, right: number];

/** Makes links; those that are there stay. */
export async function insertPairs(db: Knex, { name, left, right }: LinkTable, pairs: readonly Pair[]): Promise<void> {
  if (pairs.length === 0) return;
  const columns = { [left]: 'int', [right]: 'int' } as const;
  await run(
    db,
    `insert into ${name} (${left}, ${right}) select ${left}, ${right} from ${rowSource(db, columns)} j where true on conflict do nothing`,
    [JSON.stringify(pairs)],
  );
}

/** Ends links. */
export async function deletePairs(db: Knex, { name, left, right }: LinkTable, pairs: readonly Pair[]): Promise<void> {
  if (pairs.length === 0) return;
  const columns = { [left]: 'int', [right]: 'int' } as const;
  await run(
    db,
    `delete from ${name} where (${left}, ${right}) in (select ${left}, ${right} from ${rowSource(db, columns)} j)`,
    [JSON.stringify(pairs)],
  );
}

export const USER_GROUPS: LinkTable = { name: 'user_groups', left: 'user_pk', right: 'group_pk' };
export const USER_RESOURCES: LinkTable = { name: 'user_resources', left: 'user_pk', right: 'resource_pk' };
export const GROUP_RESOURCES: LinkTable = { name: 'group_resources', left: 'group_pk', right: 'resource_pk' };
export const TOKEN_RESOURCES: LinkTable = { name: 'token_resources', left: 'token_pk', right: 'resource_pk' };

/** A LIKE pattern that finds `part` anywhere; its own wildcards are escaped by a backslash (`escape '\'`). */
export const containing = (part: string): string => `%${part.replace(/[\\%_]/g, '\\$&')}%`;
