import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { millis, systemClock } from '../../src/base/units.js';
import { makePrivateAuthority } from '../../src/cli/private-authority.js';
import { type Door, openDoor, run, WIKI } from './door.js';

/** OpenLDAP's own client tools, from ldap-utils. */
const present = spawnSync('ldapwhoami', ['-VV']).error === undefined;

const authority = await makePrivateAuthority(['localhost', '127.0.0.1'], systemClock());
const TLS = { cert: Buffer.from(authority.serverCert), key: Buffer.from(authority.serverKey) };
const USER = 'uid=alice,ou=users,dc=example,dc=org';
const DN = 'dn:uid=alice,ou=users,dc=example,dc=org\n';

let folder = '';
let env: Record<string, string> = {};
let door: Door | null = null;
const open = async (options: Parameters<typeof openDoor>[0] = {}): Promise<Door> => {
  door = await openDoor({ tls: TLS, ldaps: ['127.0.0.1:0'], ...options });
  return door;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-ldap-'));
  const ca = join(folder, 'ca.crt');
  writeFileSync(ca, authority.caCert);
  env = { LDAPTLS_CACERT: ca };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  await door?.server.stop(millis(2_000));
  door = null;
});

describe.skipIf(!present)('ldapwhoami (ldap-utils)', () => {
  const whoAmI = (url: string, ...more: string[]) => run('ldapwhoami', ['-x', '-H', url, ...more], env);

  test('LDAP-54: in the clear, with StartTLS, over ldaps', async () => {
    const { url, ldapsPort } = await open();
    const credentials = ['-D', USER, '-w', '755224'];
    expect(await whoAmI(url, ...credentials)).toMatchObject({ code: 0, stdout: DN });
    expect(await whoAmI(url, '-ZZ', ...credentials)).toMatchObject({ code: 0, stdout: DN });
    expect(await whoAmI(`ldaps://127.0.0.1:${ldapsPort}`, ...credentials)).toMatchObject({ code: 0, stdout: DN });
  });

  test('LDAP-27: by alias, by cn, directly below the base', async () => {
    const { url } = await open();
    for (const name of ['uid=asmith,ou=users', 'cn=alice,ou=users', 'uid=ALICE', 'CN=asmith']) {
      const answer = await whoAmI(url, '-D', `${name},dc=example,dc=org`, '-w', '755224');
      expect(answer).toMatchObject({ code: 0, stdout: DN });
    }
  });

  test('LDAP-20: anonymous', async () => {
    const { url } = await open();
    expect(await whoAmI(url)).toMatchObject({ code: 0, stdout: 'anonymous\n' });
  });

  test('LDAP-25: as the service account', async () => {
    const { url } = await open();
    const answer = await whoAmI(url, '-D', 'cn=wiki,dc=example,dc=org', '-w', 'service');
    expect(answer).toMatchObject({ code: 0, stdout: 'dn:cn=wiki,dc=example,dc=org\n' });
  });

  test('LDAP-22: a wrong code ends with 49 and no text', async () => {
    const { url } = await open();
    const answer = await whoAmI(url, '-D', USER, '-w', '000000');
    expect(answer).toMatchObject({ code: 49, stdout: '', stderr: 'ldap_bind: Invalid credentials (49)\n' });
  });

  test('LDAP-29: where TLS is required, 13 in the clear and success with StartTLS', async () => {
    const { url } = await open({ requireTls: true });
    expect(await whoAmI(url, '-D', USER, '-w', '755224')).toMatchObject({ code: 13 });
    expect(await whoAmI(url, '-ZZ', '-D', USER, '-w', '755224')).toMatchObject({ code: 0, stdout: DN });
  });

  test('LDAP-31: StartTLS without a certificate ends with 52', async () => {
    const { url } = await open({ tls: null, ldaps: [] });
    expect((await whoAmI(url, '-ZZ')).stderr).toContain('Server is unavailable (52)');
  });

  test('LDAP-20: SASL is refused with 7', async () => {
    const { url } = await open();
    const answer = await run('ldapwhoami', ['-H', url, '-Y', 'EXTERNAL'], env);
    expect(answer.code).not.toBe(0);
  });
});

describe.skipIf(!present)('ldapsearch, ldapcompare, ldapmodify (ldap-utils)', () => {
  test('LDAP-52: the root DSE', async () => {
    const { url } = await open();
    const { code, stdout } = await run('ldapsearch', ['-x', '-LLL', '-H', url, '-b', '', '-s', 'base'], env);
    expect(code).toBe(0);
    expect(stdout).toContain('namingContexts: dc=example,dc=org\n');
    expect(stdout).toContain('supportedLDAPVersion: 3\n');
    expect(stdout).toContain('vendorVersion: 9.9.9\n');
  });

  test('LDAP-42: below it nobody may search: 50', async () => {
    const { url } = await open();
    const credentials = ['-D', USER, '-w', '755224'];
    const args = ['-x', '-LLL', '-H', url, '-b', 'dc=example,dc=org'];
    expect(await run('ldapsearch', args, env)).toMatchObject({ code: 50, stdout: '' });
    expect(await run('ldapsearch', [...args, ...credentials, '(uid=alice)'], env)).toMatchObject({ code: 50 });
  });

  test('LDAP-8: an unknown critical control: 12; ManageDsaIT is known', async () => {
    const { url } = await open();
    const args = ['-x', '-H', url, '-b', '', '-s', 'base'];
    expect((await run('ldapsearch', [...args, '-e', '!1.2.3.4'], env)).code).toBe(12);
    expect((await run('ldapsearch', [...args, '-e', '1.2.3.4'], env)).code).toBe(0);
    expect((await run('ldapsearch', [...args, '-MM'], env)).code).toBe(0);
  });

  test('LDAP-10, 9: comparing the root DSE, writing nothing', async () => {
    const { url } = await open();
    const compared = await run('ldapcompare', ['-x', '-H', url, '', 'supportedLDAPVersion:3'], env);
    expect(compared.code).toBe(6);
    expect((await run('ldapdelete', ['-x', '-H', url, USER], env)).code).toBe(53);
    expect((await run('ldappasswd', ['-x', '-H', url, '-s', 'x', USER], env)).code).not.toBe(0);
  });

  test('LDAP-25: the application is picked by its base', async () => {
    const other = { ...WIKI, id: 'git-id', name: 'git', baseDn: 'ou=git,dc=example,dc=org', serviceAccounts: [] };
    const { url, asked } = await open({ applications: [WIKI, other] });
    await run('ldapwhoami', ['-x', '-H', url, '-D', 'uid=alice,ou=git,dc=example,dc=org', '-w', '755224'], env);
    expect(asked[0]?.client).toBe('git');
  });
});
