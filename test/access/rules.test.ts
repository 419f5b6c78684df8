import { describe, expect, test } from 'vitest';
import { evaluate } from '../../src/access/evaluate.js';
import { type Facts, isAssigned, usableTokens } from '../../src/access/facts.js';
import { DOOR_REASONS, RULES, type Verdict } from '../../src/access/rules.js';
import { instant } from '../../src/base/units.js';
import { aResource, aToken, aUser, NOW } from './world.js';

const GOOD: Facts = {
  now: NOW,
  user: aUser(),
  resource: aResource(),
  method: 'pap',
  source: '192.0.2.1',
  lockedUntil: instant(0),
  password: 'none',
  tokens: [aToken()],
  otp: 'fresh',
};
const facts = (change: Partial<Facts>): Facts => ({ ...GOOD, ...change });

type Case = [reason: string, what: string, change: Partial<Facts>, verdict: Verdict];
const never = aResource({ accessHours: [{ days: [], from: '00:00', to: '24:00', timeZone: 'UTC' }] });
const always = aResource({
  accessHours: [
    { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '00:00', to: '24:00', timeZone: 'UTC' },
  ],
});
const here = aResource({ sourceNetworks: ['192.0.2.0/24'] });

const CASES: Case[] = [
  ['unknown_user', 'a user was found', {}, true],
  ['unknown_user', 'none was found', { user: null }, false],
  ['user_inactive', 'active', {}, true],
  ['user_inactive', 'blocked', { user: aUser({ active: false }) }, false],
  ['user_inactive', 'nobody', { user: null }, null],
  ['resource_inactive', 'active', {}, true],
  ['resource_inactive', 'inactive', { resource: aResource({ active: false }) }, false],
  ['resource_inactive', 'not found', { resource: null }, false],
  ['not_assigned', 'directly', {}, true],
  [
    'not_assigned',
    'through a group',
    { user: aUser({ resources: [], groups: [7] }), resource: aResource({ groups: [7] }) },
    true,
  ],
  [
    'not_assigned',
    'neither',
    { user: aUser({ resources: [2], groups: [8] }), resource: aResource({ groups: [7] }) },
    false,
  ],
  ['not_assigned', 'nobody', { user: null }, null],
  ['not_assigned', 'to nothing', { resource: null }, null],
  ['method_not_allowed', 'any method', {}, true],
  ['method_not_allowed', 'a listed method', { resource: aResource({ methods: ['chap', 'pap'] }) }, true],
  ['method_not_allowed', 'a method that is not listed', { resource: aResource({ methods: ['chap'] }) }, false],
  [
    'method_not_allowed',
    'an LDAP bind, which is no method',
    { method: 'bind', resource: aResource({ methods: ['chap'] }) },
    null,
  ],
  [
    'method_not_allowed',
    'the API, which is none either',
    { method: 'api', resource: aResource({ methods: ['chap'] }) },
    null,
  ],
  ['method_not_allowed', 'no resource', { resource: null }, null],
  ['source_not_allowed', 'from anywhere', {}, null],
  ['source_not_allowed', 'from within', { resource: here }, true],
  ['source_not_allowed', 'from outside', { resource: here, source: '198.51.100.1' }, false],
  ['source_not_allowed', 'from nobody knows where', { resource: here, source: null }, false],
  ['source_not_allowed', 'no resource', { resource: null }, null],
  ['outside_hours', 'always', {}, null],
  ['outside_hours', 'open', { resource: always }, true],
  ['outside_hours', 'closed', { resource: never }, false],
  ['outside_hours', 'no resource', { resource: null }, null],
  ['locked', 'no lock', {}, true],
  ['locked', 'a lock that ends now', { lockedUntil: NOW }, true],
  ['locked', 'a lock', { lockedUntil: instant(NOW + 1) }, false],
  ['locked', 'nobody', { user: null }, null],
  ['wrong_password', 'none is asked for', {}, null],
  ['wrong_password', 'not asked', { password: 'unasked' }, null],
  ['wrong_password', 'right', { password: 'right' }, true],
  ['wrong_password', 'wrong', { password: 'wrong' }, false],
  ['wrong_password', 'nobody answers', { password: 'unavailable' }, null],
  ['upstream_unavailable', 'none is asked for', {}, null],
  ['upstream_unavailable', 'not asked', { password: 'unasked' }, null],
  ['upstream_unavailable', 'right', { password: 'right' }, true],
  ['upstream_unavailable', 'wrong', { password: 'wrong' }, true],
  ['upstream_unavailable', 'nobody answers', { password: 'unavailable' }, false],
  ['no_token', 'one', {}, true],
  ['no_token', 'none', { tokens: [], otp: 'none' }, false],
  ['no_token', 'nobody', { user: null, tokens: [] }, null],
  ['no_token', 'nothing to enter', { resource: null, tokens: [] }, null],
  ['replayed_otp', 'fresh', {}, true],
  ['replayed_otp', 'the same datagram', { otp: 'repeat' }, true],
  ['replayed_otp', 'wrong', { otp: 'none' }, true],
  ['replayed_otp', 'spent', { otp: 'spent' }, false],
  ['replayed_otp', 'no token', { tokens: [] }, null],
  ['wrong_otp', 'fresh', {}, true],
  ['wrong_otp', 'the same datagram', { otp: 'repeat' }, true],
  ['wrong_otp', 'wrong', { otp: 'none' }, false],
  ['wrong_otp', 'spent, so right once', { otp: 'spent' }, true],
  ['wrong_otp', 'no token', { tokens: [] }, null],
  ['store_unavailable', 'the ledger answers that', {}, null],
];

