import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { canonicalNetwork } from '../../src/records/network.js';
import { fieldErrors } from '../../src/records/problem.js';
import { keyNumber, RepeatedKeys } from '../../src/records/repeated-keys.js';
import { resourceCreate } from '../../src/records/resource.js';
import { tokenCreate } from '../../src/records/token.js';
import { userCreate, userPatch } from '../../src/records/user.js';
import { dn, loginFault, passwordHash } from '../../src/records/values.js';

/** What is wrong, as `pointer message`. */
function faults(schema: z.ZodType, value: unknown): string[] {
  const checked = schema.safeParse(value);
  return checked.success ? [] : fieldErrors(checked.error).map(({ pointer, message }) => `${pointer} ${message}`);
}

describe('a login', () => {
  test.each(['a', 'Alice_Smith-1@corp~x!#%+.$', 'x'.repeat(255)])('may be %s', (login) => {
    expect(loginFault(login)).toBeNull();
  });

  test.each([
    ['', 'must not be empty'],
    ['x'.repeat(256), 'at most 255 characters'],
    ['al ice', /^must not contain U\+0020: /],
    ['al\tice', /^must not contain U\+0009: /],
    ['müller', /^must not contain ü: /],
    ['a\\b', /^must not contain \\: /],
    ['a😀', /^must not contain 😀: /],
    ['0192f0c1-2345-7abc-8def-0123456789ab', 'has the form of an id'],
  ])('may not be %j, and the message names what may not be there', (login, message) => {
    expect(loginFault(login)).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });
});

describe('a network', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1/32'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['10.1.2.3/0', '0.0.0.0/0'],
    ['10.1.2.255/25', '10.1.2.128/25'],
    ['2001:DB8::1', '2001:db8::1/128'],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalNetwork(text)).toBe(canonical);
    expect(canonicalNetwork(canonical)).toBe(canonical);
  });

  test.each([
    '',
    '10.0.0',
    '127.1',
    '010.0.0.1',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '::/129',
    'fe80::1%eth0',
    'host',
  ])('%j is none', (text) => {
    expect(canonicalNetwork(text)).toBeNull();
  });
});

