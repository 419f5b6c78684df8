/** Real databases for tests: a SQLite file, or a database of its own on the run's PostgreSQL. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { type Database, type DatabaseConfig, openDatabase } from '../../src/store/database.js';

export interface TestDatabase {
  readonly config: DatabaseConfig;
  readonly database: Database;
  /** Closes and removes it. */
  drop(): Promise<void>;
}

/** The engines that one suite runs over; PostgreSQL where the run could start one. */
export const ENGINES: readonly Database['engine'][] = inject('postgres') === null ? ['sqlite'] : ['sqlite', 'postgres'];

/** Makes and opens an empty database. */
export async function makeDatabase(engine: Database['engine']): Promise<TestDatabase> {
  if (engine === 'sqlite') {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-store-'));
    const config = { client: 'sqlite3', connection: { filename: join(folder, 'test.db') } } as const;
    const database = await openDatabase(config);
    const drop = async () => {
      await database.close();
      await rm(folder, { recursive: true });
    };
    return { config, database, drop };
  }
  const server = inject('postgres');
  if (server === null) throw new Error('this run has no PostgreSQL');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(server, `create database ${name}`);
  const config = { client: 'pg', connection: server.replace(/\/postgres$/, `/${name}`) } as const;
  const database = await openDatabase(config);
  const drop = async () => {
    await database.close();
    await administer(server, `drop database ${name} with (force)`);
  };
  return { config, database, drop };
}

async function administer(server: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(sql);
  await client.end();
}