describe('each rule by itself', () => {
  test.each(CASES)('%s: %s', (reason, _, change, verdict) => {
    expect(RULES.find((rule) => rule.reason === reason)?.holds(facts(change))).toBe(verdict);
  });

  test('none of them is without a case', () => {
    expect(new Set(CASES.map(([reason]) => reason))).toEqual(new Set(RULES.map((rule) => rule.reason)));
  });
});

describe('the order', () => {
  /** A change that breaks one rule and leaves the others as they are, in the order of the rules. */
  const BREAKS: [string, (good: Facts) => Facts][] = [
    ['unknown_user', (good) => ({ ...good, user: null })],
    ['user_inactive', (good) => ({ ...good, user: good.user && { ...good.user, active: false } })],
    ['resource_inactive', (good) => ({ ...good, resource: good.resource && { ...good.resource, active: false } })],
    ['not_assigned', (good) => ({ ...good, user: good.user && { ...good.user, resources: [] } })],
    ['method_not_allowed', (good) => ({ ...good, resource: good.resource && { ...good.resource, methods: ['chap'] } })],
    [
      'source_not_allowed',
      (good) => ({ ...good, resource: good.resource && { ...good.resource, sourceNetworks: ['10.0.0.0/8'] } }),
    ],
    [
      'outside_hours',
      (good) => ({ ...good, resource: good.resource && { ...good.resource, accessHours: never.accessHours } }),
    ],
    ['locked', (good) => ({ ...good, lockedUntil: instant(good.now + 1) })],
    ['wrong_password', (good) => ({ ...good, password: 'wrong' })],
    ['upstream_unavailable', (good) => ({ ...good, password: 'unavailable' })],
    ['no_token', (good) => ({ ...good, tokens: [] })],
    ['replayed_otp', (good) => ({ ...good, otp: 'spent' })],
    ['wrong_otp', (good) => ({ ...good, otp: 'none' })],
  ];

  test('is that of product.md, the last rule being the ledger’s', () => {
    expect(RULES.map((rule) => rule.reason)).toEqual([...BREAKS.map(([reason]) => reason), 'store_unavailable']);
  });

  test.each(BREAKS)('with this rule alone broken, %s is the reason', (reason, broken) => {
    expect(evaluate(broken(GOOD)).reason).toBe(reason);
  });

  test.each(BREAKS)('with this rule and all after it broken, %s is the reason', (reason) => {
    const from = BREAKS.findIndex(([each]) => each === reason);
    // The last breaks first, so that where two rules look at one fact the earlier has its way.
    const broken = BREAKS.slice(from).reduceRight((good, [, breaks]) => breaks(good), GOOD);
    expect(evaluate(broken).reason).toBe(reason);
  });

  test('with none broken there is no reason', () => {
    expect(evaluate(GOOD)).toEqual({ reason: null, verdicts: RULES.map((rule) => rule.holds(GOOD)) });
  });

  test('a rule after the one that failed is asked all the same', () => {
    const { reason, verdicts } = evaluate(facts({ user: aUser({ active: false }), otp: 'none' }));
    expect(reason).toBe('user_inactive');
    expect(verdicts[RULES.findIndex((rule) => rule.reason === 'wrong_otp')]).toBe(false);
  });
});

test('every reason has its title and the next step, and is there once', () => {
  const all = [...RULES, ...DOOR_REASONS];
  expect(new Set(all.map((rule) => rule.reason)).size).toBe(all.length);
  for (const rule of all) {
    expect(rule.title).toMatch(/^[a-z]/);
    expect(rule.next).toMatch(/^[A-Z].*\.$/);
  }
});

describe('usable tokens', () => {
  const totp = aToken({ pk: 1 });
  const hotp = aToken({ pk: 2, type: 'hotp' });
  const off = aToken({ pk: 3, active: false });
  const bound = aToken({ pk: 4, resources: [9] });
  const user = aUser({ tokens: [totp, hotp, off, bound] });

  test('are active and bound to no other resource', () => {
    expect(usableTokens(user, aResource())).toEqual([totp, hotp]);
    expect(usableTokens(user, aResource({ pk: 9 }))).toEqual([totp, hotp, bound]);
  });

  test('are of a type that the resource takes', () => {
    expect(usableTokens(user, aResource({ tokenTypes: ['hotp'] }))).toEqual([hotp]);
  });

  test('are none for nobody and for nothing', () => {
    expect(usableTokens(null, aResource())).toEqual([]);
    expect(usableTokens(user, null)).toEqual([]);
  });
});

test('a user reaches a resource directly or through one of its groups', () => {
  expect(isAssigned(aUser({ resources: [1] }), aResource())).toBe(true);
  expect(isAssigned(aUser({ resources: [], groups: [3, 4] }), aResource({ groups: [4] }))).toBe(true);
  expect(isAssigned(aUser({ resources: [], groups: [3] }), aResource({ groups: [4] }))).toBe(false);
});
