import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { instant } from '../../src/base/units.js';
import { ChangeWriter } from '../../src/store/change.js';
import { connect } from '../../src/store/database.js';
import { Fold } from '../../src/store/fold.js';
import { EmbeddedLedger } from '../../src/store/ledger-embedded.js';
import { userKey } from '../../src/store/user-key.js';
import { makeDatabase, type TestDatabase } from '../support/database.js';
import {
  addResource,
  addUser,
  change,
  codeAt,
  type Placed,
  startNode,
  TestClock,
  type TestNode,
  unlock,
} from '../support/fixtures.js';

const LOGINS = ['alice', 'bob', 'carol', 'dave'];
let made: TestDatabase;
let clock: TestClock;
let node: TestNode;
let vpn: Placed;
let users: Placed[];

beforeEach(async () => {
  made = await makeDatabase('sqlite');
  clock = new TestClock();
  vpn = await addResource(made.database.records, 'vpn', { lockout: { failures: 3, window: '15m', duration: '10m' } });
  users = [];
  for (const login of LOGINS) users.push(await addUser(made.database.records, { login, resources: [vpn.pk] }));
  node = await startNode(made.config, clock.read);
});
afterEach(async () => {
  expect(node.errors).toEqual([]);
  await node.stop();
  await made.drop();
});

const ask = async (login: string, code: string, more: { source?: string; datagram?: string } = {}): Promise<string> => {
  const decision = await node.ask({ login, code, resourceId: vpn.id, ...more });
  return decision.outcome === 'refused' ? decision.reason : decision.outcome;
};
const fold = async (): Promise<void> => node.fold?.fold();
const restart = async (): Promise<void> => {
  await node.stop();
  node = await startNode(made.config, clock.read);
};

