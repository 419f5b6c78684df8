import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../src/access/limits.js';
import { OVERALL, otpKey, passwordKey } from '../../src/access/lockout.js';
import { decodeTrace } from '../../src/access/trace.js';
import { instant } from '../../src/base/units.js';
import { aRequest, aResource, aToken, aUser, aWorld, CODE, codeAt, NOW, STEP, withPassword } from './world.js';

describe('a right code', () => {
  test('is accepted, with the proof that it is on disk', async () => {
    const world = aWorld();
    const decision = await world.ask(aRequest(CODE));
    expect(decision).toEqual({
      outcome: 'accepted',
      proof: { eventId: world.last().event.id },
      userId: 'user-1',
      login: 'alice',
      resource: world.resource,
    });
  });

  test('is consumed at its step, and the event says how it came', async () => {
    const world = aWorld();
    await world.ask(aRequest(CODE, { login: 'ALICE', datagram: 'abc', station: '00-11-22-33-44-55' }));
    const { event, consumption, lockouts, position } = world.last();
    expect(consumption).toMatchObject({ at: STEP, datagram: 'abc', token: { id: 'token-1' } });
    expect(lockouts).toEqual([]);
    expect(position).toBe(1);
    expect(event).toEqual({
      id: `event-${NOW}-0`,
      time: NOW,
      outcome: 'accepted',
      reason: null,
      login: 'ALICE',
      userId: 'user-1',
      resource: 'vpn',
      client: 'edge',
      door: 'radius',
      method: 'pap',
      source: '192.0.2.1',
      durationMicros: 0,
      trace: '1:+++++..+..+++.',
      detail: { station: '00-11-22-33-44-55', user: 'alice' },
    });
  });

  test('without anything to explain leaves no detail, and the peer where no source is known', async () => {
    const world = aWorld();
    await world.ask(aRequest(CODE, { source: null }));
    expect(world.last().event).toMatchObject({ detail: null, source: '198.51.100.1' });
    await world.ask(aRequest(CODE, { station: '192.0.2.1' }));
    expect(world.last().event.detail).toBeNull();
  });

  test('comes by alias and by domain too, and the answer names the login', async () => {
    const alice = aUser({ tokens: [aToken({ type: 'hotp' })] });
    const world = aWorld({
      users: new Map([
        ['asmith', alice],
        ['alice', alice],
      ]),
    });
    const domains = ['CORP', 'corp.example'];
    for (const [at, login] of ['asmith', 'CORP\\alice', 'alice@corp.example'].entries()) {
      expect(await world.ask(aRequest(codeAt(at), { login, domains }))).toMatchObject({
        outcome: 'accepted',
        login: 'alice',
      });
      expect(world.last().event).toMatchObject({ login, detail: { user: 'alice' } });
    }
    expect(world.lookedUp).toEqual(['asmith', 'alice', 'alice@corp.example', 'alice']);
  });

  test.each(['at once', 'later'] as const)('a name with @ that is a login is that login, found %s', async (answers) => {
    const world = aWorld({ answers });
    world.users.set('alice@corp.example', aUser({ pk: 2, id: 'user-2', login: 'alice@corp.example' }));
    const request = aRequest(CODE, { login: 'alice@corp.example', domains: ['corp.example'] });
    expect(await world.ask(request)).toMatchObject({ userId: 'user-2' });
  });

  test('is found where the directory answers later, by whichever name', async () => {
    const world = aWorld({ answers: 'later' });
    const request = aRequest(CODE, { login: 'alice@corp.example', domains: ['corp.example'] });
    expect(await world.reason(request)).toBe('accepted');
    expect(await world.reason(aRequest(CODE))).toBe('replayed_otp');
    expect(await world.reason(aRequest(CODE, { login: 'a b' }))).toBe('unknown_user');
  });

  test('OTP-2 of a HOTP token moves the counter behind it', async () => {
    const token = aToken({ type: 'hotp' });
    const world = aWorld({ users: new Map([['alice', aUser({ tokens: [token] })]]) });
    expect(await world.reason(aRequest(codeAt(4)))).toBe('accepted');
    expect(token.state.floor).toBe(5);
    expect(await world.reason(aRequest(codeAt(3)))).toBe('replayed_otp');
    expect(await world.reason(aRequest(codeAt(5)))).toBe('accepted');
  });
});

