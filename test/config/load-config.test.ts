import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load-config.js';
import { formatProblems, whereText } from '../../src/config/problem.js';

const MINIMAL =
  'database: { client: sqlite3, connection: { filename: ./sallyport.db } }\nmasterKeyFile: ./master.key\n';
const key = randomBytes(32);
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-config-'));
  writeFileSync(join(folder, 'master.key'), `${key.toString('base64')}\n`, { mode: 0o600 });
});

const load = (yaml: string, env: Record<string, string> = {}) => {
  const file = join(folder, 'sallyport.yaml');
  writeFileSync(file, yaml);
  return loadConfig(file, env);
};
const configOf = (yaml: string, env: Record<string, string> = {}) => {
  const result = load(yaml, env);
  if (!result.ok) throw new Error(formatProblems(result.problems, 'refused'));
  return result.config;
};
const problemsOf = (yaml: string, env: Record<string, string> = {}) => {
  const result = load(yaml, env);
  return result.ok
    ? []
    : result.problems.map(({ where, key, message }) =>
        `${whereText(where)} ${key}: ${message}`.replaceAll(`${folder}/`, ''),
      );
};

describe('a configuration', () => {
  test('of database and key alone has the defaults of the contract, and paths that count from the file', () => {
    const config = configOf(MINIMAL);
    expect(config).toMatchObject({
      database: { client: 'sqlite3', connection: { filename: join(folder, 'sallyport.db') } },
      radius: {
        listen: [{ host: '0.0.0.0', port: 1812 }],
        accounting: [{ host: '0.0.0.0', port: 1813 }],
        rejectDelay: 250,
        eap: { tls: null },
      },
      ldap: {
        listen: [{ host: '0.0.0.0', port: 389 }],
        ldaps: [],
        tls: null,
        requireTls: false,
        baseDn: 'dc=example,dc=org',
        rejectDelay: 250,
      },
      http: { listen: { host: '127.0.0.1', port: 8080 }, tls: null, publicUrl: null },
      events: { unknownLogins: 'shortened' },
      log: { level: 'info' },
    });
    expect(config.masterKey.reveal()).toEqual(key);
  });

  test('finds the certificate that init made, for LDAP and EAP alike', () => {
    mkdirSync(join(folder, 'tls'));
    writeFileSync(join(folder, 'tls/server.crt'), '');
    writeFileSync(join(folder, 'tls/server.key'), '');
    const files = { cert: join(folder, 'tls/server.crt'), key: join(folder, 'tls/server.key') };
    const config = configOf(MINIMAL);
    expect(config.ldap.tls).toEqual(files);
    expect(config.radius.eap.tls).toEqual({ ...files, ca: null });
  });

  test('may name PostgreSQL', () => {
    const yaml = MINIMAL.replace(/database.*/, 'database: { client: pg, connection: "postgres://sally@db/port" }');
    expect(configOf(yaml).database).toEqual({ client: 'pg', connection: 'postgres://sally@db/port' });
  });

  test('does not show its key', () => {
    expect(JSON.stringify(configOf(MINIMAL))).not.toContain(key.toString('base64').slice(0, 8));
  });

  test('reads addresses of both families, and names', () => {
    const config = configOf(
      `${MINIMAL}radius: { listen: ["[::]:1812", "10.1.2.3:1645"] }\nhttp: { listen: "localhost:0" }\n`,
    );
    expect(config.radius.listen).toEqual([
      { host: '::', port: 1812 },
      { host: '10.1.2.3', port: 1645 },
    ]);
    expect(config.http.listen).toEqual({ host: 'localhost', port: 0 });
  });
});