describe('schemas', () => {
  test('an unknown field is pointed at by itself, however deep', () => {
    expect(faults(userCreate, { login: 'a', colour: 1, tokens: [{ type: 'totp', sekret: 'x' }] })).toEqual([
      '/tokens/0/sekret no such field',
      '/colour no such field',
    ]);
    expect(faults(userCreate, { login: 'a', 'a/b~c': 1 })).toEqual(['/a~1b~0c no such field']);
  });

  test.each([
    [
      'OTP-12 the alphabet',
      { type: 'totp', secret: 'GEZDGNBVGY3TQOJ1' },
      /^\/secret is not Base32: "1" at character 16/,
    ],
    ['OTP-8 at least 80 bit', { type: 'totp', secret: 'GEZDGNBVGY3Q' }, '/secret has 56 bit; at least 80 are needed'],
    ['OTP-1 digits', { type: 'totp', digits: 9 }, '/digits must be 6, 7 or 8'],
    ['OTP-5 period from 15', { type: 'totp', period: 14 }, '/period at least 15 seconds'],
    ['OTP-5 period to 120', { type: 'totp', period: 121 }, '/period at most 120 seconds'],
    ['no counter with TOTP', { type: 'totp', counter: 1 }, '/counter a totp token has no counter'],
    ['no period with HOTP', { type: 'hotp', period: 30 }, '/period a hotp token has no period'],
  ])('a token: %s', (_rule, token, message) => {
    expect(faults(tokenCreate, token)).toEqual([
      typeof message === 'string' ? message : expect.stringMatching(message),
    ]);
  });

  test('OTP-12 a secret may have spaces, dashes, padding and small letters', () => {
    expect(faults(tokenCreate, { type: 'totp', secret: 'gezd gnbv-gy3t qojq gezd gnbv gy3t qojq==' })).toEqual([]);
  });

  test.each([
    [
      { accessHours: [{ days: ['mon'], from: '8:00', to: '18:00', timeZone: 'Europe/Berlin' }] },
      /^\/accessHours\/0\/from must be a time of day/,
    ],
    [{ accessHours: [{ days: ['mon'], from: '24:00', to: '24:00', timeZone: 'UTC' }] }, /^\/accessHours\/0\/from/],
    [{ accessHours: [{ days: [], from: '08:00', to: '24:00', timeZone: 'UTC' }] }, '/accessHours/0/days names no day'],
    [
      { accessHours: [{ days: ['mon'], from: '08:00', to: '18:00', timeZone: 'Mars/Olympus' }] },
      /^\/accessHours\/0\/timeZone is not an IANA time zone/,
    ],
    [{ rebindGrace: '2h' }, '/rebindGrace must be at most 1h'],
    [{ lockout: { window: '15' } }, /^\/lockout\/window is not a duration/],
    [{ lockout: { failures: 0 } }, '/lockout/failures at least 1'],
    [{ sourceNetworks: ['10.0.0.0/8', '10.0.0.0/40'] }, /^\/sourceNetworks\/1 is not an address or network/],
    [{ methods: ['pap', 'pap'] }, '/methods/1 is there twice'],
    [{ replyAttributes: { 'Filter Id': 'x' } }, /^\/replyAttributes\/Filter Id/],
  ])('a resource refuses %j', (policy, message) => {
    expect(faults(resourceCreate, { name: 'r', ...policy })).toEqual([
      typeof message === 'string' ? message : expect.stringMatching(message),
    ]);
  });

  test('what the contract shows is taken as it stands', () => {
    const resource = {
      name: 'vpn',
      firstFactor: 'none',
      credentialForms: ['otp'],
      separator: '',
      methods: [],
      lockout: { failures: 10, window: '15m', duration: '15m' },
      sourceNetworks: [],
      accessHours: [{ days: ['mon', 'tue'], from: '08:00', to: '18:00', timeZone: 'Europe/Berlin' }],
      tokenTypes: [],
      replyAttributes: { 'Filter-Id': 'vpn-users', 'Cisco-AVPair': ['shell:priv-lvl=15', 'ip:addr-pool=a'] },
      rebindGrace: '0s',
      reconnectGrace: '0s',
      active: true,
    };
    expect(faults(resourceCreate, resource)).toEqual([]);
  });

  test('a user has one password, and null clears in a patch', () => {
    const hash = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g';
    expect(faults(userCreate, { login: 'a', password: 'p', passwordHash: hash })).toEqual([
      '/passwordHash give either password or passwordHash',
    ]);
    expect(faults(userPatch, { password: null, passwordHash: hash, email: null, aliases: null })).toEqual([]);
    expect(faults(userPatch, { login: null })).toHaveLength(1);
    expect(passwordHash.safeParse(hash.replace('m=19456', 'm=999999')).success).toBe(false);
    expect(passwordHash.safeParse('$2b$10$abc').success).toBe(false);
  });

  test.each(['dc=example,dc=org', 'cn=a\\,b, dc=example', 'OU=x+CN=y,o=z', '2.5.4.3=x'])('%s is a DN', (text) => {
    expect(dn.safeParse(text).success).toBe(true);
  });
  test.each(['', 'example.org', 'dc=a,,dc=b', 'dc=a,b'])('%j is no DN', (text) => {
    expect(dn.safeParse(text).success).toBe(false);
  });
});

describe('keys of a long file', () => {
  test('exactly those that come twice are suspected', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 12 })), (keys) => {
        const repeated = new RepeatedKeys();
        for (const key of keys) repeated.add(key);
        const twice = keys.filter((key, i) => keys.indexOf(key) !== i).map(keyNumber);
        expect(repeated.suspects()).toEqual(new Set(twice));
      }),
    );
  });

  test('a hundred thousand names share no number', () => {
    const numbers = new Set(Array.from({ length: 100_000 }, (_, i) => keyNumber(`n user${i}`)));
    expect(numbers.size).toBe(100_000);
    for (const number of numbers) expect(Number.isSafeInteger(number)).toBe(true);
  });
});