describe('each rule refuses with its reason', () => {
  const request = aRequest(CODE);
  const alice = (change: Parameters<typeof aUser>[0]) => new Map([['alice', aUser(change)]]);
  const locked = new Map([[OVERALL, { failures: 30, windowStart: NOW, lockedUntil: instant(NOW + 1000), recent: [] }]]);

  test.each<[string, Parameters<typeof aWorld>[0], typeof request]>([
    ['unknown_user', {}, aRequest(CODE, { login: 'bob' })],
    ['unknown_user', {}, aRequest(CODE, { login: 'CORP\\alice' })],
    ['user_inactive', { users: alice({ active: false }) }, request],
    ['resource_inactive', { resource: null }, request],
    ['resource_inactive', { resource: aResource({ active: false }) }, request],
    ['not_assigned', { users: alice({ resources: [] }) }, request],
    ['method_not_allowed', { resource: aResource({ methods: ['chap'] }) }, request],
    ['source_not_allowed', { resource: aResource({ sourceNetworks: ['10.0.0.0/8'] }) }, request],
    [
      'outside_hours',
      { resource: aResource({ accessHours: [{ days: [], from: '00:00', to: '24:00', timeZone: 'UTC' }] }) },
      request,
    ],
    ['locked', { users: alice({ lockouts: locked }) }, request],
    ['wrong_password', { resource: withPassword(), password: 'wrong' }, aRequest(`horse${CODE}`)],
    ['no_token', { users: alice({ tokens: [] }) }, request],
    ['no_token', { resource: aResource({ tokenTypes: ['hotp'] }) }, request],
    ['wrong_otp', {}, aRequest('000000')],
    [
      'replayed_otp',
      { users: alice({ tokens: [aToken({ state: { floor: STEP + 1, lastDatagram: null, lastGrace: null } })] }) },
      request,
    ],
  ])('%s', async (reason, change, asked) => {
    const world = aWorld(change);
    expect(await world.ask(asked)).toEqual({ outcome: 'refused', reason, eventId: world.last().event.id });
    const { event, consumption } = world.last();
    expect(event).toMatchObject({ outcome: 'refused', reason });
    expect(decodeTrace(event.trace)?.find(({ verdict }) => verdict === false)?.rule).toBe(reason);
    expect(consumption).toBeNull();
  });

  test('upstream_unavailable is no refusal: nothing may be said about the user', async () => {
    const world = aWorld({ resource: withPassword({ firstFactor: 'corp' }), password: 'unavailable' });
    const decision = await world.ask(aRequest(`horse${CODE}`));
    expect(decision).toEqual({ outcome: 'unavailable', cause: 'upstream', eventId: world.last().event.id });
    expect(world.last()).toMatchObject({
      event: { outcome: 'unavailable', reason: 'upstream_unavailable', detail: { upstream: 'corp' } },
      consumption: null,
      lockouts: [],
    });
  });

  test('a refusal leaves the code unspent', async () => {
    const world = aWorld({ resource: aResource({ methods: ['chap'] }) });
    expect(await world.reason(request)).toBe('method_not_allowed');
    world.resource = aResource();
    expect(await world.reason(request)).toBe('accepted');
  });

  test('the event of a lock says when it ends', async () => {
    const world = aWorld({ users: alice({ lockouts: locked }) });
    await world.ask(request);
    expect(world.last().event.detail).toEqual({ lockedUntil: new Date(NOW + 1000).toISOString() });
  });
});

