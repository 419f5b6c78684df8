import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { environmentVariables } from '../../src/config/environment.js';
import { loadConfig } from '../../src/config/load-config.js';
import { configSchema } from '../../src/config/schema.js';

const text = readFileSync(new URL('../../config/sallyport.example.yaml', import.meta.url), 'utf8');
/** Refused in this release, so the example does not show them. */
const REFUSED = ['mail', 'upstreams', 'radius.radsec', 'events.retention', 'events.syslog'];
/** The other form of `database`. */
const ALTERNATIVE = ['database.connection'];

test('the example explains every key that can be honoured', () => {
  const mentioned = text.replaceAll(/^(\s*)# (\s*\w+:)/gm, '$1$2');
  for (const { key } of environmentVariables(configSchema)) {
    if (REFUSED.includes(key) || ALTERNATIVE.includes(key)) continue;
    expect(mentioned, key).toMatch(new RegExp(`^\\s*${key.split('.').at(-1)}:`, 'm'));
  }
});

test('the example is what one gets without it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-example-'));
  mkdirSync(join(folder, 'tls'));
  for (const file of ['tls/server.crt', 'tls/server.key']) writeFileSync(join(folder, file), '');
  writeFileSync(join(folder, 'master.key'), Buffer.alloc(32, 7).toString('base64'), { mode: 0o600 });
  const { database, masterKeyFile } = parse(text);
  writeFileSync(join(folder, 'example.yaml'), text);
  writeFileSync(join(folder, 'minimal.yaml'), JSON.stringify({ database, masterKeyFile }));
  const [example, minimal] = ['example.yaml', 'minimal.yaml'].map((name) => loadConfig(join(folder, name), {}));
  if (!example?.ok || !minimal?.ok) throw new Error(JSON.stringify([example, minimal]));
  expect({ ...example.config, file: '' }).toEqual({ ...minimal.config, file: '' });
});
