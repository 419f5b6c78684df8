/**
 * The few statements of the hot path, on SQLite: prepared once a connection and run on the driver itself. knex compiles and
 * looks up each time, and SQLite parses each time: together as much as answering a lone request.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Knex } from 'knex';

interface SqliteStatement {
  run(bindings: readonly unknown[], done: (this: { changes: number }, error: Error | null) => void): void;
  all<Row>(bindings: readonly unknown[], done: (error: Error | null, rows: Row[]) => void): void;
  finalize(done: () => void): void;
}

interface SqliteConnection {
  prepare(sql: string, done: (this: SqliteStatement, error: Error | null) => void): SqliteStatement;
}

/** How long SQLite waits for another process's transaction. Longer than any slice of an import (20 ms) by far. */
export const BUSY_TIMEOUT_MS = 5_000;
/** Between two looks whether another process's transaction has ended. */
const BUSY_LOOK_MS = 1;

/**
 * Does `work` (a statement or a whole transaction) again while another process writes, for as long as SQLite would wait. Rejects as
 * `work` does.
 */
export async function whileBusy<T>(work: () => Promise<T>): Promise<T> {
  const until = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error;
      await sleep(BUSY_LOOK_MS);
    }
  }
}

const isBusy = (error: unknown): boolean => error instanceof Error && error.message.includes('SQLITE_BUSY');

/** By connection, then by text; only the texts of this folder come here, a handful. */
const prepared = new WeakMap<SqliteConnection, Map<string, Promise<SqliteStatement>>>();

/** Runs `sql` and says how many rows it changed. Rejects as the driver does. */
export function run(db: Knex, sql: string, bindings: readonly unknown[]): Promise<{ changes: number }> {
  return onStatement(db, sql, (statement, resolve, reject) =>
    statement.run(bindings, function (error) {
      if (error === null) resolve({ changes: this.changes });
      else reject(error);
    }),
  );
}

/** All rows of `sql`. `all` and never `get`: that one leaves the statement, and with it a read transaction, open. */
export function rowsOf<Row>(db: Knex, sql: string, bindings: readonly unknown[]): Promise<Row[]> {
  return onStatement<Row[]>(db, sql, (statement, resolve, reject) =>
    statement.all<Row>(bindings, (error, rows) => {
      if (error === null) resolve(rows);
      else reject(error);
    }),
  );
}

/** Lets go of what was prepared; before the connection is closed, or SQLite refuses to close it and its files stay open. */
export async function finalizeStatements(db: Knex): Promise<void> {
  const connection: SqliteConnection = await db.client.acquireConnection();
  try {
    const texts = prepared.get(connection);
    prepared.delete(connection);
    for (const made of texts?.values() ?? []) {
      const statement = await made.catch(() => null);
      if (statement !== null) await new Promise<void>((resolve) => statement.finalize(() => resolve()));
    }
  } finally {
    db.client.releaseConnection(connection);
  }
}

async function onStatement<T>(
  db: Knex,
  sql: string,
  work: (statement: SqliteStatement, resolve: (value: T) => void, reject: (error: Error) => void) => void,
): Promise<T> {
  const connection: SqliteConnection = await db.client.acquireConnection();
  try {
    const statement = await prepare(connection, sql);
    return await new Promise((resolve, reject) => work(statement, resolve, reject));
  } finally {
    db.client.releaseConnection(connection);
  }
}

function prepare(connection: SqliteConnection, sql: string): Promise<SqliteStatement> {
  let texts = prepared.get(connection);
  if (texts === undefined) {
    texts = new Map();
    prepared.set(connection, texts);
  }
  const known = texts.get(sql);
  if (known !== undefined) return known;
  const made = new Promise<SqliteStatement>((resolve, reject) => {
    connection.prepare(sql, function (error) {
      if (error === null) resolve(this);
      else reject(error);
    });
  });
  texts.set(sql, made);
  // One that could not be prepared (the file is locked) is tried again the next time.
  made.catch(() => texts.delete(sql));
  return made;
}
