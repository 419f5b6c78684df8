import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Secret } from '../../src/base/secret.js';
import { connect, openDatabase } from '../../src/store/database.js';
import { takeEmbeddedLock } from '../../src/store/embedded-lock.js';
import { checkMasterKey } from '../../src/store/master-key-check.js';
import { migrate, NewerDatabase } from '../../src/store/migrate.js';
import { Seal } from '../../src/store/seal.js';
import { run } from '../../src/store/sqlite-statement.js';
import { ENGINES, makeDatabase, type TestDatabase } from '../support/database.js';
import { SEAL } from '../support/fixtures.js';

describe.each(ENGINES)('a database over %s', (engine) => {
  let made: TestDatabase;
  beforeEach(async () => {
    made = await makeDatabase(engine);
  });
  afterEach(() => made.drop());

  test('migrating again changes nothing', async () => {
    await made.database.records('meta').insert({ key: 'mine', value: 'kept' });
    await migrate(made.database.records);
    expect(await made.database.records('meta').where({ key: 'mine' })).toHaveLength(1);
    expect(await made.database.records('migrations')).toHaveLength(1);
    expect(await made.database.records('changes')).toHaveLength(1);
  });

  // Three and no more: one that waits for SQLite's lock holds a thread of libuv's four, and the one that works needs another.
  test('three that open an empty database at once all succeed, and it is migrated once', async () => {
    const { records } = made.database;
    await dropEverything(engine, made);
    const opened = await Promise.all(Array.from({ length: 3 }, () => openDatabase(made.config)));
    expect(await records('migrations')).toHaveLength(1);
    expect(await records('changes')).toHaveLength(1);
    for (const database of opened) await database.close();
  });

  test('a database that a newer release has used is refused by name', async () => {
    await made.database.records('migrations').insert({ name: '9999-tomorrow', applied_at: 0 });
    await expect(openDatabase(made.config)).rejects.toThrow(NewerDatabase);
    await expect(openDatabase(made.config)).rejects.toThrow(/newer release \(it has 9999-tomorrow\)/);
  });

  test('a migration that fails leaves nothing behind', async () => {
    await dropEverything(engine, made);
    await made.database.records.raw('create table changes (something integer)');
    await expect(migrate(made.database.records)).rejects.toThrow(/changes/);
    expect(await made.database.records.schema.hasTable('users')).toBe(false);
    await made.database.records.raw('drop table changes');
    await migrate(made.database.records);
    expect(await made.database.records('migrations')).toHaveLength(1);
  });

  test('the first master key is the right one from then on', async () => {
    const other = new Seal(Secret.of(Buffer.alloc(32, 9)));
    expect(await checkMasterKey(made.database.records, SEAL)).toBe('ok');
    expect(await checkMasterKey(made.database.records, SEAL)).toBe('ok');
    expect(await checkMasterKey(made.database.records, other)).toBe('wrong');
    expect(await checkMasterKey(made.database.records, SEAL)).toBe('ok');
  });

  test('of two first keys at once one is the right one', async () => {
    const other = new Seal(Secret.of(Buffer.alloc(32, 9)));
    const beside = connect(made.config, 'records');
    const answers = await Promise.all([checkMasterKey(made.database.records, SEAL), checkMasterKey(beside, other)]);
    await beside.destroy();
    expect([...answers].sort()).toEqual(['ok', 'wrong']);
  });
});

async function dropEverything(engine: string, { database }: TestDatabase): Promise<void> {
  if (engine === 'postgres') {
    await database.records.raw('drop schema public cascade; create schema public');
    return;
  }
  await database.records.raw('pragma foreign_keys=off');
  const tables: { name: string }[] = await database.records.raw(
    `select name from sqlite_master where type = 'table' and name not like 'sqlite_%'`,
  );
  for (const { name } of tables) await database.records.raw(`drop table "${name}"`);
  await database.records.raw('pragma foreign_keys=on');
}

describe('a SQLite file', () => {
  let folder: string;
  let filename: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-file-'));
    filename = join(folder, 'a.db');
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('is whole and by itself once it is closed: nothing is left in a log beside it', async () => {
    const database = await openDatabase({ client: 'sqlite3', connection: { filename } });
    await run(database.ledger, 'insert into meta (key, value) values (?, ?)', ['a', 'b']);
    await database.close();
    expect([existsSync(filename), existsSync(`${filename}-wal`)]).toEqual([true, false]);
  });

  test('belongs to one daemon: a second one in the same process or another is turned away until the first lets go', async () => {
    const lock = await takeEmbeddedLock(filename);
    expect(lock).not.toBeNull();
    expect(await takeEmbeddedLock(filename)).toBeNull();
    await lock?.release();
    const again = await takeEmbeddedLock(filename);
    expect(again).not.toBeNull();
    await again?.release();
  });

  test('is free again when the daemon was killed', async () => {
    // Another process takes the lock the way a daemon does, and is killed with it.
    const script = `
      const sqlite3 = require('sqlite3');
      const db = new sqlite3.Database(process.argv[1] + '.lock');
      db.exec('begin exclusive', (error) => console.log(error ?? 'locked'));
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['-e', script, filename], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
    expect(await takeEmbeddedLock(filename)).toBeNull();
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    const lock = await takeEmbeddedLock(filename);
    expect(lock).not.toBeNull();
    await lock?.release();
  });
});
