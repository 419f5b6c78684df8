/** Two deciding nodes on one PostgreSQL, and what becomes of them when the database or the way to it fails. */
import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import type { Knex } from 'knex';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connect, type DatabaseConfig } from '../../src/store/database.js';
import { ENGINES, makeDatabase, type TestDatabase } from '../support/database.js';
import {
  addResource,
  addUser,
  block,
  codeAt,
  gaps,
  loggedEvents,
  type Placed,
  startNode,
  TestClock,
  type TestNode,
  tally,
} from '../support/fixtures.js';

describe.runIf(ENGINES.includes('postgres'))('two nodes on one PostgreSQL', () => {
  let made: TestDatabase;
  let db: Knex;
  let clock: TestClock;
  let a: TestNode;
  let b: TestNode;
  let vpn: Placed;

  beforeEach(async () => {
    made = await makeDatabase('postgres');
    db = made.database.records;
    clock = new TestClock();
    vpn = await addResource(db, 'vpn', { lockout: { failures: 3, window: '15m', duration: '10m' } });
    [a, b] = await Promise.all([startNode(made.config, clock.read), startNode(made.config, clock.read)]);
  });
  afterEach(async () => {
    expect(gaps(await loggedEvents(db))).toEqual([]);
    await Promise.all([a.stop(), b.stop()]);
    await made.drop();
  });

  const ask = (node: TestNode, code: string, more: { login?: string; datagram?: string } = {}) =>
    node.ask({ login: 'alice', code, resourceId: vpn.id, ...more });
  const outcome = async (node: TestNode, code: string, more: { login?: string; datagram?: string } = {}) => {
    const decision = await ask(node, code, more);
    return decision.outcome === 'refused' ? decision.reason : decision.outcome;
  };
  const alice = (more: { type?: 'hotp'; floor?: number } = {}) =>
    addUser(db, { login: 'alice', aliases: ['asmith'], resources: [vpn.pk], ...more });
  const accepted = async () => (await loggedEvents(db)).filter((event) => event.outcome === 'accepted').length;

  test('OTP-6: of forty requests with one code, over both and under login and alias, one is accepted', async () => {
    await alice();
    for (let round = 0; round < 5; round++) {
      clock.advance(30_000);
      const decisions = await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          ask(i % 2 === 0 ? a : b, codeAt(clock.step), { login: i % 4 < 2 ? 'alice' : 'asmith' }),
        ),
      );
      expect(tally(decisions)).toEqual({ accepted: 1, replayed_otp: 39 });
      expect(await accepted()).toBe(round + 1);
    }
  });

  test('a counter that moved on one node is where the other one looks', async () => {
    await alice({ type: 'hotp', floor: 0 });
    expect(await outcome(a, codeAt(0))).toBe('accepted');
    expect(await outcome(b, codeAt(9))).toBe('accepted');
    expect(await outcome(a, codeAt(19))).toBe('accepted');
    expect(await outcome(b, codeAt(19))).toBe('replayed_otp');
    expect(await outcome(b, codeAt(29))).toBe('accepted');
    expect(await outcome(a, codeAt(9))).toBe('wrong_otp');
  });

  test('a user who is blocked through one node is out on the other at once', async () => {
    const { pk } = await alice();
    expect([await outcome(a, '000001'), await outcome(b, '000001')]).toEqual(['wrong_otp', 'wrong_otp']);
    await b.feed.stop();
    await block(a.database.records, pk);
    expect(b.directory.cachedUser(pk)?.active).toBe(true);
    expect(await outcome(b, codeAt(clock.step))).toBe('user_inactive');
  });

  test('guesses over both nodes count as one, and the lock holds on both', async () => {
    await alice();
    const decisions = await Promise.all(
      Array.from({ length: 20 }, (_, i) => ask(i % 2 === 0 ? a : b, String(i).padStart(6, '0'))),
    );
    const { wrong_otp = 0, locked = 0, unavailable = 0 } = tally(decisions);
    // One that met the other node's commit twice is not answered; it has not guessed either.
    expect(wrong_otp).toBe(3);
    expect(locked + unavailable).toBe(17);
    expect((await loggedEvents(db)).filter(({ reason }) => reason === 'wrong_otp')).toHaveLength(3);
    expect([await outcome(a, codeAt(clock.step)), await outcome(b, codeAt(clock.step))]).toEqual(['locked', 'locked']);
  });

  test('a lock that came on one node is in the way of an acceptance that the other has decided on', async () => {
    await alice();
    // b knows her without a failure: its acceptance would clear nothing, and only the lock itself is in its way.
    expect((await b.directory.userByName('alice', false)).value?.lockouts.size).toBe(0);
    for (const wrong of ['000001', '000002', '000003']) expect(await outcome(a, wrong)).toBe('wrong_otp');
    expect(b.directory.userByName('alice', false)).not.toBeInstanceOf(Promise);
    expect(await outcome(b, codeAt(clock.step))).toBe('locked');
    expect(await accepted()).toBe(0);
  });

  test('a code is not spent by an acceptance whose counters another node has moved', async () => {
    await alice();
    expect(await outcome(b, '000001')).toBe('wrong_otp');
    expect(await outcome(a, '000002')).toBe('wrong_otp');
    // b clears a counter that is no longer what it saw: sent back, decided again, and the code is still good.
    expect(await outcome(b, codeAt(clock.step))).toBe('accepted');
    expect(await accepted()).toBe(1);
  });

  test('a statement whose connection is ended in the middle is not answered and not run again', async () => {
    const { token } = await alice();
    expect(await outcome(a, '000001')).toBe('wrong_otp');
    const holder = connect(made.config, 'records');
    const hold = await holder.transaction();
    await hold.raw('select 1 from token_state where token_pk = ? for update', [token.pk]);
    const decision = outcome(a, codeAt(clock.step));
    await waitForLock(holder);
    await holder.raw(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    expect(await decision).toBe('unavailable');
    expect(a.ledger.healthy).toBe(false);
    await hold.commit();
    await holder.destroy();
    await vi.waitFor(() => expect(a.ledger.healthy).toBe(true), { timeout: 10_000 });
    expect(await accepted()).toBe(0);
    expect(await outcome(a, codeAt(clock.step))).toBe('accepted');
    expect(await accepted()).toBe(1);
  });

  test('what waits behind a statement that failed is not answered either, and all of it works afterwards', async () => {
    const { token } = await alice();
    for (let i = 0; i < 20; i++) await addUser(db, { login: `u${i}`, resources: [vpn.pk] });
    const holder = connect(made.config, 'records');
    const hold = await holder.transaction();
    await hold.raw('select 1 from token_state where token_pk = ? for update', [token.pk]);
    const first = ask(a, codeAt(clock.step));
    await waitForLock(holder);
    const others = Array.from({ length: 20 }, (_, i) => ask(a, codeAt(clock.step), { login: `u${i}` }));
    await holder.raw(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    expect((await first).outcome).toBe('unavailable');
    await hold.commit();
    await holder.destroy();
    const early = tally(await Promise.all(others));
    await vi.waitFor(() => expect(a.ledger.healthy).toBe(true), { timeout: 10_000 });
    const later = tally(
      await Promise.all(Array.from({ length: 20 }, (_, i) => ask(a, codeAt(clock.step), { login: `u${i}` }))),
    );
    // Each code was accepted once, now or then; nothing was both unanswered and spent.
    expect((early['accepted'] ?? 0) + (later['accepted'] ?? 0)).toBe(20);
    expect(await accepted()).toBe(20);
  });

  test('a statement that the database finishes after the network was cut leaves numbers without a gap, and the same datagram is accepted', async () => {
    const { token } = await alice();
    await addUser(db, { login: 'bob', resources: [vpn.pk] });
    const proxy = await Network.before(made.config);
    const c = await startNode(proxy.config, clock.read);
    expect(await outcome(c, '000001')).toBe('wrong_otp');
    const holder = connect(made.config, 'records');
    const hold = await holder.transaction();
    await hold.raw('select 1 from token_state where token_pk = ? for update', [token.pk]);
    const decision = outcome(c, codeAt(clock.step), { datagram: 'd1' });
    await waitForLock(holder);
    proxy.cut();
    expect(await decision).toBe('unavailable');
    await vi.waitFor(() => expect(c.ledger.healthy).toBe(true), { timeout: 10_000 });
    // The node goes on with others while the old statement still waits in the database.
    expect(await outcome(c, codeAt(clock.step), { login: 'bob' })).toBe('accepted');
    await hold.commit();
    await vi.waitFor(async () => expect(await accepted()).toBe(2), { timeout: 10_000 });
    await holder.destroy();
    expect(await outcome(c, codeAt(clock.step), { datagram: 'd2' })).toBe('replayed_otp');
    expect(await outcome(c, codeAt(clock.step), { datagram: 'd1' })).toBe('accepted');
    const [state] = await db('token_state').where({ token_pk: token.pk });
    expect(Number(state.floor)).toBe(clock.step + 1);
    await c.stop();
    await proxy.close();
  });

  test('a database that falls silent is given up in time, and taken up again', async () => {
    await alice();
    const proxy = await Network.before(made.config);
    const c = await startNode(proxy.config, clock.read);
    expect(await outcome(c, '000001')).toBe('wrong_otp');
    proxy.hold();
    expect(await outcome(c, codeAt(clock.step))).toBe('unavailable');
    proxy.cut();
    await vi.waitFor(async () => expect(await outcome(c, codeAt(clock.step + 1))).toBe('accepted'), {
      timeout: 15_000,
      interval: 200,
    });
    await c.stop();
    await proxy.close();
  }, 40_000);
});