describe('a wrong configuration', () => {
  test('is refused with every problem at its line and column', () => {
    const yaml = `${MINIMAL}radius:\n  listen: ["0.0.0.0:18l2"]\n  rejectDelay: 250\nldap:\n  basedn: dc=x\n`;
    expect(problemsOf(yaml)).toEqual([
      'sallyport.yaml:4:12 radius.listen[0]: "0.0.0.0:18l2" is not address:port; the port must be a number from 1 to 65535',
      'sallyport.yaml:5:16 radius.rejectDelay: expected a text, got a number; put it in quotes',
      'sallyport.yaml:7:3 ldap.basedn: no such key; did you mean baseDn?',
    ]);
  });

  test.each([
    ['radius: { listen: ["::1:1812"] }', 'radius.listen[0]: "::1:1812" is not address:port'],
    ['radius: { listen: ["10.0.0.256:1812"] }', 'before the port stands an IP address or a host name'],
    ['radius: { listen: ["[10.0.0.1]:1812"] }', 'there is no IPv6 address in the brackets'],
    ['radius: { listen: ["0.0.0.0:65536"] }', 'the port must be a number from 1 to 65535'],
    ['radius: { rejectDelay: 250 ms }', 'radius.rejectDelay: "250 ms" is not a duration; write it like 500ms'],
    ['radius: { rejectDelay: 1m }', 'radius.rejectDelay: is more than 5s'],
    ['ldap: { baseDn: example.org }', 'ldap.baseDn: is not a DN like dc=example,dc=org'],
    ['ldap: { requireTls: true }', 'ldap.requireTls: needs a certificate: set ldap.tls'],
    ['ldap: { ldaps: ["0.0.0.0:636"] }', 'ldap.ldaps: needs a certificate: set ldap.tls'],
    ['ldap: { tls: { cert: ./a.crt, key: ./a.key } }', 'ldap.tls.cert: there is no file a.crt'],
    ['http: { tls: { cert: ./a.crt } }', 'http.tls.key: is missing'],
    ['http: { publicUrl: mfa.example.org }', 'http.publicUrl: is not a URL like https://mfa.example.org'],
    ['log: { level: verbose }', 'log.level: expected one of trace, debug, info'],
    ['log:', 'log: is empty; expected a section with keys'],
  ])('%s is refused: %s', (line, message) => {
    expect(problemsOf(`${MINIMAL}${line}\n`).join('\n')).toContain(message);
  });

  test.each([
    ['mail: { url: "smtp://localhost" }', 'mail: mail is not supported yet'],
    ['upstreams: { corp: { type: ldap } }', 'upstreams: upstreams are not supported yet'],
    ['radius: { radsec: { listen: ["0.0.0.0:2083"] } }', 'radius.radsec: RadSec is not supported yet'],
    ['events: { syslog: "udp://localhost" }', 'events.syslog: syslog is not supported yet'],
    ['events: { retention: 400d }', 'events.retention: retention is not supported yet'],
  ])('what cannot be honoured is refused, not ignored: %s', (line, message) => {
    expect(problemsOf(`${MINIMAL}${line}\n`).join('\n')).toContain(message);
  });

  test('without database and key says that both are missing', () => {
    expect(problemsOf('log: { level: info }\n')).toEqual(['sallyport.yaml:1:1 database: is missing']);
    expect(problemsOf(MINIMAL.replace(/masterKeyFile.*\n/, ''))).toEqual([
      'sallyport.yaml:1:1 masterKeyFile: is missing; name a file, or set SALLYPORT_MASTER_KEY',
    ]);
  });

  test.each([
    ['database: { client: mysql, connection: x }', 'database.client: expected one of sqlite3, pg'],
    ['database: { client: sqlte3, connection: { filename: x } }', 'did you mean sqlite3?'],
    ['database: { client: pg, connection: { filename: x } }', 'database.connection: expected a text'],
    ['database: { client: pg, connection: "mysql://x" }', 'database.connection: is not a connection URL'],
    ['database: { connection: x }', 'database.client: is missing'],
  ])('%s is refused: %s', (database, message) => {
    expect(problemsOf(MINIMAL.replace(/database.*/, database)).join('\n')).toContain(message);
  });

  test('that is not there, or is no text, is named', () => {
    expect(loadConfig(join(folder, 'none.yaml'), {})).toMatchObject({
      ok: false,
      problems: [{ message: `there is no file ${join(folder, 'none.yaml')}` }],
    });
    expect(loadConfig(folder, {})).toMatchObject({
      ok: false,
      problems: [{ message: `${folder} is a folder, not a file` }],
    });
  });
});

describe('the master key', () => {
  test('may come from the environment, which wins over the file', () => {
    const other = randomBytes(32);
    const config = configOf(MINIMAL, { SALLYPORT_MASTER_KEY: other.toString('base64') });
    expect(config.masterKey.reveal()).toEqual(other);
  });

  test('of a wrong size is refused, and not repeated', () => {
    expect(problemsOf(MINIMAL, { SALLYPORT_MASTER_KEY: 'c2hvcnQ=' })).toEqual([
      expect.stringMatching(/^SALLYPORT_MASTER_KEY masterKeyFile: is not a master key: 32 octets in Base64/),
    ]);
    writeFileSync(join(folder, 'master.key'), 'c2hvcnQ=\n');
    const [problem] = problemsOf(MINIMAL);
    expect(problem).toContain('sallyport.yaml:2:16 masterKeyFile: master.key is not a master key');
    expect(problem).not.toContain('c2hvcnQ');
  });

  test('that everyone may read earns a warning', () => {
    expect(load(MINIMAL)).toMatchObject({ ok: true, warnings: [] });
    chmodSync(join(folder, 'master.key'), 0o644);
    expect(load(MINIMAL)).toMatchObject({
      ok: true,
      warnings: [{ key: 'masterKeyFile', message: expect.stringContaining('chmod 600') }],
    });
  });
});
