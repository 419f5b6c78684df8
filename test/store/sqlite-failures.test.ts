/** A SQLite file that cannot be written for a while: nothing is answered that is not on disk, and the process goes on by itself. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { connect } from '../../src/store/database.js';
import { refreshUserFacts } from '../../src/store/user-facts.js';
import { makeDatabase, type TestDatabase } from '../support/database.js';
import {
  addResource,
  addUser,
  codeAt,
  gaps,
  loggedEvents,
  type Placed,
  startNode,
  TestClock,
  type TestNode,
} from '../support/fixtures.js';

/** What the driver itself can and knex cannot: several statements with nobody in between. */
interface RawConnection {
  exec(sql: string, done: (error: Error | null) => void): void;
}

let made: TestDatabase;
let clock: TestClock;
let node: TestNode;
let vpn: Placed;

beforeEach(async () => {
  made = await makeDatabase('sqlite');
  clock = new TestClock();
  vpn = await addResource(made.database.records, 'vpn', {
    lockout: { failures: 1_000, window: '15m', duration: '10m' },
  });
  await addUser(made.database.records, { login: 'alice', resources: [vpn.pk] });
  node = await startNode(made.config, clock.read);
});
afterEach(async () => {
  expect(gaps(await loggedEvents(made.database.records))).toEqual([]);
  await node.stop();
  await made.drop();
});

const ask = async (code: string): Promise<string> => {
  const decision = await node.ask({ login: 'alice', code, resourceId: vpn.id });
  return decision.outcome === 'refused' ? decision.reason : decision.outcome;
};
const recovered = () => vi.waitFor(() => expect(node.ledger.healthy).toBe(true), { timeout: 15_000 });

test('while another process holds the file nothing is answered, and afterwards the code is still good', async () => {
  expect(await ask('000001')).toBe('wrong_otp');
  await node.database.ledger.raw('pragma busy_timeout = 100');
  const other = connect(made.config, 'records');
  await other.raw('begin immediate');
  expect(await ask(codeAt(clock.step))).toBe('unavailable');
  expect(node.ledger.healthy).toBe(false);
  expect(await ask(codeAt(clock.step))).toBe('unavailable');
  await other.raw('rollback');
  await other.destroy();
  await recovered();
  expect(await ask(codeAt(clock.step))).toBe('accepted');
  expect(await ask(codeAt(clock.step))).toBe('replayed_otp');
  expect((await loggedEvents(made.database.records)).map(({ outcome, reason }) => reason ?? outcome)).toEqual([
    'wrong_otp',
    'accepted',
    'replayed_otp',
  ]);
});

test('a wait that is short enough is only a wait', async () => {
  await ask('000001');
  const other = connect(made.config, 'records');
  await other.raw('begin immediate');
  const decision = ask(codeAt(clock.step));
  await new Promise((resolve) => setTimeout(resolve, 200));
  await other.raw('commit');
  await other.destroy();
  expect(await decision).toBe('accepted');
  expect(node.ledger.healthy).toBe(true);
});

test('a block that is heard of while the ledger waits for the file still comes before the acceptance', async () => {
  expect(await ask('000001')).toBe('wrong_otp');
  await node.database.ledger.raw('pragma busy_timeout = 0');
  const other = connect(made.config, 'records');
  await other.raw('begin immediate');
  const decision = ask(codeAt(clock.step));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await other.raw('update users set active = 0, revision = revision + 1');
  await refreshUserFacts(other, null);
  await other('changes').insert({ kind: 'user', pks: null, time: 0 });
  // One writer after the other: the ledger finds no moment between them, and reads the feed before it gets the file.
  const raw: RawConnection = await other.client.acquireConnection();
  await new Promise<void>((resolve, reject) => {
    raw.exec('commit; begin immediate', (error) => (error === null ? resolve() : reject(error)));
  });
  other.client.releaseConnection(raw);
  await node.feed.poll();
  await other.raw('commit');
  await other.destroy();
  expect(await decision).toBe('user_inactive');
});

test('a disk that is full refuses nobody and accepts nobody, and what was answered is in the log', async () => {
  const { ledger } = node.database;
  expect(await ask(codeAt(clock.step))).toBe('accepted');
  const [{ page_count: pages }] = await ledger.raw('pragma page_count');
  await ledger.raw(`pragma max_page_count = ${pages}`);
  const answers: string[] = [];
  for (let guess = 0; guess < 500 && answers.at(-1) !== 'unavailable'; guess++)
    answers.push(await ask(String(guess).padStart(6, '0')));
  expect(answers.at(-1)).toBe('unavailable');
  expect(node.ledger.healthy).toBe(false);
  expect(await loggedEvents(made.database.records)).toHaveLength(answers.length);
  await ledger.raw('pragma max_page_count = 1000000');
  await recovered();
  expect(await ask(codeAt(clock.step))).toBe('replayed_otp');
  expect(await ask(codeAt(clock.step + 1))).toBe('accepted');
});

test('a hundred that ask while the file is held learn nothing, and nothing of theirs is spent or counted', async () => {
  for (let i = 0; i < 100; i++) await addUser(made.database.records, { login: `u${i}`, resources: [vpn.pk] });
  await node.database.ledger.raw('pragma busy_timeout = 50');
  const other = connect(made.config, 'records');
  await other.raw('begin immediate');
  const asking = (i: number) => node.ask({ login: `u${i}`, code: codeAt(clock.step), resourceId: vpn.id });
  const held = await Promise.all(Array.from({ length: 100 }, (_, i) => asking(i)));
  expect(new Set(held.map(({ outcome }) => outcome))).toEqual(new Set(['unavailable']));
  await other.raw('rollback');
  await other.destroy();
  await recovered();
  const after = await Promise.all(Array.from({ length: 100 }, (_, i) => asking(i)));
  expect(new Set(after.map(({ outcome }) => outcome))).toEqual(new Set(['accepted']));
});