/** What decisions would be made on. */
async function states(): Promise<unknown> {
  const all = [];
  for (const login of LOGINS) {
    const { value } = await node.directory.userByName(login, true);
    const lockouts = [...(value?.lockouts ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    all.push({ login, tokens: value?.tokens.map(({ state }) => ({ ...state })), lockouts });
  }
  return all;
}

/** Codes spent, failures from two sources, a lock, one cleared counter: something of everything. */
async function live(): Promise<void> {
  expect(await ask('alice', codeAt(clock.step), { datagram: 'd1' })).toBe('accepted');
  expect(await ask('bob', '000001', { source: '192.0.2.1' })).toBe('wrong_otp');
  expect(await ask('bob', '000002', { source: '203.0.113.9' })).toBe('wrong_otp');
  for (const wrong of ['000001', '000002', '000003']) expect(await ask('carol', wrong)).toBe('wrong_otp');
  expect(await ask('dave', '000001')).toBe('wrong_otp');
  expect(await ask('dave', codeAt(clock.step))).toBe('accepted');
}

test('what decisions are made on is the same after a fold, after a restart, and after both', async () => {
  await live();
  const before = await states();
  await restart();
  expect(await states()).toEqual(before);
  await fold();
  expect(await states()).toEqual(before);
  expect([node.overlay?.tokens.size, node.overlay?.lockouts.size]).toEqual([0, 0]);
  await restart();
  expect([node.overlay?.tokens.size, node.overlay?.lockouts.size]).toEqual([0, 0]);
  expect(await states()).toEqual(before);
  expect(await ask('alice', codeAt(clock.step), { datagram: 'd2' })).toBe('replayed_otp');
  expect(await ask('alice', codeAt(clock.step), { datagram: 'd1' })).toBe('accepted');
  expect(await ask('carol', codeAt(clock.step))).toBe('locked');
});

test('a counter that was folded outlives a restart though the tail of the log names only another one', async () => {
  for (const wrong of ['000001', '000002', '000003']) await ask('carol', wrong, { source: '192.0.2.1' });
  await fold();
  expect(await ask('carol', '000004', { source: '203.0.113.9' })).toBe('wrong_otp');
  const before = await states();
  await restart();
  expect(await states()).toEqual(before);
  expect(await ask('carol', codeAt(clock.step), { source: '192.0.2.1' })).toBe('locked');
  await fold();
  await restart();
  expect(await states()).toEqual(before);
});

test('killed after any of its steps a fold loses nothing, and the next one finishes', async () => {
  await live();
  const before = await states();
  for (let steps = 0; ; steps++) {
    const finished = await foldKilledAfter(steps);
    expect(await states()).toEqual(before);
    await restart();
    expect(await states()).toEqual(before);
    if (finished) break;
  }
  expect([node.overlay?.tokens.size, node.overlay?.lockouts.size]).toEqual([0, 0]);
  expect(await made.database.records('event_index').where({ user_key: userKey(users[0]?.id ?? '') })).toHaveLength(1);
});

/** True where it had come to its end by then. */
async function foldKilledAfter(steps: number): Promise<boolean> {
  const { ledger, overlay, directory, feed, database } = node;
  if (!(ledger instanceof EmbeddedLedger) || overlay === null) throw new Error('this is SQLite');
  let taken = 0;
  const inTurn = (turn: () => Promise<void>): Promise<void> =>
    taken++ < steps ? ledger.inTurn(turn) : Promise.reject(new Error('killed'));
  const killed = new Fold({
    db: database.ledger,
    ledger: { inTurn },
    overlay,
    directory,
    feed,
    onError: () => undefined,
  });
  return killed.fold().then(
    () => true,
    () => false,
  );
}

test('reads that are under way while it folds never bring back an old floor', async () => {
  const floor = clock.step + 1;
  let reading = true;
  const seen = new Set<number | undefined>();
  for (let round = 0; round < 20; round++) {
    clock.advance(30_000);
    expect(await ask('alice', codeAt(clock.step))).toBe('accepted');
    reading = true;
    const reader = (async () => {
      while (reading) {
        const { value } = await node.directory.userByName('alice', true);
        seen.add((value?.tokens[0]?.state.floor ?? 0) - clock.step);
      }
    })();
    await fold();
    reading = false;
    await reader;
    expect(await ask('alice', codeAt(clock.step))).toBe('replayed_otp');
  }
  expect(clock.step).toBeGreaterThan(floor);
  expect([...seen]).toEqual([1]);
});

test('a slow read that began before the tables were written still brings the new floor', async () => {
  const { records } = made.database;
  expect(await ask('alice', codeAt(clock.step))).toBe('accepted');
  await records.raw('alter table lockouts rename to quick');
  await records.raw(`create view lockouts as select quick.* from
    (with recursive count(i) as (select 1 union all select i + 1 from count where i < 3000000) select max(i) from count) slow
    cross join quick`);
  const read = Promise.resolve(node.directory.userByName('alice', true));
  let over = false;
  read.then(() => {
    over = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const [before] = await records('meta').where({ key: 'foldMark' });
  expect([over, before]).toEqual([false, undefined]);
  await fold();
  expect((await read).value?.tokens[0]?.state.floor).toBe(clock.step + 1);
});

test('a copy of the user in the cache that was not decided on does not bring the code back after the fold', async () => {
  expect(await ask('alice', '000001')).toBe('wrong_otp');
  // The resource changes, so the decision is made again on fresh facts while the old ones of the user stay in the cache.
  await change(made.database.records, 'resource', [vpn.pk], (tx) =>
    tx('resources').where({ pk: vpn.pk }).increment('revision', 1),
  );
  expect(await ask('alice', codeAt(clock.step))).toBe('accepted');
  await fold();
  expect(await ask('alice', codeAt(clock.step))).toBe('replayed_otp');
});

test('an unlock is heard of by whoever reads its traces, before the feed is due', async () => {
  await node.feed.stop();
  const [alice] = users;
  for (const wrong of ['000001', '000002', '000003']) await ask('alice', wrong);
  await unlock(made.database.records, alice?.pk ?? 0);
  const { value } = await node.directory.userByName('alice', true);
  expect(value?.lockouts.size).toBe(0);
  expect(await ask('alice', codeAt(clock.step))).toBe('accepted');
  await fold();
  expect(await made.database.records('lockouts')).toEqual([]);
});

test('an unlock between the failures and the fold is not undone by the fold', async () => {
  const other = connect(made.config, 'records');
  for (const wrong of ['000001', '000002', '000003']) await ask('carol', wrong);
  await node.feed.stop();
  await unlock(other, users[2]?.pk ?? 0);
  await fold();
  expect(await other('lockouts')).toEqual([]);
  await other.destroy();
  await restart();
  expect(await ask('carol', codeAt(clock.step))).toBe('accepted');
});

test('a floor that was moved in the table (a resynchronisation) holds against memory, also after a fold', async () => {
  expect(await ask('alice', codeAt(clock.step))).toBe('accepted');
  const [alice] = users;
  const raised = clock.step + 2;
  await change(made.database.records, 'user', [alice?.pk ?? 0], async (tx) => {
    await tx('token_state')
      .whereIn(
        'token_pk',
        tx('tokens')
          .select('pk')
          .where({ user_pk: alice?.pk ?? 0 }),
      )
      .update({ floor: raised });
    await tx('users')
      .where({ pk: alice?.pk ?? 0 })
      .increment('revision', 1);
  });
  expect(await ask('alice', codeAt(clock.step + 1))).toBe('replayed_otp');
  await fold();
  expect(await ask('alice', codeAt(clock.step + 1))).toBe('replayed_otp');
  clock.advance(60_000);
  expect(await ask('alice', codeAt(raised))).toBe('accepted');
});

test('a writer that changes records all the time does not keep it from folding', async () => {
  await live();
  const before = await states();
  const other = connect(made.config, 'records');
  let writing = true;
  const writer = (async () => {
    while (writing) await change(other, 'group', [1], async () => undefined);
  })();
  await fold();
  writing = false;
  await writer;
  await other.destroy();
  expect(node.overlay?.lockouts.size).toBe(0);
  await restart();
  expect(await states()).toEqual(before);
});

test('it looks by itself, and indexes the events of records too while nobody signs in', async () => {
  const [alice] = users;
  const writer = new ChangeWriter('w');
  await made.database.records.transaction(async (tx) => {
    const name = { record: 'user', recordId: alice?.id ?? '', name: 'alice', userId: alice?.id ?? '' };
    await writer.write(tx, [{ action: 'updated', ...name }], { name: 'cli:root', source: null }, instant(0));
  });
  node.fold?.start();
  await vi.waitFor(
    async () =>
      expect(await made.database.records('event_index').where({ user_key: userKey(alice?.id ?? '') })).toHaveLength(1),
    { timeout: 15_000 },
  );
});