describe('a name that names nobody', () => {
  test('is stored shortened: it may be a password', async () => {
    const world = aWorld();
    await world.ask(aRequest(CODE, { login: 'correct horse' }));
    expect(world.last().event).toMatchObject({ login: 'co…(13)', userId: null });
    expect(world.last().lockouts).toEqual([]);
  });

  test('is stored as it came where the setting says so', async () => {
    const world = aWorld({ unknownLogins: 'full' });
    await world.ask(aRequest(CODE, { login: 'correct horse' }));
    expect(world.last().event.login).toBe('correct horse');
  });
});

describe('OTP-6 single use', () => {
  test('of forty requests with one code at once, exactly one is accepted', async () => {
    for (const answers of ['at once', 'later'] as const) {
      const world = aWorld({ answers });
      const all = await Promise.all(Array.from({ length: 40 }, () => world.reason(aRequest(CODE))));
      expect(all.filter((reason) => reason === 'accepted')).toHaveLength(1);
      expect(all.filter((reason) => reason === 'replayed_otp')).toHaveLength(39);
    }
  });

  test('past those that may wait a request is turned away without an event, and the next finds room', async () => {
    const world = aWorld();
    const all = Promise.all(Array.from({ length: LIMITS.waitingPerUser + 3 }, () => world.ask(aRequest(CODE))));
    const turnedAway = (await all).filter((decision) => decision.outcome === 'unavailable');
    expect(turnedAway).toEqual(Array(2).fill({ outcome: 'unavailable', cause: 'overload', eventId: null }));
    expect(world.entries).toHaveLength(LIMITS.waitingPerUser + 1);
    expect(await world.reason(aRequest(CODE))).toBe('replayed_otp');
  });

  test('wrong guesses at once lock as if they had come one after the other', async () => {
    const world = aWorld();
    const guesses = Array.from({ length: 20 }, (_, guess) => world.reason(aRequest(String(guess).padStart(6, '0'))));
    const reasons = await Promise.all(guesses);
    expect(reasons.filter((reason) => reason === 'wrong_otp')).toHaveLength(3);
    expect(reasons.filter((reason) => reason === 'locked')).toHaveLength(17);
  });

  test('users do not wait for each other', async () => {
    const world = aWorld();
    world.users.set('bob', aUser({ pk: 2, id: 'user-2', login: 'bob', tokens: [aToken({ pk: 2 })] }));
    const line = Array.from({ length: 5 }, () => world.ask(aRequest(CODE)));
    expect(await world.reason(aRequest(CODE, { login: 'bob' }))).toBe('accepted');
    expect(world.entries).toHaveLength(2);
    await Promise.all(line);
  });

  test('the very datagram that consumed a code is accepted again and consumes nothing', async () => {
    const world = aWorld();
    expect(await world.reason(aRequest(CODE, { datagram: 'abc' }))).toBe('accepted');
    expect(await world.reason(aRequest(CODE, { datagram: 'abc' }))).toBe('accepted');
    expect(world.last()).toMatchObject({ consumption: null, event: { detail: { repeat: 'same datagram' } } });
    expect(await world.reason(aRequest(CODE, { datagram: 'xyz' }))).toBe('replayed_otp');
    expect(await world.reason(aRequest(CODE))).toBe('replayed_otp');
    expect(await world.reason(aRequest(codeAt(STEP - 1), { datagram: 'abc' }))).toBe('replayed_otp');
  });
});

