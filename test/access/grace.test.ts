import { describe, expect, test } from 'vitest';
import type { AccessRequest } from '../../src/access/request.js';
import { millis } from '../../src/base/units.js';
import { aRequest, aResource, aToken, aUser, aWorld, CODE, codeAt, NOW, STEP, withPassword } from './world.js';

const SPAN = 20_000;

/** A bind of an application. */
const aBind = (text: string, change: Partial<AccessRequest> = {}): AccessRequest =>
  aRequest(text, { door: 'ldap', method: 'bind', client: 'wiki', source: null, ...change });
/** A sign-in at a NAS, with a Calling-Station-Id. */
const aLogin = (text: string, change: Partial<AccessRequest> = {}): AccessRequest =>
  aRequest(text, { station: '00-11-22-33-44-55', ...change });

const rebind = (span: number) => aResource({ rebindGrace: millis(span) });
const reconnect = (span: number) => aResource({ reconnectGrace: millis(span) });

describe('LDAP-26 rebind grace', () => {
  test('the same bind is accepted again, consumes nothing and leaves an event that says so', async () => {
    const world = aWorld({ resource: rebind(SPAN) });
    expect(await world.reason(aBind(CODE))).toBe('accepted');
    const floor = world.last().consumption?.token.state.floor;
    expect(await world.reason(aBind(CODE))).toBe('accepted');
    expect(await world.reason(aBind(CODE))).toBe('accepted');
    expect(world.entries).toHaveLength(3);
    expect(world.last()).toMatchObject({
      consumption: null,
      event: { outcome: 'accepted', detail: { repeat: 'within grace' } },
    });
    expect(world.entries[0]?.consumption?.token.state.floor).toBe(floor);
  });

  test('off, a code is good once and nothing is hashed or kept', async () => {
    const world = aWorld();
    expect(await world.reason(aBind(CODE))).toBe('accepted');
    expect(world.last().consumption?.grace).toBeNull();
    expect(await world.reason(aBind(CODE))).toBe('replayed_otp');
    expect(world.graceHashes).toEqual([]);
  });

  test('runs from the acceptance, however often it is used', async () => {
    const world = aWorld({ resource: rebind(SPAN) });
    await world.ask(aBind(CODE));
    for (const after of [8_000, 16_000, SPAN - 1]) {
      world.now = NOW + after;
      expect(await world.reason(aBind(CODE))).toBe('accepted');
    }
    world.now = NOW + SPAN;
    expect(await world.reason(aBind(CODE))).toBe('replayed_otp');
  });

  test('may outlast the steps in which the code itself could match', async () => {
    const world = aWorld({ resource: rebind(300_000) });
    await world.ask(aBind(CODE));
    world.now = NOW + 299_000;
    expect(await world.reason(aBind(CODE))).toBe('accepted');
    expect(world.last()).toMatchObject({ consumption: null, event: { detail: { repeat: 'within grace' } } });
    expect(await world.reason(aBind(CODE, { client: 'blog' }))).toBe('wrong_otp');
    world.now = NOW + 300_000;
    expect(await world.reason(aBind(CODE))).toBe('wrong_otp');
  });

  test('a node whose clock is a little behind knows it too', async () => {
    const world = aWorld({ resource: rebind(SPAN) });
    await world.ask(aBind(CODE));
    world.now = NOW - 1_000;
    expect(await world.reason(aBind(CODE))).toBe('accepted');
    world.now = NOW - SPAN;
    expect(await world.reason(aBind(CODE))).toBe('replayed_otp');
  });

  test.each([
    ['another application', aBind(CODE, { client: 'blog' })],
    ['another peer', aBind(CODE, { peer: '198.51.100.2' })],
    ['another door', aLogin(CODE, { client: 'wiki' })],
    ['the HTTP door', aRequest(CODE, { door: 'http', method: 'api', client: 'wiki' })],
    ['a text that reads as the same code', aBind(` ${CODE}`)],
  ])('is not for %s', async (_, asked) => {
    const world = aWorld({ resource: aResource({ rebindGrace: millis(SPAN), reconnectGrace: millis(SPAN) }) });
    await world.ask(aBind(CODE));
    expect(await world.reason(asked)).toBe('replayed_otp');
    expect(await world.reason(aBind(CODE))).toBe('accepted');
  });

  test('is not for another user who was given the token since', async () => {
    const world = aWorld({ resource: rebind(SPAN) });
    await world.ask(aBind(CODE));
    const tokens = world.users.get('alice')?.tokens ?? [];
    world.users.set('alice', aUser({ pk: 2, id: 'user-2', tokens }));
    expect(await world.reason(aBind(CODE))).toBe('replayed_otp');
  });

  test('ends with the next code, which has one of its own', async () => {
    const world = aWorld({ resource: rebind(SPAN) });
    await world.ask(aBind(CODE));
    expect(await world.reason(aBind(codeAt(STEP + 1)))).toBe('accepted');
    expect(await world.reason(aBind(CODE))).toBe('replayed_otp');
    expect(await world.reason(aBind(codeAt(STEP + 1)))).toBe('accepted');
  });

  test('ends when the resource no longer has one, and does not begin for codes used without', async () => {
    const world = aWorld({ resource: rebind(SPAN) });
    await world.ask(aBind(CODE));
    world.resource = rebind(0);
    expect(await world.reason(aBind(CODE))).toBe('replayed_otp');
    await world.ask(aBind(codeAt(STEP + 1)));
    world.resource = rebind(SPAN);
    expect(await world.reason(aBind(codeAt(STEP + 1)))).toBe('replayed_otp');
  });

  test('all rules hold as ever: a block, a lock, a closed resource', async () => {
    const world = aWorld({ resource: rebind(SPAN) });
    await world.ask(aBind(CODE));
    const alice = world.users.get('alice') ?? aUser();
    world.users.set('alice', { ...alice, active: false });
    expect(await world.reason(aBind(CODE))).toBe('user_inactive');
    world.users.set('alice', alice);
    for (let guess = 0; guess < 3; guess++) await world.ask(aBind(`00000${guess}`));
    expect(await world.reason(aBind(CODE))).toBe('locked');
    world.users.set('alice', { ...alice, lockouts: new Map() });
    world.resource = aResource({ rebindGrace: millis(SPAN), active: false });
    expect(await world.reason(aBind(CODE))).toBe('resource_inactive');
    world.resource = rebind(SPAN);
    expect(await world.reason(aBind(CODE))).toBe('accepted');
  });

  test('with a password the whole credential must be the same, and the password is asked each time', async () => {
    const world = aWorld({ resource: withPassword({ rebindGrace: millis(SPAN) }) });
    expect(await world.reason(aBind(`secret${CODE}`))).toBe('accepted');
    expect(await world.reason(aBind(`secret${CODE}`))).toBe('accepted');
    expect(world.asked).toHaveLength(2);
    expect(await world.reason(aBind(`Secret${CODE}`))).toBe('replayed_otp');
    world.password = 'wrong';
    expect(await world.reason(aBind(`secret${CODE}`))).toBe('wrong_password');
  });

  test('the code in it must be what was consumed, whichever way the field is read', async () => {
    // Six digits behind the code: the field may be read with the code at its end as well, and that reading comes first.
    const resource = withPassword({
      credentialForms: ['otp+password', 'password+otp'],
      rebindGrace: millis(300_000),
    });
    const world = aWorld({ resource });
    const text = `${CODE}000000`;
    expect(await world.reason(aBind(text))).toBe('accepted');
    world.now = NOW + 200_000;
    expect(await world.reason(aBind(text))).toBe('accepted');
    expect(world.asked.at(-1)).toBe('local user-1 alice 000000');
  });

  test('a HOTP code has it too', async () => {
    const tokens = [aToken({ type: 'hotp', state: { floor: 5, lastDatagram: null, lastGrace: null } })];
    const world = aWorld({ resource: rebind(SPAN), users: new Map([['alice', aUser({ tokens })]]) });
    expect(await world.reason(aBind(codeAt(7)))).toBe('accepted');
    expect(await world.reason(aBind(codeAt(7)))).toBe('accepted');
    expect(tokens[0]?.state.floor).toBe(8);
    expect(await world.reason(aBind(codeAt(6)))).toBe('replayed_otp');
  });

  test('where nobody or nothing is found, or the credential did not decode, nothing is hashed', async () => {
    const world = aWorld({ resource: rebind(SPAN) });
    await world.ask(aBind(CODE, { login: 'nobody' }));
    await world.ask(aBind(CODE, { resourceId: 'resource-2' }));
    await world.ask(aBind('', { credential: { kind: 'undecodable' } }));
    expect(world.graceHashes).toEqual([]);
  });

  test('another node that has not heard of the consumption reads again and knows it', async () => {
    const world = aWorld({ resource: rebind(SPAN), shared: true });
    await world.ask(aBind(CODE));
    const known = world.users.get('alice') ?? aUser();
    world.users.set('alice', aUser());
    world.commits.push({ kind: 'stale' });
    world.onLookUp = (_, fresh) => void (fresh && world.users.set('alice', known));
    expect(await world.reason(aBind(CODE))).toBe('accepted');
    expect(world.last()).toMatchObject({ consumption: null, event: { detail: { repeat: 'within grace' } } });
  });
});

