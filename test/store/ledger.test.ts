import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../src/store/database.js';
import { ENGINES, makeDatabase, type TestDatabase } from '../support/database.js';
import {
  addResource,
  addUser,
  block,
  change,
  codeAt,
  gaps,
  loggedEvents,
  type Placed,
  startNode,
  TestClock,
  type TestNode,
  tally,
  unlock,
} from '../support/fixtures.js';

describe.each(ENGINES)('the ledger over %s', (engine) => {
  let made: TestDatabase;
  let clock: TestClock;
  let node: TestNode;
  let vpn: Placed;
  const nodes: TestNode[] = [];

  const start = async (): Promise<TestNode> => {
    const started = await startNode(made.config, clock.read);
    nodes.push(started);
    return started;
  };
  const restart = async (): Promise<TestNode> => {
    await node.stop();
    node = await start();
    return node;
  };
  const outcome = async (decision: Promise<{ outcome: string; reason?: string }>): Promise<string> => {
    const { outcome, reason } = await decision;
    return reason ?? outcome;
  };

  beforeEach(async () => {
    made = await makeDatabase(engine);
    clock = new TestClock();
    vpn = await addResource(made.database.records, 'vpn', { lockout: { failures: 3, window: '15m', duration: '10m' } });
    node = await start();
  });
  afterEach(async () => {
    expect(nodes.flatMap(({ errors }) => errors)).toEqual([]);
    for (const started of nodes.splice(0)) await started.stop().catch(() => undefined);
    await made.drop();
  });

  const alice = (more: Partial<Parameters<typeof addUser>[1]> = {}) =>
    addUser(made.database.records, { login: 'alice', aliases: ['asmith'], resources: [vpn.pk], ...more });
  const askAlice = (code: string, more: { login?: string; source?: string; datagram?: string } = {}) => ({
    login: 'alice',
    code,
    resourceId: vpn.id,
    ...more,
  });

  test('an acceptance is on disk when it is answered, and another connection reads it', async () => {
    const { token } = await alice();
    const decision = await node.ask(askAlice(codeAt(clock.step)));
    const other = connect(made.config, 'records');
    const [event] = await other('events').where({ kind: 'authentication' });
    await other.destroy();
    expect(decision.outcome).toBe('accepted');
    expect(event).toMatchObject({ outcome: 'accepted', login: 'alice', writer: node.writer });
    expect([Number(event.token_pk), Number(event.step)]).toEqual([token.pk, clock.step]);
  });

  test('OTP-6: of forty requests at once with one code one is accepted and the others are replays', async () => {
    await alice();
    const decisions = await Promise.all(Array.from({ length: 40 }, () => node.ask(askAlice(codeAt(clock.step)))));
    expect(tally(decisions)).toEqual({ accepted: 1, replayed_otp: 39 });
    const events = await loggedEvents(made.database.records);
    expect(events.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(1);
    expect(events.filter(({ reason }) => reason === 'replayed_otp')).toHaveLength(39);
    expect(gaps(events)).toEqual([]);
  });

  test('a code under the alias is the same code as under the login', async () => {
    await alice();
    const decisions = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        node.ask(askAlice(codeAt(clock.step), { login: i % 2 === 0 ? 'alice' : 'asmith' })),
      ),
    );
    expect(tally(decisions)).toEqual({ accepted: 1, replayed_otp: 29 });
  });

  test('an accepted step is not accepted again after a restart', async () => {
    await alice();
    expect(await outcome(node.ask(askAlice(codeAt(clock.step))))).toBe('accepted');
    await restart();
    expect(await outcome(node.ask(askAlice(codeAt(clock.step))))).toBe('replayed_otp');
    expect(await outcome(node.ask(askAlice(codeAt(clock.step - 1))))).toBe('replayed_otp');
    expect(await outcome(node.ask(askAlice(codeAt(clock.step + 1))))).toBe('accepted');
    expect(gaps(await loggedEvents(made.database.records))).toEqual([]);
  });

  test('an accepted counter is not accepted again after a restart', async () => {
    await alice({ type: 'hotp', floor: 5 });
    expect(await outcome(node.ask(askAlice(codeAt(7))))).toBe('accepted');
    await restart();
    expect(await outcome(node.ask(askAlice(codeAt(7))))).toBe('replayed_otp');
    expect(await outcome(node.ask(askAlice(codeAt(6))))).toBe('replayed_otp');
    expect(await outcome(node.ask(askAlice(codeAt(8))))).toBe('accepted');
  });

  test('the very datagram that was accepted is accepted again after a restart, and consumes nothing', async () => {
    await alice();
    expect(await outcome(node.ask(askAlice(codeAt(clock.step), { datagram: 'd1' })))).toBe('accepted');
    await restart();
    expect(await outcome(node.ask(askAlice(codeAt(clock.step), { datagram: 'd2' })))).toBe('replayed_otp');
    expect(await outcome(node.ask(askAlice(codeAt(clock.step), { datagram: 'd1' })))).toBe('accepted');
    const rows: { step: unknown }[] = await made.database
      .records('events')
      .where({ outcome: 'accepted' })
      .orderBy('pos');
    expect(rows.map(({ step }) => (step === null ? null : Number(step)))).toEqual([clock.step, null]);
  });

  test('a lock holds after a restart, unlocking opens it at once, and it stays open after another restart', async () => {
    const { pk } = await alice();
    for (const wrong of ['000001', '000002', '000003'])
      expect(await outcome(node.ask(askAlice(wrong)))).toBe('wrong_otp');
    expect(await outcome(node.ask(askAlice(codeAt(clock.step))))).toBe('locked');
    await restart();
    expect(await outcome(node.ask(askAlice(codeAt(clock.step))))).toBe('locked');
    await unlock(made.database.records, pk);
    await node.feed.poll();
    await restart();
    expect(await outcome(node.ask(askAlice(codeAt(clock.step))))).toBe('accepted');
  });

  test('unlocking reaches a running node though nothing was folded', async () => {
    const { pk } = await alice();
    for (const wrong of ['000001', '000002', '000003']) await node.ask(askAlice(wrong));
    expect(await outcome(node.ask(askAlice(codeAt(clock.step))))).toBe('locked');
    await unlock(made.database.records, pk);
    expect(await outcome(node.ask(askAlice(codeAt(clock.step))))).toBe('accepted');
    for (const wrong of ['000001', '000002']) expect(await outcome(node.ask(askAlice(wrong)))).toBe('wrong_otp');
  });

  test('a block that another connection commits between read and commit is obeyed', async () => {
    const { pk } = await alice();
    await node.ask(askAlice('000001'));
    const decision = node.ask(askAlice(codeAt(clock.step)));
    await block(made.database.records, pk);
    const first = await outcome(decision);
    const events = await loggedEvents(made.database.records);
    const last = events.at(-1);
    // Either it was on disk before the block, or the block is what it met.
    expect(last).toMatchObject(first === 'accepted' ? { outcome: 'accepted' } : { reason: 'user_inactive' });
    expect(await outcome(node.ask(askAlice(codeAt(clock.step + 1))))).toBe('user_inactive');
  });

  test('a block is obeyed though the cache has not heard of it', async () => {
    const { pk } = await alice();
    await node.ask(askAlice('000001'));
    await node.feed.stop();
    await block(made.database.records, pk);
    expect(node.directory.cachedUser(pk)?.active).toBe(true);
    expect(await outcome(node.ask(askAlice(codeAt(clock.step))))).toBe('user_inactive');
    const events = await loggedEvents(made.database.records);
    expect(events.map(({ reason }) => reason)).toEqual(['wrong_otp', 'user_inactive']);
    expect(gaps(events)).toEqual([]);
  });

  test('a decision that is handed to the ledger after a block is sent back, and nothing is written', async () => {
    const { pk } = await alice();
    await node.ask(askAlice('000001'));
    const entry = await entryFor(node, clock, vpn.id);
    await block(made.database.records, pk);
    expect(await node.ledger.commit(entry)).toEqual({ kind: 'stale' });
    expect(await loggedEvents(made.database.records)).toHaveLength(1);
    const [state] = await made.database.records('token_state');
    expect(Number(state.floor)).toBe(0);
  });

  test('a resource that was switched off while the user was read sends the decision back', async () => {
    await alice();
    await node.ask(askAlice('000001'));
    const entry = await entryFor(node, clock, vpn.id);
    await change(made.database.records, 'resource', [vpn.pk], (tx) =>
      tx('resources')
        .where({ pk: vpn.pk })
        .update({ active: false, revision: tx.raw('revision + 1') }),
    );
    expect(await node.ledger.commit(entry)).toEqual({ kind: 'stale' });
    expect(await outcome(node.ask(askAlice(codeAt(clock.step))))).toBe('resource_inactive');
  });

  test('a group that loses the resource takes the way in from its members', async () => {
    const { records } = made.database;
    let staff = 0;
    await change(records, 'group', null, async (tx) => {
      const [row] = await tx('groups')
        .insert({ id: 'g', name: 'staff', name_key: 'staff', created_at: 0, updated_at: 0 })
        .returning('pk');
      staff = Number(row.pk);
    });
    await addUser(records, { login: 'bob', groups: [staff] });
    const bob = (code: string) => outcome(node.ask({ login: 'bob', code, resourceId: vpn.id }));
    expect(await bob(codeAt(clock.step))).toBe('not_assigned');
    const link = (work: (tx: typeof records) => Promise<unknown>) =>
      change(records, 'resource', [vpn.pk], async (tx) => {
        await work(tx);
        await tx('resources').where({ pk: vpn.pk }).increment('revision', 1);
      });
    await link(async (tx) => tx('group_resources').insert({ group_pk: staff, resource_pk: vpn.pk }));
    expect(await bob(codeAt(clock.step))).toBe('accepted');
    await link(async (tx) => tx('group_resources').delete());
    expect(await bob(codeAt(clock.step + 1))).toBe('not_assigned');
  });

  test('two hundred decisions while another writer changes records all the time all come out right', async () => {
    const { records } = made.database;
    const other = connect(made.config, 'records');
    const users = [];
    for (let i = 0; i < 200; i++) users.push(await addUser(records, { login: `u${i}`, resources: [vpn.pk] }));
    const { pk: importedPk } = await addUser(records, { login: 'imported' });
    let importing = true;
    let slices = 0;
    const importer = (async () => {
      while (importing) {
        await change(other, 'user', [importedPk], (tx) =>
          tx('users').where({ pk: importedPk }).increment('revision', 1),
        );
        slices += 1;
      }
    })();
    const decisions = await Promise.all(
      users.map((_, i) =>
        node.ask({ login: `u${i}`, code: i % 2 === 0 ? codeAt(clock.step) : '000000', resourceId: vpn.id }),
      ),
    );
    importing = false;
    await importer;
    await other.destroy();
    expect(slices).toBeGreaterThan(0);
    expect(tally(decisions)).toEqual({ accepted: 100, wrong_otp: 100 });
    const events = await loggedEvents(records);
    expect(events).toHaveLength(200);
    expect(gaps(events)).toEqual([]);
  });

  test('a code and the counters that its acceptance clears move together or not at all', async () => {
    const { pk } = await alice();
    await node.ask(askAlice('000001'));
    const entry = await entryFor(node, clock, vpn.id);
    const [counter] = [...(entry.user?.lockouts ?? [])];
    if (counter === undefined) throw new Error('there is a counter');
    const [source, before] = counter;
    // Somebody else has counted in between: what the decision clears is no longer what is there.
    const seen = { ...before, failures: before.failures + 1 };
    const lockouts = [{ source, before: seen, after: { ...before, failures: 0 } }];
    expect(await node.ledger.commit({ ...entry, lockouts })).toEqual({ kind: 'stale' });
    expect(await outcome(node.ask(askAlice(codeAt(clock.step))))).toBe('accepted');
    expect(node.directory.cachedUser(pk)?.lockouts.get(source)?.failures ?? 0).toBe(0);
  });
});

/** The entry of an acceptance of alice's present code, made on what the directory holds now. */
async function entryFor(node: TestNode, clock: TestClock, resourceId: string) {
  const user = await node.directory.userByName('alice', false);
  const resource = await node.directory.resourceById(resourceId, false);
  const [token] = user.value?.tokens ?? [];
  if (token === undefined) throw new Error('alice has a token');
  return {
    event: {
      id: `e-${clock.step}`,
      time: clock.read(),
      outcome: 'accepted',
      reason: null,
      login: 'alice',
      userId: user.value?.id ?? null,
      resource: 'vpn',
      client: 'edge',
      door: 'radius',
      method: 'pap',
      source: '192.0.2.1',
      durationMicros: 0,
      trace: '',
      detail: null,
    },
    user: user.value,
    resource: resource.value,
    position: Math.min(user.position, resource.position),
    consumption: { token, at: clock.step, datagram: null, grace: null },
    lockouts: [],
  } as const;
}