describe('OTP-9 several tokens', () => {
  const other = Buffer.from('abcdefghijabcdefghij');

  test('the code chooses the token', async () => {
    const tokens = [aToken({ id: 'first', key: other }), aToken({ pk: 2, id: 'second' })];
    const world = aWorld({ users: new Map([['alice', aUser({ tokens })]]) });
    expect(await world.reason(aRequest(CODE))).toBe('accepted');
    expect(world.last().consumption?.token.id).toBe('second');
  });

  test.each([[['spent', 'fresh']], [['fresh', 'spent']]])('fresh wins over spent, in the order %j', async (order) => {
    const tokens = order.map((id, index) =>
      aToken({
        pk: index + 1,
        id,
        state: { floor: id === 'spent' ? STEP + 1 : 0, lastDatagram: null, lastGrace: null },
      }),
    );
    const world = aWorld({ users: new Map([['alice', aUser({ tokens })]]) });
    expect(await world.reason(aRequest(CODE))).toBe('accepted');
    expect(world.last().consumption?.token.id).toBe('fresh');
  });

  test('of two tokens that show one code the first is used, then the other', async () => {
    const tokens = [aToken({ id: 'first' }), aToken({ pk: 2, id: 'second' })];
    const world = aWorld({ users: new Map([['alice', aUser({ tokens })]]) });
    const used: (string | undefined)[] = [];
    for (let time = 0; time < 2; time++) {
      expect(await world.reason(aRequest(CODE))).toBe('accepted');
      used.push(world.last().consumption?.token.id);
    }
    expect(used).toEqual(['first', 'second']);
    expect(await world.reason(aRequest(CODE))).toBe('replayed_otp');
  });

  test('a token that is bound to another resource opens nothing here', async () => {
    const world = aWorld({ users: new Map([['alice', aUser({ tokens: [aToken({ resources: [9] })] })]]) });
    expect(await world.reason(aRequest(CODE))).toBe('no_token');
  });
});

describe('the first factor', () => {
  test('is asked once, with the password that the matching split leaves', async () => {
    const six = aToken({ key: Buffer.from('abcdefghijabcdefghij') });
    const tokens = [six, aToken({ pk: 2, id: 'eight', digits: 8 })];
    const world = aWorld({ resource: withPassword(), users: new Map([['alice', aUser({ tokens })]]) });
    expect(await world.reason(aRequest(`correct horse${codeAt(STEP, 8)}`))).toBe('accepted');
    expect(world.asked).toEqual(['local user-1 alice correct horse']);
    expect(world.last().consumption?.token.id).toBe('eight');
  });

  test('with no split that matches is asked by the first token’s digits', async () => {
    const tokens = [aToken({ digits: 8 }), aToken({ pk: 2 })];
    const world = aWorld({ resource: withPassword(), users: new Map([['alice', aUser({ tokens })]]) });
    expect(await world.reason(aRequest('correct horse00000000'))).toBe('wrong_otp');
    expect(world.asked).toEqual(['local user-1 alice correct horse']);
  });

  test('when wrong spends nothing, and says so before the code is judged', async () => {
    const world = aWorld({ resource: withPassword(), password: 'wrong' });
    expect(await world.reason(aRequest('wrong horse000000'))).toBe('wrong_password');
    expect(await world.reason(aRequest(`wrong horse${CODE}`))).toBe('wrong_password');
    world.password = 'right';
    expect(await world.reason(aRequest(`correct horse${CODE}`))).toBe('accepted');
  });

  test('is right for a user without a token, who is then told apart', async () => {
    const world = aWorld({ resource: withPassword(), users: new Map([['alice', aUser({ tokens: [] })]]) });
    expect(await world.reason(aRequest(`horse${CODE}`))).toBe('no_token');
    expect(world.asked).toEqual(['local user-1 alice horse']);
  });

  test('is never asked with an empty password', async () => {
    const world = aWorld({ resource: withPassword() });
    expect(await world.reason(aRequest(CODE))).toBe('wrong_password');
    expect(world.asked).toEqual([]);
  });

  test('is an upstream’s business only where all rules before it hold', async () => {
    const world = aWorld({ resource: withPassword({ firstFactor: 'corp', sourceNetworks: ['10.0.0.0/8'] }) });
    expect(await world.reason(aRequest(`horse${CODE}`))).toBe('source_not_allowed');
    expect(await world.reason(aRequest(`horse${CODE}`, { login: 'bob' }))).toBe('unknown_user');
    expect(world.asked).toEqual([]);
  });

  test.each([
    ['unknown_user', aUser(), 'bob'],
    ['user_inactive', aUser({ active: false }), 'alice'],
  ])('of our own does its work for nobody, so that time does not tell: %s', async (reason, user, login) => {
    const world = aWorld({ resource: withPassword(), users: new Map([['alice', user]]) });
    expect(await world.reason(aRequest(`horse${CODE}`, { login }))).toBe(reason);
    expect(world.asked).toEqual([`local nobody ${login} horse`]);
    expect(decodeTrace(world.last().event.trace)?.find(({ rule }) => rule === 'wrong_password')?.verdict).toBeNull();
  });

  test.each(['alice', 'bob'])('that is overloaded turns %s away, known or not, without an event', async (login) => {
    const world = aWorld({ resource: withPassword(), password: 'overload' });
    const decision = await world.ask(aRequest(`horse${CODE}`, { login }));
    expect(decision).toEqual({ outcome: 'unavailable', cause: 'overload', eventId: null });
    expect(world.entries).toEqual([]);
  });

  test('is not asked again where the decision is made again', async () => {
    const world = aWorld({ resource: withPassword(), commits: [{ kind: 'stale' }] });
    expect(await world.reason(aRequest(`horse${CODE}`))).toBe('accepted');
    expect(world.asked).toHaveLength(1);
  });

  test.each([
    ['password', () => aUser({ passwordHash: 'another' }), withPassword()],
    ['way to check it', () => aUser(), withPassword({ firstFactor: 'corp' })],
    ['user', () => aUser({ pk: 2, id: 'user-2' }), withPassword()],
    ['digits', () => aUser({ tokens: [aToken({ digits: 8 })] }), withPassword()],
  ])('is asked again where meanwhile the %s is another', async (_, user, resource) => {
    const world = aWorld({ resource: withPassword() });
    world.commits.push(() => {
      world.users.set('alice', user());
      world.resource = resource;
      return { kind: 'stale' };
    });
    await world.ask(aRequest(`correct horse${CODE}`));
    expect(world.asked).toHaveLength(2);
  });
});