describe('RAD-53 reconnect grace', () => {
  test('a retry in another datagram is accepted again and consumes nothing', async () => {
    const world = aWorld({ resource: reconnect(SPAN) });
    expect(await world.reason(aLogin(CODE, { datagram: 'abc' }))).toBe('accepted');
    expect(await world.reason(aLogin(CODE, { datagram: 'xyz', peer: '198.51.100.2' }))).toBe('accepted');
    expect(world.last()).toMatchObject({ consumption: null, event: { detail: { repeat: 'within grace' } } });
    expect(await world.reason(aLogin(CODE, { datagram: 'abc' }))).toBe('accepted');
    expect(world.last().event.detail).toMatchObject({ repeat: 'same datagram' });
  });

  test('off, or asked for the other door, such a retry is a replay', async () => {
    for (const resource of [aResource(), rebind(SPAN)]) {
      const world = aWorld({ resource });
      expect(await world.reason(aLogin(CODE, { datagram: 'abc' }))).toBe('accepted');
      expect(await world.reason(aLogin(CODE, { datagram: 'xyz' }))).toBe('replayed_otp');
      expect(world.graceHashes).toEqual([]);
    }
  });

  test.each([
    ['another client', { client: 'branch' }],
    ['another Calling-Station-Id', { station: '66-77-88-99-AA-BB' }],
    ['no Calling-Station-Id', { station: null }],
  ])('is not for %s', async (_, change) => {
    const world = aWorld({ resource: reconnect(SPAN) });
    await world.ask(aLogin(CODE));
    expect(await world.reason(aLogin(CODE, change))).toBe('replayed_otp');
  });

  test('a NAS that never names a station is one place', async () => {
    const world = aWorld({ resource: reconnect(SPAN) });
    expect(await world.reason(aLogin(CODE, { station: null }))).toBe('accepted');
    expect(await world.reason(aLogin(CODE, { station: null }))).toBe('accepted');
  });
});
