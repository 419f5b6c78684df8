/** What keeps the daemon from starting: it ends at once, with a sentence that says what to do, and leaves everything as it was. */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { Installation } from '../support/installation.js';
import { otp, secretOf } from '../support/otp.js';
import type { Ran } from '../support/program.js';
import { RadiusNas } from '../support/radius-nas.js';

const SECRET = 'testing123';
const RECORDS = {
  resources: [{ name: 'vpn' }],
  radiusClients: [{ name: 'edge', address: '127.0.0.1', secret: SECRET, resource: 'vpn' }],
  users: [{ login: 'alice', resources: ['vpn'], tokens: [{ type: 'totp', secret: secretOf(0) }] }],
};

/** Writes another value for each of `keys` (a path with dots) and tells how to put the file back. */
function alter(file: string, keys: Readonly<Record<string, unknown>>): () => void {
  const before = readFileSync(file, 'utf8');
  const document = parseDocument(before);
  for (const [key, value] of Object.entries(keys)) document.setIn(key.split('.'), document.createNode(value));
  writeFileSync(file, document.toString());
  return () => writeFileSync(file, before);
}

const serve = (its: Installation): Promise<Ran> => its.cli('serve', '-c', its.config);

describe('beside a daemon that runs', () => {
  let first: Installation;
  let second: Installation;
  beforeAll(async () => {
    [first, second] = await Promise.all([Installation.serving(RECORDS), Installation.make()]);
  });
  afterAll(async () => {
    await Promise.all([first.remove(), second.remove()]);
  });
  let restore = () => {};
  afterEach(() => restore());

  test('a second one on its SQLite file does not start; the first goes on', async () => {
    restore = alter(second.config, {
      'database.connection.filename': first.database,
      masterKeyFile: join(first.folder, 'master.key'),
    });
    const { code, stderr } = await serve(second);
    expect(code).toBe(1);
    expect(stderr).toContain(`another daemon is running on ${first.database}; stop it first`);
    const nas = await RadiusNas.open(first.ports.radius, SECRET);
    expect(await nas.signIn('alice', otp(secretOf(0)))).toBe('accept');
    nas.close();
  });

  test.each([
    ['radius.listen', 'radius', true],
    ['radius.accounting', 'accounting', true],
    ['ldap.listen', 'ldap', true],
    ['ldap.ldaps', 'ldaps', true],
    ['http.listen', 'http', false],
  ] as const)('one with its %s does not start, and names the port', async (key, port, list) => {
    const address = `127.0.0.1:${first.ports[port]}`;
    restore = alter(second.config, { [key]: list ? [address] : address });
    const { code, stderr, stdout } = await serve(second);
    expect(code, stdout).toBe(1);
    expect(stderr).toContain(`${address} is taken by another program; stop it, or listen elsewhere`);
    expect(stderr).toContain('Nothing was served.');
  });

  test('and what kept it away gone, it starts', async () => {
    await second.start();
    expect(await second.stop()).toBe(0);
  });
});

describe('with something wrong', () => {
  let its: Installation;
  beforeAll(async () => {
    its = await Installation.make(RECORDS);
  });
  afterAll(() => its.remove());
  let restore = () => {};
  afterEach(() => restore());

  test('another master key: neither daemon nor commands touch the records', async () => {
    const key = join(its.folder, 'master.key');
    const before = readFileSync(key);
    restore = () => writeFileSync(key, before);
    writeFileSync(key, `${randomBytes(32).toString('base64')}\n`);
    for (const args of [['serve'], ['apply', '-f', join(its.folder, 'records.yaml')], ['export']]) {
      const { code, stdout, stderr } = await its.cli(...args, '-c', its.config);
      expect(code, stderr).toBe(1);
      expect(stderr).toContain('the master key is not the one that this database was made with');
      expect(stdout).toBe('');
    }
  });

  test('no master key file: its name and the key that asks for it', async () => {
    restore = alter(its.config, { masterKeyFile: './nowhere.key' });
    const { code, stderr } = await serve(its);
    expect(code).toBe(2);
    expect(stderr).toMatch(/sallyport\.yaml:\d+:\d+ +masterKeyFile: .*nowhere\.key/);
  });

  test('a database folder that is not there', async () => {
    restore = alter(its.config, { 'database.connection.filename': './nowhere/sallyport.db' });
    const { code, stderr } = await serve(its);
    expect(code).toBe(1);
    expect(stderr).toContain('nowhere/sallyport.db');
  });

  test('a file that is no database', async () => {
    const file = join(its.folder, 'other.db');
    writeFileSync(
      file,
      'this is a text, and a long one, so that nobody takes it for an empty database file\n'.repeat(20),
    );
    restore = alter(its.config, { 'database.connection.filename': file });
    const { code, stderr } = await serve(its);
    expect(code).toBe(1);
    expect(stderr).toContain('the database cannot be opened');
    expect(readFileSync(file, 'utf8')).toMatch(/^this is a text/);
  });

  test('mistakes in sallyport.yaml: all of them, each with line and key, and exit code 2', async () => {
    restore = alter(its.config, {
      'radius.listen': ['0.0.0.0:18l2'],
      'ldap.basedn': 'dc=example,dc=org',
      'http.listen': 8080,
      'radius.rejectDelay': 'soon',
    });
    const lineOf = (key: string) =>
      readFileSync(its.config, 'utf8')
        .split('\n')
        .findIndex((line) => line.trim().startsWith(`${key}:`)) + 1;
    const { code, stderr } = await serve(its);
    expect(code).toBe(2);
    expect(stderr).toContain(`sallyport.yaml:${lineOf('basedn')}:`);
    expect(stderr).toMatch(/ldap\.basedn: no such key; did you mean baseDn\?/);
    expect(stderr).toContain(`sallyport.yaml:${lineOf('rejectDelay')}:`);
    expect(stderr).toMatch(/radius\.rejectDelay: /);
    expect(stderr).toMatch(/radius\.listen\[0\]: "0\.0\.0\.0:18l2" is not address:port/);
    expect(stderr).toMatch(/http\.listen: /);
    expect(stderr).toContain('4 errors');
  });

  test('a file that is no YAML, and one that is not there: exit code 2', async () => {
    const before = readFileSync(its.config);
    restore = () => writeFileSync(its.config, before);
    writeFileSync(its.config, 'database: { client: sqlite3\nradius: [\n');
    const broken = await serve(its);
    expect(broken.code).toBe(2);
    expect(broken.stderr).toMatch(/sallyport\.yaml:\d+:\d+/);
    const nowhere = await its.cli('serve', '-c', join(its.folder, 'nowhere.yaml'));
    expect(nowhere.code).toBe(2);
    expect(nowhere.stderr).toContain('nowhere.yaml');
  });

  test('a certificate that is none', async () => {
    const file = join(its.folder, 'tls', 'server.crt');
    const before = readFileSync(file);
    restore = () => writeFileSync(file, before);
    writeFileSync(file, 'no certificate\n');
    const { code, stderr } = await serve(its);
    expect([1, 2]).toContain(code);
    expect(stderr).toMatch(/certificate/);
  });

  test('and all mended, it starts', async () => {
    await its.start();
    expect(await its.stop()).toBe(0);
  });
});