describe('a password that did not decode', () => {
  const unreadable = (change = {}) => aRequest('', { credential: { kind: 'undecodable' }, ...change });

  test.each([
    ['wrong_otp', aResource()],
    ['wrong_password', withPassword()],
  ])('is %s with a hint at the shared secret, and moves nobody’s counter', async (reason, resource) => {
    const world = aWorld({ resource });
    expect(await world.reason(unreadable())).toBe(reason);
    expect(world.last().event.detail).toEqual({ note: 'password is not printable: is the shared secret right?' });
    expect(world.last().lockouts).toEqual([]);
    expect(world.asked).toEqual([]);
  });
});

describe('lockout', () => {
  const wrong = (code: string, source = '192.0.2.1') => aRequest(code, { source });

  test('OTP-4 three wrong codes lock their source, not her own, and a right code there is locked', async () => {
    const world = aWorld();
    for (const code of ['000000', '000001', '000002']) expect(await world.reason(wrong(code))).toBe('wrong_otp');
    expect(await world.reason(wrong(CODE))).toBe('locked');
    expect(await world.reason(wrong(CODE, '203.0.113.9'))).toBe('accepted');
  });

  test('what is kept of a wrong code is its keyed hash', async () => {
    const world = aWorld();
    await world.ask(wrong('000 000'));
    expect(world.last().lockouts.map(({ source, after }) => [source, after.recent])).toEqual([
      [otpKey('192.0.2.1'), ['hash(000000)']],
      [OVERALL, ['hash(000000)']],
    ]);
    await world.ask(wrong('no code'));
    expect(world.last().lockouts[0]?.after.recent).toEqual(['hash(000000)', 'hash(no code)']);
  });

  test('the same wrong code sent again counts once', async () => {
    const world = aWorld();
    for (let attempt = 0; attempt < 10; attempt++) expect(await world.reason(wrong('000000'))).toBe('wrong_otp');
    expect(await world.reason(wrong(CODE))).toBe('accepted');
  });

  test('a code that was right a moment ago counts nowhere', async () => {
    const world = aWorld();
    for (let attempt = 0; attempt < 10; attempt++) await world.ask(wrong(CODE));
    expect(world.last()).toMatchObject({ event: { reason: 'replayed_otp' }, lockouts: [] });
  });

  test('wrong passwords lock their source under a counter of their own', async () => {
    const world = aWorld({ resource: withPassword(), password: 'wrong' });
    for (const password of ['a', 'b', 'c']) await world.ask(aRequest(`${password}${CODE}`));
    expect(world.last().lockouts.map(({ source }) => source)).toEqual([passwordKey('192.0.2.1')]);
    expect(await world.reason(aRequest(`d${CODE}`))).toBe('locked');
    expect(await world.reason(aRequest(`d${CODE}`, { source: '203.0.113.9' }))).toBe('wrong_password');
  });

  test('without a source the peer is it', async () => {
    const world = aWorld();
    await world.ask(aRequest('000000', { source: null }));
    expect(world.last().lockouts[0]?.source).toBe(otpKey('198.51.100.1'));
  });

  test('the lock opens by itself, and an acceptance clears the count', async () => {
    const world = aWorld();
    for (const code of ['000000', '000001', '000002']) await world.ask(wrong(code));
    world.now += 599_999;
    expect(await world.reason(wrong(codeAt(STEP + 19)))).toBe('locked');
    world.now += 1;
    expect(await world.reason(wrong(codeAt(STEP + 20)))).toBe('accepted');
    expect(world.last().lockouts).toMatchObject([{ source: otpKey('192.0.2.1'), after: { failures: 0 } }]);
    await world.ask(wrong(codeAt(STEP + 21)));
    expect(world.last()).toMatchObject({ event: { outcome: 'accepted' }, lockouts: [] });
  });

  test('nobody’s counter moves where the resource is not found', async () => {
    const world = aWorld({ resource: null });
    await world.ask(wrong('000000'));
    expect(world.last().lockouts).toEqual([]);
  });
});

