/**
 * ldapjs, as Node applications sign their users in: one connection that is kept, one bind after the other on it.
 *
 *   const client = ldap.createClient({ url: 'ldap://127.0.0.1:389' });
 *   client.bind('uid=alice,ou=users,dc=example,dc=org', '492039', (error) => …);
 */
import { readFileSync } from 'node:fs';
import ldap from 'ldapjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Installation } from '../support/installation.js';
import { hotp, secretOf } from '../support/otp.js';

const BASE = 'dc=example,dc=org';
const USERS = ['alice', 'bob', 'carol'] as const;
type User = (typeof USERS)[number];

const RECORDS = {
  resources: [{ name: 'wiki' }, { name: 'twice', rebindGrace: '30s' }],
  ldapApplications: [
    { name: 'wiki', baseDn: BASE, resource: 'wiki' },
    { name: 'twice', baseDn: `ou=twice,${BASE}`, resource: 'twice' },
  ],
  users: USERS.map((login, n) => ({
    login,
    resources: ['wiki', 'twice'],
    tokens: [{ type: 'hotp', secret: secretOf(n) }],
  })),
};

const dnOf = (user: User, unit = '') => `uid=${user},ou=users,${unit}${BASE}`;
const codeOf = (user: User, counter: number) => hotp(secretOf(USERS.indexOf(user)), counter);

describe('ldapjs', () => {
  let its: Installation;
  let client: ldap.Client;
  beforeAll(async () => {
    its = await Installation.serving(RECORDS);
    client = ldap.createClient({ url: its.ldapUrl });
    client.on('error', () => undefined);
  });
  afterAll(async () => {
    client.destroy();
    await its.remove();
  });

  /** 0, or the result code of the refusal. */
  const bind = (dn: string, password: string, on = client): Promise<number> =>
    new Promise((done) => on.bind(dn, password, (error) => done(error === null ? 0 : error.code)));
  /** Who am I? (RFC 4532) */
  const whoAmI = (on = client): Promise<string> =>
    new Promise((done, failed) =>
      on.exop('1.3.6.1.4.1.4203.1.11.3', '', [], (error, value) =>
        error === null ? done(String(value ?? '')) : failed(error),
      ),
    );

  test('binds again and again on one connection, each time a full decision (LDAP-25)', async () => {
    expect(await bind(dnOf('alice'), codeOf('alice', 0))).toBe(0);
    expect(await whoAmI()).toBe(`dn:${dnOf('alice')}`);
    expect(await bind(dnOf('bob'), codeOf('bob', 0))).toBe(0);
    expect(await whoAmI()).toBe(`dn:${dnOf('bob')}`);
    expect(await bind(dnOf('alice'), codeOf('alice', 0)), 'used').toBe(49);
    expect(await whoAmI(), 'anonymous after a refusal (LDAP-24)').toBe('');
    expect(await bind(dnOf('alice'), codeOf('alice', 1))).toBe(0);
    expect(await its.events(`door = 'ldap'`)).toMatchObject([
      { login: 'alice', outcome: 'accepted', step: 0 },
      { login: 'bob', outcome: 'accepted', step: 0 },
      { login: 'alice', outcome: 'refused', reason: 'replayed_otp' },
      { login: 'alice', outcome: 'accepted', step: 1 },
    ]);
  });

  test('binds a second time with the same code where the resource has a rebindGrace, on another connection too (LDAP-26)', async () => {
    const [dn, code] = [dnOf('carol', 'ou=twice,'), codeOf('carol', 0)];
    expect(await bind(dn, code)).toBe(0);
    expect(await bind(dn, code)).toBe(0);
    const other = ldap.createClient({ url: its.ldapUrl });
    other.on('error', () => undefined);
    try {
      expect(await bind(dn, code, other)).toBe(0);
      expect(await bind(dnOf('carol'), code, other), 'another application').toBe(49);
    } finally {
      other.destroy();
    }
  });

  test('upgrades its connection with StartTLS, certificate checked, and binds', async () => {
    const secure = ldap.createClient({ url: its.ldapUrl });
    secure.on('error', () => undefined);
    try {
      await new Promise<void>((done, failed) =>
        secure.starttls({ ca: [readFileSync(its.ca)] }, [], (error) => (error === null ? done() : failed(error))),
      );
      expect(await bind(dnOf('bob'), codeOf('bob', 1), secure)).toBe(0);
      expect(await whoAmI(secure)).toBe(`dn:${dnOf('bob')}`);
    } finally {
      secure.destroy();
    }
  });
});