/** Resolves once some statement of this database waits for a row. */
async function waitForLock(db: Knex): Promise<void> {
  await vi.waitFor(
    async () => {
      const { rows } = await db.raw(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rows).toHaveLength(1);
    },
    { timeout: 5_000, interval: 20 },
  );
}

/** A stretch of network in front of the database that can be cut or fall silent. */
class Network {
  readonly config: DatabaseConfig;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #holding = false;

  private constructor(server: Server, config: DatabaseConfig) {
    this.#server = server;
    this.config = config;
  }

  static async before(config: DatabaseConfig): Promise<Network> {
    if (config.client !== 'pg') throw new Error('PostgreSQL has a network');
    const url = new URL(config.connection);
    const target = Number(url.port);
    const server = createServer((near) => {
      const far = connectTcp(target, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        proxy.#sockets.add(from);
        from.on('data', (octets) => {
          if (!proxy.#holding) to.write(octets);
        });
        from.on('error', () => undefined);
        // The far end is not told of a cut: the database goes on with what it has begun.
        if (from === far) from.on('close', () => near.destroy());
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    url.port = String(address.port);
    const proxy = new Network(server, { client: 'pg', connection: url.toString() });
    return proxy;
  }

  /** Connections end here, without a word to the database; new ones work. */
  cut(): void {
    this.#holding = false;
    for (const socket of this.#sockets) if (socket.localPort === this.#port()) socket.destroy();
  }

  /** Nothing goes either way any more. */
  hold(): void {
    this.#holding = true;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #port(): number {
    const address = this.#server.address();
    return address === null || typeof address === 'string' ? 0 : address.port;
  }
}
