import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TLSSocket, connect as tlsConnect } from 'node:tls';
import { beforeEach, describe, expect, test } from 'vitest';
import { type CreateOwner, initCommand, run } from '../../src/cli/init.js';
import { runCli } from '../../src/cli/run-cli.js';
import { loadConfig } from '../../src/config/load-config.js';
import { memoryIo } from './memory-io.js';

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'sallyport-init-'));
  folder = join(parent, 'deep', 'installation');
});

/** Makes what stands for a database, and remembers who was asked for. */
const owners = () => {
  const seen: string[] = [];
  const createOwner: CreateOwner = async (config, owner) => {
    if (config.database.client === 'sqlite3') writeFileSync(config.database.connection.filename, 'database');
    seen.push(`${owner.login}:${owner.password.reveal().toString()}`);
    return { ok: true };
  };
  return { seen, createOwner };
};
const init = (createOwner: CreateOwner, options: { name?: string[]; json?: boolean } = {}, env = {}) => {
  const io = memoryIo(env);
  const code = run({ dir: folder, name: options.name, json: options.json ?? false }, io, createOwner);
  return code.then((exit) => ({ exit, out: io.stdout.join('\n'), err: io.stderr.join('\n') }));
};

describe('sallyport init', () => {
  test('writes an installation that loads, with secrets that only its owner may read', async () => {
    const { seen, createOwner } = owners();
    const { exit, out, err } = await init(createOwner);
    expect([exit, err]).toEqual([0, '']);
    expect(readdirSync(folder).sort()).toEqual(['master.key', 'sallyport.db', 'sallyport.yaml', 'tls']);
    expect(readdirSync(join(folder, 'tls')).sort()).toEqual(['ca.crt', 'ca.key', 'server.crt', 'server.key']);
    for (const secret of ['master.key', 'sallyport.db', 'tls/ca.key', 'tls/server.key']) {
      expect(statSync(join(folder, secret)).mode & 0o777, secret).toBe(0o600);
    }
    const loaded = loadConfig(join(folder, 'sallyport.yaml'), {});
    expect(loaded).toMatchObject({
      ok: true,
      warnings: [],
      config: { ldap: { tls: { cert: join(folder, 'tls/server.crt') } } },
    });

    const [owner = ''] = seen;
    const password = owner.slice('admin:'.length);
    expect(password).toMatch(/^[A-Za-z2-9]{20}$/);
    expect(out.split(password)).toHaveLength(2);
    expect(out).toContain(`sallyport serve -c ${join(folder, 'sallyport.yaml')}`);
  });

  test('says the same as JSON where a script asks', async () => {
    const { seen, createOwner } = owners();
    const { out } = await init(createOwner, { json: true });
    const said = JSON.parse(out);
    expect(said).toMatchObject({
      config: join(folder, 'sallyport.yaml'),
      api: 'http://127.0.0.1:8080/api/v1',
      login: 'admin',
    });
    expect(seen).toEqual([`admin:${said.password}`]);
  });

  test('makes other secrets each time', async () => {
    await init(owners().createOwner);
    const first = readFileSync(join(folder, 'master.key'), 'utf8');
    folder = join(parent, 'second');
    await init(owners().createOwner);
    expect(readFileSync(join(folder, 'master.key'), 'utf8')).not.toBe(first);
  });

  test('makes a server certificate for this machine’s names, signed by the private CA, for 825 days', async () => {
    await init(owners().createOwner, { name: ['mfa.example.org', '192.0.2.7'] });
    const read = (name: string) => readFileSync(join(folder, 'tls', name), 'utf8');
    const ca = new X509Certificate(read('ca.crt'));
    const server = new X509Certificate(read('server.crt'));
    expect(ca.ca).toBe(true);
    expect(server.ca).toBe(false);
    expect(server.verify(ca.publicKey)).toBe(true);
    expect(server.checkIssued(ca)).toBe(true);
    expect(server.checkPrivateKey(createPrivateKey(read('server.key')))).toBe(true);
    expect(ca.checkPrivateKey(createPrivateKey(read('ca.key')))).toBe(true);
    for (const name of ['localhost', 'mfa.example.org', hostname().toLowerCase()])
      expect(server.checkHost(name), name).toBe(name);
    for (const address of ['127.0.0.1', '::1', '192.0.2.7']) expect(server.checkIP(address), address).toBe(address);
    const days = (Date.parse(server.validTo) - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(825);
    expect(Date.parse(server.validFrom)).toBeLessThan(Date.now() - 3_000_000);
  });

  test('makes a certificate that a TLS client with the CA accepts', async () => {
    await init(owners().createOwner);
    const read = (name: string) => readFileSync(join(folder, 'tls', name));
    const server = createServer({ cert: read('server.crt'), key: read('server.key') }, (socket) => socket.end());
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const socket = await new Promise<TLSSocket>((resolve, reject) => {
      const client = tlsConnect(
        {
          host: 'localhost',
          servername: 'localhost',
          lookup: (_h, _o, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
          port,
          ca: read('ca.crt'),
        },
        () => resolve(client),
      );
      client.on('error', reject);
    });
    expect(socket.authorized).toBe(true);
    socket.destroy();
    await new Promise((closed) => server.close(closed));
  });

  test.each(['sallyport.yaml', 'master.key', 'sallyport.db', 'tls'])(
    'leaves a folder alone that holds %s',
    async (name) => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, name), 'precious');
      const { seen, createOwner } = owners();
      const { exit, out, err } = await init(createOwner);
      expect([exit, out, seen]).toEqual([1, '', []]);
      expect(err).toContain(`holds an installation already (${name})`);
      expect(readdirSync(folder)).toEqual([name]);
      expect(readFileSync(join(folder, name), 'utf8')).toBe('precious');
    },
  );

  test('takes everything back when the database cannot be made, and leaves what was there', async () => {
    const failing: CreateOwner = async (config) => {
      if (config.database.client === 'sqlite3') writeFileSync(config.database.connection.filename, 'half');
      return { ok: false, message: 'the disk is full' };
    };
    const { exit, out, err } = await init(failing);
    expect([exit, out, err]).toEqual([1, '', 'the disk is full\nNothing was set up.']);
    expect(readdirSync(parent)).toEqual([]);

    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    await init(failing);
    expect(readdirSync(folder)).toEqual(['notes.txt']);
  });

  test('takes everything back when an override of the environment is wrong', async () => {
    const { exit, err } = await init(owners().createOwner, {}, { SALLYPORT_RADIUS_LISTEN: 'nonsense' });
    expect(exit).toBe(2);
    expect(err).toContain('SALLYPORT_RADIUS_LISTEN  radius.listen[0]: "nonsense" is not address:port');
    expect(existsSync(folder)).toBe(false);
  });

  test('a folder that cannot be made is a failure with the system’s words', async () => {
    writeFileSync(join(parent, 'deep'), 'a file');
    const { exit, err } = await init(owners().createOwner);
    expect(exit).toBe(1);
    expect(err).toMatch(/ENOTDIR|EEXIST/);
  });

  test('is a command with a folder and repeated names', async () => {
    const { createOwner } = owners();
    const io = memoryIo({}, parent);
    expect(
      await runCli(['init', 'here', '--name', 'a.example', '--name', 'b.example'], [initCommand(createOwner)], io),
    ).toBe(0);
    const server = new X509Certificate(readFileSync(join(parent, 'here/tls/server.crt')));
    expect([server.checkHost('a.example'), server.checkHost('b.example')]).toEqual(['a.example', 'b.example']);
  });
});
