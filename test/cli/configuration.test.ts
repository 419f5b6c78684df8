import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { configurationFor } from '../../src/cli/configuration.js';
import { memoryIo } from './memory-io.js';

const YAML = 'database: { client: sqlite3, connection: { filename: ./x.db } }\nmasterKeyFile: ./master.key\n';
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-configuration-'));
  writeFileSync(join(folder, 'master.key'), Buffer.alloc(32, 1).toString('base64'), { mode: 0o600 });
  writeFileSync(join(folder, 'a.yaml'), YAML);
});

describe('a command’s configuration', () => {
  test('is the file that -c names, from where the command was given', () => {
    const io = memoryIo({ SALLYPORT_CONFIG: 'none.yaml' }, folder);
    expect(configurationFor('a.yaml', io)?.file).toBe(join(folder, 'a.yaml'));
    expect(io.stderr).toEqual([]);
  });

  test('is else the one that SALLYPORT_CONFIG names', () => {
    expect(configurationFor(undefined, memoryIo({ SALLYPORT_CONFIG: 'a.yaml' }, folder))?.file).toBe(
      join(folder, 'a.yaml'),
    );
  });

  test('is asked for where neither does', () => {
    const io = memoryIo({}, folder);
    expect(configurationFor(undefined, io)).toBeNull();
    expect(io.stderr.join()).toContain('-c FILE');
  });

  test('that is wrong is told with every place, under the name that was given, and the count', () => {
    writeFileSync(join(folder, 'a.yaml'), `${YAML}radius:\n  listen: ["0.0.0.0:18l2"]\nldap:\n  basedn: dc=x\n`);
    const io = memoryIo({}, folder);
    expect(configurationFor('a.yaml', io)).toBeNull();
    expect(io.stderr.join('\n')).toBe(
      'a.yaml:4:12  radius.listen[0]: "0.0.0.0:18l2" is not address:port; the port must be a number from 1 to 65535\n' +
        'a.yaml:6:3   ldap.basedn: no such key; did you mean baseDn?\n' +
        '2 errors, nothing was started',
    );
    expect(io.stdout).toEqual([]);
  });

  test('that is dubious is told, and used', () => {
    writeFileSync(join(folder, 'open.key'), Buffer.alloc(32, 1).toString('base64'), { mode: 0o644 });
    writeFileSync(join(folder, 'a.yaml'), YAML.replace('master.key', 'open.key'));
    const io = memoryIo({}, folder);
    expect(configurationFor('a.yaml', io)).not.toBeNull();
    expect(io.stderr.join()).toMatch(/^warning: a\.yaml:2:16 {2}masterKeyFile: .*chmod 600/);
  });
});