describe('a decision on records that have changed', () => {
  test('is made once more on fresh ones', async () => {
    const world = aWorld();
    world.commits.push(() => {
      world.users.set('alice', aUser({ active: false }));
      return { kind: 'stale' };
    });
    expect(await world.reason(aRequest(CODE))).toBe('user_inactive');
    expect(world.lookedUp).toEqual(['alice', 'alice fresh']);
  });

  test.each([
    [5, 6, 7],
    [7, 5, 6],
    [6, 7, 5],
  ])('is known as such by the lowest position of all reads: %d, %d and %d', async (unknown, user, resource) => {
    for (const answers of ['at once', 'later'] as const) {
      const positions = new Map([
        ['alice@corp.example', unknown],
        ['alice', user],
        ['resource-1', resource],
      ]);
      const world = aWorld({ answers, positions });
      await world.ask(aRequest(CODE, { login: 'alice@corp.example', domains: ['corp.example'] }));
      expect(world.last().position).toBe(5);
      await world.ask(aRequest(CODE, { login: 'a b' }));
      expect(world.last().position).toBe(resource);
    }
  });

  test('and stale a second time is no answer', async () => {
    const world = aWorld({ commits: [{ kind: 'stale' }, { kind: 'stale' }] });
    const decision = await world.ask(aRequest(CODE));
    expect(decision).toEqual({ outcome: 'unavailable', cause: 'store', eventId: null });
    expect(await world.reason(aRequest(CODE))).toBe('accepted');
  });

  test('waits for the turn of the user whose name it is now', async () => {
    const world = aWorld();
    const bob = aUser({ pk: 2, id: 'user-2', login: 'bob', tokens: [aToken({ pk: 2 })] });
    world.commits.push(() => {
      world.users.set('alice', bob);
      return { kind: 'stale' };
    });
    expect(await world.ask(aRequest(CODE))).toMatchObject({ outcome: 'accepted', userId: 'user-2' });
    expect(await world.reason(aRequest(CODE))).toBe('replayed_otp');
  });

  test('gives up on a name that changes hands without end, and lets every turn go', async () => {
    const world = aWorld({ answers: 'later' });
    let pk = 0;
    world.onLookUp = () => {
      pk += 1;
      world.users.set('alice', aUser({ pk }));
    };
    expect(await world.ask(aRequest(CODE))).toMatchObject({ outcome: 'unavailable', cause: 'store' });
    world.onLookUp = () => {};
    for (pk = 1; pk <= LIMITS.rounds; pk++) {
      world.users.set('alice', aUser({ pk }));
      expect(await world.reason(aRequest(CODE))).toBe('accepted');
    }
  });

  test('reads again after its turn came: a user blocked meanwhile is out', async () => {
    const world = aWorld();
    const first = world.reason(aRequest('000000'));
    const second = world.reason(aRequest(CODE));
    world.users.set('alice', aUser({ active: false }));
    expect(await first).toBe('wrong_otp');
    expect(await second).toBe('user_inactive');
  });
});

