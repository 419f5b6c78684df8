/**
 * OpenLDAP's command line tools, as applications that are configured by hand use them:
 *
 *   LDAPTLS_CACERT=tls/ca.crt ldapwhoami -x -ZZ -H ldap://127.0.0.1:389 -D uid=alice,ou=users,dc=example,dc=org -w 492039
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Installation } from '../support/installation.js';
import { otp, secretOf } from '../support/otp.js';
import { findProgram, type Ran, run, until, without } from '../support/program.js';

const BASE = 'dc=example,dc=org';
/** Each test binds as a user of its own, since every code opens once. */
const USERS = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace'] as const;
type User = (typeof USERS)[number];
const codeOf = (user: User): string => otp(secretOf(USERS.indexOf(user)));

const RECORDS = {
  resources: [{ name: 'wiki' }, { name: 'archive', firstFactor: 'local' }],
  ldapApplications: [
    {
      name: 'wiki',
      baseDn: BASE,
      resource: 'wiki',
      serviceAccounts: [{ dn: `cn=wiki,${BASE}`, password: 'service password' }],
    },
    { name: 'archive', baseDn: `ou=archive,${BASE}`, resource: 'archive' },
  ],
  users: USERS.map((login, n) => ({
    login,
    aliases: [`${login}-alias`],
    password: login === 'frank' ? 'correct horse' : null,
    resources: ['wiki', 'archive'],
    tokens: [{ type: 'totp', secret: secretOf(n) }],
  })),
};

const PROGRAMS = ['ldapwhoami', 'ldapsearch'];

describe.skipIf(PROGRAMS.some((program) => findProgram(program) === null))(`ldap-utils${without(...PROGRAMS)}`, () => {
  let its: Installation;
  beforeAll(async () => {
    its = await Installation.serving(RECORDS);
  });
  afterAll(() => its.remove());

  const tool = (program: string, ...args: string[]): Promise<Ran> =>
    run(program, ['-x', ...args], { env: { LDAPTLS_CACERT: its.ca } });
  const whoAmI = (url: string, dn: string, password: string, ...more: string[]) =>
    tool('ldapwhoami', '-H', url, '-D', dn, '-w', password, ...more);
  const dnOf = (name: string) => `uid=${name},ou=users,${BASE}`;
  const lastEvent = async (client = 'wiki') => (await its.events('client = ?', [client])).at(-1);

  test('ldapwhoami binds in the clear', async () => {
    const { code, stdout, stderr } = await whoAmI(its.ldapUrl, dnOf('alice'), codeOf('alice'));
    expect(code, stderr).toBe(0);
    expect(stdout).toBe(`dn:${dnOf('alice')}\n`);
    expect(await lastEvent()).toMatchObject({ outcome: 'accepted', login: 'alice', door: 'ldap', method: 'bind' });
  });

  test('ldapwhoami binds with StartTLS, certificate checked (LDAP-30)', async () => {
    const { code, stdout, stderr } = await whoAmI(its.ldapUrl, dnOf('bob'), codeOf('bob'), '-ZZ');
    expect(code, stderr).toBe(0);
    expect(stdout).toBe(`dn:${dnOf('bob')}\n`);
  });

  test('ldapwhoami binds over ldaps, certificate checked', async () => {
    const { code, stdout, stderr } = await whoAmI(its.ldapsUrl, dnOf('carol'), codeOf('carol'));
    expect(code, stderr).toBe(0);
    expect(stdout).toBe(`dn:${dnOf('carol')}\n`);
  });

  test('without the authority’s certificate the client does not trust the server', async () => {
    const ran = await run('ldapwhoami', ['-x', '-H', its.ldapsUrl], { env: { LDAPTLS_CACERT: '/dev/null' } });
    expect(ran.code).not.toBe(0);
  });

  test('an alias and cn= name the same user (LDAP-27), and her code opens once', async () => {
    const code = codeOf('dave');
    const { stdout } = await whoAmI(its.ldapUrl, `cn=dave-alias,${BASE}`, code);
    expect(stdout).toBe(`dn:${dnOf('dave')}\n`);
    expect((await whoAmI(its.ldapUrl, dnOf('dave'), code)).code).toBe(49);
    expect(await lastEvent()).toMatchObject({ outcome: 'refused', reason: 'replayed_otp' });
  });

  test('a wrong code and a name that is nobody’s look the same: 49 and no text (LDAP-22)', async () => {
    const wrong = await whoAmI(its.ldapUrl, dnOf('erin'), 'none');
    const nobody = await whoAmI(its.ldapUrl, dnOf('nobody'), 'none');
    expect(wrong).toMatchObject({ code: 49, stderr: 'ldap_bind: Invalid credentials (49)\n' });
    expect(nobody).toEqual(wrong);
  });

  test('a name without a password is refused with 53, and counts for nothing (LDAP-21)', async () => {
    const { code } = await whoAmI(its.ldapUrl, dnOf('erin'), '');
    expect(code).toBe(53);
    const told = () =>
      its.rows(`select reason, detail, lockouts from events where kind = 'door' and reason = 'malformed'`);
    await until('an event', async () => (await told()).length > 0);
    expect(await told()).toEqual([
      { reason: 'malformed', detail: expect.stringContaining('unauthenticated_bind'), lockouts: null },
    ]);
  });

  test('the more specific base wins: password and code there', async () => {
    const dn = `uid=frank,ou=users,ou=archive,${BASE}`;
    const code = codeOf('frank');
    expect((await whoAmI(its.ldapUrl, dn, code)).code).toBe(49);
    const { stdout, stderr } = await whoAmI(its.ldapUrl, dn, `correct horse${code}`);
    expect(stdout, stderr).toBe(`dn:${dn}\n`);
    expect(await lastEvent('archive')).toMatchObject({ outcome: 'accepted', login: 'frank' });
  });

  test('a service account needs no code (LDAP-25)', async () => {
    const account = `cn=wiki,${BASE}`;
    const { code, stdout, stderr } = await whoAmI(its.ldapUrl, account, 'service password', '-ZZ');
    expect(code, stderr).toBe(0);
    expect(stdout).toBe(`dn:${account}\n`);
    expect((await whoAmI(its.ldapUrl, account, 'wrong')).code).toBe(49);
  });

  test('ldapsearch reads the root DSE over StartTLS, and nothing below it anonymously (LDAP-42, LDAP-52)', async () => {
    const search = (...more: string[]) => tool('ldapsearch', '-LLL', '-ZZ', '-H', its.ldapUrl, ...more);
    const { code, stdout, stderr } = await search('-b', '', '-s', 'base', '+', '*');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^supportedLDAPVersion: 3$/m);
    expect(stdout).toMatch(new RegExp(`^namingContexts: ${BASE}$`, 'm'));
    expect((await search('-b', BASE, '(uid=alice)')).code).toBe(50);
  });
});
