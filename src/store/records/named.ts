/**
 * What records with a name have in common (groups, resources, RADIUS clients, LDAP applications, administrators): found by id or
 * name, listed by name, their names unique whatever the case, written in sets, each change with its event. A kind says what is
 * its own in a `Spec`.
 */
import type { Knex } from 'knex';
import { uuid7 } from '../../base/uuid7.js';
import { done, failed, type Result } from '../../records/problem.js';
import { nameKey } from '../../records/values.js';
import type { ChangeKind } from '../change.js';
import type { NameQuery, Page } from '../record-store.js';
import { limitOf, page, readCursor } from './paging.js';
import {
  type ColumnType,
  containing,
  deleteWhere,
  insertRecords,
  numbers,
  query,
  type Row,
  texts,
  updateRecords,
  type Value,
} from './sql.js';
import { difference, type Outcome, type Work } from './work.js';

/** What every record has. `pk` is 0 until it is written. */
export interface Head {
  readonly pk: number;
  readonly id: string;
  readonly name: string;
  readonly revision: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What a message calls a kind whose name is two words; other conflicts of these name them so too. */
const NOUNS: Readonly<Record<string, string>> = {
  radiusClient: 'RADIUS client',
  ldapApplication: 'LDAP application',
};

/** A kind of named records. */
export interface Spec<S extends Head> {
  /** As events call it. */
  readonly record: string;
  readonly kind: ChangeKind;
  readonly table: string;
  /** The columns of name and key. */
  readonly nameColumn: 'name' | 'login';
  /** What `select` says beyond the table `t`. */
  readonly from: string;
  readonly select: string;
  /** Columns beyond the head's. */
  readonly columns: Readonly<Record<string, ColumnType>>;
  read(row: Row, head: Head): S;
  values(state: S): Readonly<Record<string, Value>>;
  /** What the log shows of it; `hidden` fields only as changed or not. */
  fields(state: S): Readonly<Record<string, unknown>>;
  readonly hidden: readonly string[];
}

/** A change on its way: null before means new. `at` points at it in the body or file. */
export interface Edit<S> {
  readonly before: S | null;
  readonly after: S;
  readonly at: string;
}

const HEAD_COLUMNS = { id: 'text', revision: 'int', created_at: 'int', updated_at: 'int' } as const;
const keyColumn = (spec: { nameColumn: string }): string => `${spec.nameColumn}_key`;

function selectSql<S extends Head>(spec: Spec<S>): string {
  const { nameColumn, table, select, from } = spec;
  const own = Object.keys(spec.columns).map((column) => `t.${column}, `);
  return `select t.pk, t.id, t.${nameColumn}, t.revision, t.created_at, t.updated_at, ${own.join('')}${select} from ${table} t ${from}`;
}

function read<S extends Head>(spec: Spec<S>, row: Row): S {
  return spec.read(row, {
    pk: row.int('pk'),
    id: row.text('id'),
    name: row.text(spec.nameColumn),
    revision: row.int('revision'),
    createdAt: row.int('created_at'),
    updatedAt: row.int('updated_at'),
  });
}

/** The head of a new record; its time is part of its id. */
export const newHead = (work: Work, name: string): Head => ({
  pk: 0,
  id: uuid7(work.now),
  name,
  revision: 1,
  createdAt: work.now,
  updatedAt: work.now,
});

/** All records of the kind, by name. */
export async function loadAll<S extends Head>(db: Knex, spec: Spec<S>): Promise<S[]> {
  return (await query(db, `${selectSql(spec)} order by t.${keyColumn(spec)}`)).map((row) => read(spec, row));
}

export async function loadById<S extends Head>(db: Knex, spec: Spec<S>, id: string): Promise<S | null> {
  const [row] = await query(db, `${selectSql(spec)} where t.id = ?`, [id]);
  return row === undefined ? null : read(spec, row);
}

/** Those that have one of `names`, by name key. */
export async function loadByNames<S extends Head>(
  db: Knex,
  spec: Spec<S>,
  names: readonly string[],
): Promise<Map<string, S>> {
  if (names.length === 0) return new Map();
  const rows = await query(db, `${selectSql(spec)} where t.${keyColumn(spec)} in ${texts(db)}`, [
    JSON.stringify(names.map(nameKey)),
  ]);
  return new Map(rows.map((row) => read(spec, row)).map((state) => [nameKey(state.name), state]));
}

/** A part of the list, by name. `activeColumn` tells whether the kind can be inactive. */
export async function listNamed<S extends Head>(db: Knex, spec: Spec<S>, asked: NameQuery): Promise<Result<Page<S>>> {
  const cursor = readCursor(asked.cursor);
  if (cursor === undefined) return failed({ kind: 'badCursor' });
  const key = `t.${keyColumn(spec)}`;
  const where: string[] = [];
  const bindings: Value[] = [];
  const add = (condition: string, value: Value) => {
    where.push(condition);
    bindings.push(value);
  };
  if (cursor !== null) add(`${key} > ?`, String(cursor[0]));
  if (asked.name !== undefined) add(`${key} = ?`, nameKey(asked.name));
  if (asked.query !== undefined && asked.query !== '')
    add(`${key} like ? escape '\\'`, containing(nameKey(asked.query)));
  if (asked.active !== undefined && 'active' in spec.columns) add('t.active = ?', asked.active);
  const limit = limitOf(asked);
  bindings.push(limit + 1);
  const condition = where.length === 0 ? '' : ` where ${where.join(' and ')}`;
  const rows = await query(db, `${selectSql(spec)}${condition} order by ${key} limit ?`, bindings);
  return done(
    page(
      rows.map((row) => read(spec, row)),
      limit,
      (state) => [nameKey(state.name)],
    ),
  );
}

/** A record whose revision is what the caller saw (or who saw none): else why not. */
export function current<S extends { readonly revision: number }>(
  state: S | null,
  ifMatch: number | null | undefined,
): Result<S> {
  if (state === null) return failed({ kind: 'notFound' });
  if (ifMatch !== null && ifMatch !== undefined && ifMatch !== state.revision)
    return failed({ kind: 'stale', revision: state.revision });
  return done(state);
}

/**
 * Writes edits: those that change nothing are left alone, the others get a new revision, an event and a place in the feed.
 * Names that are taken are conflicts. Returns each record as it is now, in the order of the edits; where `work` has heard of
 * something wrong, what comes back is not written and the transaction will be undone.
 */
export async function writeNamed<S extends Head>(work: Work, spec: Spec<S>, edits: readonly Edit<S>[]): Promise<S[]> {
  const settled = edits.map(({ before, after, at }) => {
    const diff = difference(before === null ? null : spec.fields(before), spec.fields(after), spec.hidden);
    const action: Outcome['action'] =
      before === null ? 'created' : Object.keys(diff).length > 0 ? 'updated' : 'unchanged';
    return { before, after: action === 'updated' ? raised(work, after) : after, at, diff, action };
  });
  await checkNames(work, spec, settled);
  if (work.problem !== null) return settled.map(({ after }) => after);

  const columns = { ...HEAD_COLUMNS, [spec.nameColumn]: 'text', [keyColumn(spec)]: 'text', ...spec.columns } as const;
  const row = (state: S): Record<string, Value> => ({
    id: state.id,
    revision: state.revision,
    created_at: state.createdAt,
    updated_at: state.updatedAt,
    [spec.nameColumn]: state.name,
    [keyColumn(spec)]: nameKey(state.name),
    ...spec.values(state),
  });
  const table = { name: spec.table, columns };
  const updated = settled.filter(({ action }) => action === 'updated');
  await freeNames(work, spec, updated);
  await updateRecords(
    work.tx,
    table,
    updated.map(({ after }) => ({ ...row(after), pk: after.pk })),
  );
  const created = settled.filter(({ action }) => action === 'created');
  const pks = await insertRecords(
    work.tx,
    table,
    created.map(({ after }) => row(after)),
  );
  return settled.map(({ after, action, diff }) => {
    const written = action === 'created' ? { ...after, pk: pks.get(after.id) ?? 0 } : after;
    work.settle({ record: spec.record, name: after.name, action, diff }, after.id, null);
    if (action === 'updated' && spec.kind === 'resource') work.touchResource(written.pk, 'raised');
    else if (action !== 'unchanged') work.touch(spec.kind, written.pk);
    return written;
  });
}

/** Deletes records whose absence nothing else forbids. */
export async function removeNamed<S extends Head>(work: Work, spec: Spec<S>, states: readonly S[]): Promise<void> {
  await deleteWhere(
    work.tx,
    spec.table,
    'pk',
    states.map(({ pk }) => pk),
  );
  for (const { pk, id, name } of states) {
    work.touch(spec.kind, pk);
    work.settle({ record: spec.record, name, action: 'deleted', diff: {} }, id, null);
  }
}

const raised = <S extends Head>(work: Work, state: S): S => ({
  ...state,
  revision: state.revision + 1,
  updatedAt: work.now,
});

async function checkNames<S extends Head>(work: Work, spec: Spec<S>, edits: readonly Edit<S>[]): Promise<void> {
  const holders = await loadByNames(
    work.tx,
    spec,
    edits.map(({ after }) => after.name),
  );
  const leaving = new Set(
    edits.flatMap(({ before, after }) =>
      before !== null && nameKey(before.name) !== nameKey(after.name) ? [before.pk] : [],
    ),
  );
  const taken = new Set<string>();
  for (const { before, after, at } of edits) {
    const key = nameKey(after.name);
    const holder = holders.get(key);
    const foreign = holder !== undefined && holder.pk !== before?.pk && !leaving.has(holder.pk);
    if (foreign || taken.has(key))
      work.conflict(
        `${at}/${spec.nameColumn}`,
        `${after.name} is taken`,
        `${NOUNS[spec.record] ?? spec.record} ${holder?.name ?? after.name}`,
      );
    taken.add(key);
  }
}

/** Records that swap names would collide in the middle of the statement, so those that leave one first take their id for it. */
async function freeNames<S extends Head>(work: Work, spec: Spec<S>, edits: readonly Edit<S>[]): Promise<void> {
  const leaving = edits.filter(({ before, after }) => before !== null && nameKey(before.name) !== nameKey(after.name));
  if (leaving.length < 2) return;
  await query(work.tx, `update ${spec.table} set ${keyColumn(spec)} = id where pk in ${numbers(work.tx)}`, [
    JSON.stringify(leaving.map(({ after }) => after.pk)),
  ]);
}

/** Milliseconds as the API writes times. */
export const isoTime = (ms: number): string => new Date(ms).toISOString();

/** The fields that every shown record begins with. */
export const shownHead = ({ id, createdAt, updatedAt, revision }: Omit<Head, 'name'>) => ({
  id,
  createdAt: isoTime(createdAt),
  updatedAt: isoTime(updatedAt),
  revision,
});