describe('where other nodes decide on the same tokens', () => {
  /** Another node has accepted counter 0 to 19: what is cached here does not know. */
  const moved = () => {
    const world = aWorld({ shared: true, users: new Map([['alice', aUser({ tokens: [aToken({ type: 'hotp' })] })]]) });
    world.onLookUp = (_, fresh) => {
      if (fresh) {
        const token = aToken({ type: 'hotp', state: { floor: 20, lastDatagram: null, lastGrace: null } });
        world.users.set('alice', aUser({ tokens: [token] }));
      }
    };
    return world;
  };

  test('a code that is wrong for what is cached is judged by what is stored', async () => {
    const world = moved();
    expect(await world.reason(aRequest(codeAt(20)))).toBe('accepted');
    expect(world.lookedUp).toEqual(['alice', 'alice fresh']);
  });

  test('and refused once it is wrong for that as well', async () => {
    const world = moved();
    expect(await world.reason(aRequest(codeAt(40)))).toBe('wrong_otp');
    expect(world.entries).toHaveLength(1);
  });

  test('a refusal that no state decides is not read again', async () => {
    const world = aWorld({ shared: true, users: new Map([['alice', aUser({ active: false })]]) });
    expect(await world.reason(aRequest(CODE))).toBe('user_inactive');
    expect(world.lookedUp).toEqual(['alice']);
  });

  test('a lock that was lifted elsewhere does not hold here, and the password is asked once', async () => {
    const lockouts = new Map([
      [OVERALL, { failures: 30, windowStart: NOW, lockedUntil: instant(NOW + 1000), recent: [] }],
    ]);
    const world = aWorld({ shared: true, resource: withPassword(), users: new Map([['alice', aUser({ lockouts })]]) });
    world.onLookUp = (_, fresh) => void (fresh && world.users.set('alice', aUser()));
    expect(await world.reason(aRequest(`horse${CODE}`))).toBe('accepted');
    expect(world.asked).toHaveLength(1);
  });
});

describe('what cannot be known is no answer', () => {
  test.each([
    ['store', { outcome: 'unavailable', cause: 'store', eventId: null }],
    ['overload', { outcome: 'unavailable', cause: 'overload', eventId: null }],
  ] as const)('a ledger that says %s', async (cause, decision) => {
    const world = aWorld({ commits: [{ kind: 'unavailable', cause }] });
    expect(await world.ask(aRequest(CODE))).toEqual(decision);
    expect(await world.reason(aRequest(CODE))).toBe('accepted');
  });

  test.each(['at once', 'later'] as const)('a directory that fails %s', async (answers) => {
    const world = aWorld({ answers });
    const failure = new Error('disk gone');
    world.onLookUp = () => {
      throw failure;
    };
    expect(await world.ask(aRequest(CODE))).toEqual({ outcome: 'unavailable', cause: 'store', eventId: null });
    expect(world.errors).toEqual([failure]);
  });

  test('a directory that fails while the turn is held gives it back', async () => {
    const world = aWorld({ commits: [{ kind: 'stale' }] });
    world.onLookUp = (_, fresh) => {
      if (fresh) throw new Error('disk gone');
    };
    expect(await world.ask(aRequest(CODE))).toMatchObject({ outcome: 'unavailable' });
    expect(await world.reason(aRequest(CODE))).toBe('accepted');
  });
});
