/**
 * pam_radius_auth, as sshd, sudo and su use it, driven by pamtester:
 *
 *   echo 492039 | pamtester sallyport-test alice authenticate
 *
 * where /etc/pam.d/sallyport-test says: auth required pam_radius_auth.so conf=<server, secret, seconds>
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Installation } from '../support/installation.js';
import { otp, secretOf } from '../support/otp.js';
import { findProgram, run } from '../support/program.js';

const SECRET = 'testing123';
const RECORDS = {
  resources: [{ name: 'shell' }, { name: 'console', firstFactor: 'local' }],
  radiusClients: [
    { name: 'host', address: '127.0.0.1', secret: SECRET, resource: 'shell' },
    { name: 'host-6', address: '::1', secret: SECRET, resource: 'console' },
  ],
  users: ['alice', 'bob', 'carol'].map((login, n) => ({
    login,
    password: 'correct horse',
    resources: ['shell', 'console'],
    tokens: [{ type: 'totp', secret: secretOf(n) }],
  })),
};

/** Only root may name a PAM service, and where libraries are differs by architecture. */
function missing(): string | null {
  if (process.getuid?.() !== 0) return 'root';
  if (findProgram('pamtester') === null) return 'pamtester';
  const folders = ['/lib/security', ...readdirSync('/lib').map((name) => `/lib/${name}/security`)];
  return folders.some((folder) => existsSync(join(folder, 'pam_radius_auth.so'))) ? null : 'pam_radius_auth.so';
}
const lacks = missing();

describe.skipIf(lacks !== null)(`pam_radius_auth${lacks === null ? '' : `, skipped without ${lacks}`}`, () => {
  const name = `sallyport-test-${randomBytes(4).toString('hex')}`;
  const services = { four: `/etc/pam.d/${name}`, six: `/etc/pam.d/${name}-6` };
  let its: Installation;

  beforeAll(async () => {
    its = await Installation.serving(RECORDS);
    service(services.four, `127.0.0.1:${its.ports.radius}`);
    service(services.six, `[::1]:${its.ports.radius}`);
  });
  afterAll(async () => {
    for (const file of Object.values(services)) rmSync(file, { force: true });
    await its.remove();
  });

  function service(file: string, server: string): void {
    const conf = join(its.folder, `${file.split('/').at(-1)}.conf`);
    writeFileSync(conf, `${server} ${SECRET} 5\n`, { mode: 0o600 });
    writeFileSync(file, `auth required pam_radius_auth.so conf=${conf}\n`);
  }

  const authenticate = (file: string, user: string, password: string) =>
    run('pamtester', [file.split('/').at(-1) ?? '', user, 'authenticate'], { input: `${password}\n` });

  test('opens for a code, once, and signs what it asks', async () => {
    const code = otp(secretOf(0));
    const first = await authenticate(services.four, 'alice', code);
    expect(first.code, `${first.stdout}${first.stderr}`).toBe(0);
    expect(first.stdout).toContain('successfully authenticated');
    const second = await authenticate(services.four, 'alice', code);
    expect(second.code).not.toBe(0);
    expect(await its.events(`client = 'host'`)).toMatchObject([
      { outcome: 'accepted', login: 'alice', method: 'pap' },
      { outcome: 'refused', reason: 'replayed_otp', login: 'alice' },
    ]);
  });

  test('does not open for a wrong code', async () => {
    const { code, stderr, stdout } = await authenticate(services.four, 'bob', 'abcdef');
    expect(code).not.toBe(0);
    expect(`${stdout}${stderr}`).toContain('Authentication failure');
  });

  test('opens over IPv6 for password and code in one line', async () => {
    const { code, stdout, stderr } = await authenticate(services.six, 'carol', `correct horse${otp(secretOf(2))}`);
    expect(code, `${stdout}${stderr}`).toBe(0);
    expect(await its.events(`client = 'host-6'`)).toMatchObject([{ outcome: 'accepted', login: 'carol' }]);
  });
});
