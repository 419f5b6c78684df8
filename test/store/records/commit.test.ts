/** A commit that fails: whoever asked for the change hears of it, and the log's numbers stay gapless and single. */
import { expect, test } from 'vitest';
import { query } from '../../../src/store/records/sql.js';
import { ENGINES } from '../../support/database.js';
import { BY, openWorld, value } from './world.js';

// On SQLite only a disk makes a commit fail: test/faults/store.test.ts fills one.
test.skipIf(!ENGINES.includes('postgres'))('a change whose commit fails is not told as made (PostgreSQL)', async () => {
  const world = await openWorld('postgres');
  const { records } = world.database;
  try {
    await records.raw(`create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$`);
    await records.raw(`create constraint trigger refuse after insert on users deferrable initially deferred
      for each row when (new.login = 'late') execute function refuse()`);
    value(await world.store.users.create({ login: 'early' }, BY));
    await expect(world.store.users.create({ login: 'late' }, BY)).rejects.toThrow('no');
    value(await world.store.users.create({ login: 'later' }, BY));
    const logins = await query(records, 'select login from users order by pk');
    expect(logins.map((row) => row.text('login'))).toEqual(['early', 'later']);
    const events = await query(records, `select writer, seq from events where kind = 'change' order by pos`);
    const numbers = events.map((row) => `${row.text('writer')} ${row.int('seq')}`);
    expect(numbers).toEqual(['test 1', 'test.1 1']);
  } finally {
    await world.close();
  }
});
