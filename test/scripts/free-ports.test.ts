import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const script = fileURLToPath(new URL('../../scripts/free-ports.mjs', import.meta.url));

const freePorts = async (yaml: string) => {
  const file = join(mkdtempSync(join(tmpdir(), 'sallyport-ports-')), 'sallyport.yaml');
  writeFileSync(file, yaml);
  const child = spawn(process.execPath, [script, file]);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  await new Promise((ended) => child.on('close', ended));
  return { out, err, yaml: readFileSync(file, 'utf8') };
};

const portOf = (address: string | { port: number } | null) =>
  typeof address === 'object' && address !== null ? address.port : 0;

test('a port that is taken is replaced by the next free one, in the file, and the rest of the file stays', async () => {
  const udp = createSocket('udp4');
  await new Promise<void>((bound) => udp.bind(0, '127.0.0.1', bound));
  const tcp = createServer();
  await new Promise<void>((listening) => tcp.listen(0, '127.0.0.1', listening));
  const [radius, ldap] = [portOf(udp.address()), portOf(tcp.address())];
  try {
    const { out, err, yaml } = await freePorts(
      `# mine\nradius: { listen: ["127.0.0.1:${radius}"], accounting: [] } # doors\nldap: { listen: ["127.0.0.1:${ldap}"] }\nhttp: { listen: "127.0.0.1:0" }\n`,
    );
    const config = parse(yaml);
    expect(yaml).toMatch(/^# mine\n/);
    expect(yaml).toContain('# doors');
    const [newRadius, newLdap] = [config.radius.listen[0], config.ldap.listen[0]];
    expect(Number(newRadius.split(':')[1])).toBeGreaterThan(radius);
    expect(Number(newLdap.split(':')[1])).toBeGreaterThan(ldap);
    expect(out).toBe(`RADIUS_ADDRESS=${newRadius}\nLDAP_ADDRESS=${newLdap}\nHTTP_URL=http://127.0.0.1:0\n`);
    expect(err).toContain(`127.0.0.1:${radius} is not to be had here; radius.listen is now ${newRadius}`);
  } finally {
    udp.close();
    tcp.close();
  }
});

test('a file whose ports can be had stays as it is, and clients are told an address that they can reach', async () => {
  const text =
    'radius: { listen:   ["0.0.0.0:0"], accounting: ["0.0.0.0:0"] }\nldap: { listen: ["[::]:0"] }\nhttp: { listen: "0.0.0.0:0", tls: {} }\n';
  const { out, err, yaml } = await freePorts(text);
  expect([err, yaml]).toEqual(['', text]);
  expect(out).toBe('RADIUS_ADDRESS=127.0.0.1:0\nLDAP_ADDRESS=[::1]:0\nHTTP_URL=https://127.0.0.1:0\n');
});
