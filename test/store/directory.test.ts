import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connect, type Database } from '../../src/store/database.js';
import { ENGINES, makeDatabase, type TestDatabase } from '../support/database.js';
import {
  addResource,
  addUser,
  block,
  change,
  codeAt,
  type Placed,
  SEAL,
  startNode,
  TestClock,
  type TestNode,
} from '../support/fixtures.js';

describe.each(ENGINES)('the directory over %s', (engine) => {
  let made: TestDatabase;
  let clock: TestClock;
  let node: TestNode;
  let vpn: Placed;

  beforeEach(async () => {
    made = await makeDatabase(engine);
    clock = new TestClock();
    vpn = await addResource(made.database.records, 'vpn');
    node = await startNode(made.config, clock.read);
  });
  afterEach(async () => {
    await node.stop();
    await made.drop();
  });

  const alice = () => addUser(made.database.records, { login: 'alice', aliases: ['asmith'], resources: [vpn.pk] });
  const login = async (name: string): Promise<string | null> =>
    (await node.directory.userByName(name, false)).value?.login ?? null;

  test('finds a user by login and alias, and answers at once from then on', async () => {
    const { pk, id, token } = await alice();
    const found = await node.directory.userByName('asmith', false);
    expect(found.value).toMatchObject({ pk, id, login: 'alice', active: true, revision: 1, resources: [vpn.pk] });
    expect(found.value?.tokens).toMatchObject([{ pk: token.pk, id: token.id, type: 'totp', digits: 6, period: 30 }]);
    expect(node.directory.userByName('asmith', false)).not.toBeInstanceOf(Promise);
  });

  test('an alias that was taken away names nobody, though its user is cached', async () => {
    const { pk } = await alice();
    expect([await login('asmith'), await login('alice')]).toEqual(['alice', 'alice']);
    await change(made.database.records, 'user', [pk], (tx) => tx('names').where({ key: 'asmith' }).delete());
    await node.feed.poll();
    expect(await login('alice')).toBe('alice');
    expect(await login('asmith')).toBeNull();
  });

  test('an alias that went to another user names that one', async () => {
    const { pk } = await alice();
    const bob = await addUser(made.database.records, { login: 'bob' });
    expect([await login('asmith'), await login('bob')]).toEqual(['alice', 'bob']);
    await change(made.database.records, 'user', [pk, bob.pk], (tx) =>
      tx('names').where({ key: 'asmith' }).update({ user_pk: bob.pk }),
    );
    await node.feed.poll();
    expect(await login('alice')).toBe('alice');
    expect(await login('asmith')).toBe('bob');
  });

  test('a name that nobody had is found as soon as the feed has told of its user', async () => {
    expect(await login('alice')).toBeNull();
    expect(node.directory.userByName('alice', false)).not.toBeInstanceOf(Promise);
    await alice();
    await node.feed.poll();
    expect(await login('alice')).toBe('alice');
  });

  test('the feed tells by itself, of what another connection has changed', async () => {
    const { pk } = await alice();
    await login('alice');
    const other = connect(made.config, 'records');
    await block(other, pk);
    await other.destroy();
    await vi.waitFor(async () => expect((await node.directory.userByName('alice', false)).value?.active).toBe(false));
  });

  test('a hundred that are missing at once are read in a few statements, and a resource in one', async () => {
    for (let i = 0; i < 100; i++) await addUser(made.database.records, { login: `u${i}`, resources: [vpn.pk] });
    await node.feed.poll();
    const statements = await watch(node.database);
    const found = await Promise.all(
      Array.from({ length: 300 }, async (_, i) => (await node.directory.userByName(`u${i % 100}`, false)).value?.login),
    );
    expect(new Set(found).size).toBe(100);
    expect(statements.filter((sql) => sql.includes('user_facts')).length).toBeLessThan(5);
    await Promise.all(Array.from({ length: 50 }, () => node.directory.resourceById(vpn.id, false)));
    // SQLite tells of its statements a moment later.
    await expect.poll(() => statements.filter((sql) => sql.includes('resources r')).length).toBe(1);
    await Promise.all(Array.from({ length: 50 }, () => node.directory.resourceById(vpn.id, true)));
    expect(statements.filter((sql) => sql.includes('resources r')).length).toBeLessThan(4);
  });

  test('a read that began before a change is not what is cached after it', async () => {
    const { pk } = await alice();
    const other = connect(made.config, 'records');
    for (let revision = 2; revision < 30; revision++) {
      const reads = Array.from({ length: 3 }, () => node.directory.userByName('alice', revision % 2 === 0));
      const changed = change(other, 'user', [pk], (tx) => tx('users').where({ pk }).update({ revision }));
      await Promise.all([...reads, changed, node.feed.poll()]);
      await node.feed.poll();
      expect((await node.directory.userByName('alice', false)).value?.revision).toBe(revision);
    }
    await other.destroy();
  });

  test('while the feed is silent nothing cached is used', async () => {
    const { pk } = await alice();
    await login('alice');
    await node.directory.resourceById(vpn.id, false);
    await node.feed.stop();
    await block(made.database.records, pk);
    expect((await node.directory.userByName('alice', false)).value?.active).toBe(true);
    clock.advance(1_001);
    expect(node.directory.resourceById(vpn.id, false)).toBeInstanceOf(Promise);
    expect((await node.directory.userByName('alice', false)).value?.active).toBe(false);
  });

  test('a seed whose box was moved from another token opens no door', async () => {
    const { token } = await alice();
    const bob = await addUser(made.database.records, { login: 'bob', resources: [vpn.pk] });
    await change(made.database.records, 'user', [bob.pk], (tx) =>
      tx('tokens')
        .where({ pk: bob.token.pk })
        .update({ secret: tx('tokens').select('secret').where({ pk: token.pk }) }),
    );
    const decision = await node.ask({ login: 'bob', code: codeAt(clock.step), resourceId: vpn.id });
    expect(decision).toMatchObject({ outcome: 'refused', reason: 'no_token' });
    expect(node.errors).toEqual([bob.token.id, bob.token.id].slice(0, node.errors.length));
    expect(node.errors.length).toBeGreaterThan(0);
    expect(SEAL.open('tokens.secret', bob.token.id, 'AAAA')).toBeNull();
  });

  test.runIf(engine === 'postgres')('a slow read that a change has overtaken is not kept', async () => {
    const { pk } = await alice();
    const { records } = made.database;
    await records('lockouts').insert({
      user_pk: pk,
      source: 'x',
      failures: 1,
      window_start: 0,
      locked_until: 0,
      recent: '[]',
    });
    await records.raw('alter table lockouts rename to quick');
    await records.raw('create view lockouts as select * from quick where pg_sleep(0.7)::text is not null');
    const read = node.directory.userByName('alice', false);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await block(records, pk);
    await node.feed.poll();
    expect((await read).value?.active).toBe(true);
    expect(node.directory.cachedUser(pk)).toBeNull();
    expect((await node.directory.userByName('alice', false)).value?.active).toBe(false);
  });

  test.runIf(engine === 'postgres')('a transaction that somebody leaves open holds no change back', async () => {
    const { pk } = await alice();
    expect([await login('alice'), await login('bob')]).toEqual(['alice', null]);
    const other = connect(made.config, 'records');
    const open = await other.transaction();
    await open('meta').insert({ key: 'open', value: '' });
    await block(made.database.records, pk);
    await addUser(made.database.records, { login: 'bob' });
    await node.feed.poll();
    expect((await node.directory.userByName('alice', false)).value?.active).toBe(false);
    expect(await login('bob')).toBe('bob');
    await node.feed.poll();
    await open.commit();
    await other.destroy();
    await node.feed.poll();
    expect(await login('bob')).toBe('bob');
  });

  test.runIf(engine === 'postgres')('a change that commits after later ones is told of all the same', async () => {
    const { pk } = await alice();
    await login('alice');
    const other = connect(made.config, 'records');
    const late = await other.transaction();
    await late('users').where({ pk }).update({ active: false, revision: 2 });
    const { announce } = await import('../../src/store/change.js');
    await announce(late, 'user', [pk], clock.read());
    for (const name of ['x1', 'x2', 'x3']) await addUser(made.database.records, { login: name });
    await node.feed.poll();
    expect((await node.directory.userByName('alice', false)).value?.active).toBe(true);
    await late.commit();
    await other.destroy();
    await node.feed.poll();
    expect((await node.directory.userByName('alice', false)).value?.active).toBe(false);
  });
});

/** The statements that the directory's connection runs from now on. */
async function watch(database: Database): Promise<string[]> {
  const statements: string[] = [];
  if (database.engine === 'postgres') {
    database.directory.on('query', ({ sql }: { sql: string }) => statements.push(sql));
    return statements;
  }
  const raw = await database.directory.client.acquireConnection();
  raw.on('trace', (sql: string) => statements.push(sql));
  database.directory.client.releaseConnection(raw);
  return statements;
}
