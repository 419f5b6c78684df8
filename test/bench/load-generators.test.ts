/** The figures of a benchmark are as good as its load: who is asked, with which code, and what is counted. */
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ldap from 'ldapjs';
import { generateSync } from 'otplib';
import radius from 'radius';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeBase32 } from '../../src/otp/base32.js';
import { findProgram, run } from '../support/program.js';

const SOURCES = fileURLToPath(new URL('.', import.meta.url));
const HEADER = '/usr/include/openssl/evp.h';
const lacks = findProgram('gcc') === null ? 'gcc' : existsSync(HEADER) ? null : HEADER;

const secretOfBench = (n: number) => encodeBase32(createHash('sha1').update(`bench-seed-${n}`).digest());
const numberOf = (login: string) => Number(/^bench(\d{7})$/.exec(login)?.[1]);
/** The code that a load generator makes may be of the step before, by the time that it is looked at. */
const isCodeOf = (n: number, code: string) =>
  [0, -30].some((ago) => generateSync({ secret: secretOfBench(n), epoch: Date.now() / 1000 + ago }) === code);
const scattered = (users: readonly number[]) =>
  users.filter((n, i) => i > 0 && n === (users[i - 1] ?? n) + 1).length === 0;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-load-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the users to import have the keys that the load generators compute', async () => {
  const file = join(folder, 'users.csv');
  const made = await run(process.execPath, [join(SOURCES, 'users-csv.mjs'), '9998', '3', file]);
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(readFileSync(file, 'utf8')).toBe(
    `login,resource,tokenType,tokenSecret\n${[9998, 9999, 10_000]
      .map((n) => `bench${String(n).padStart(7, '0')},vpn,totp,${secretOfBench(n)}\n`)
      .join('')}`,
  );
});

describe.skipIf(lacks !== null)(`the load generators${lacks === null ? '' : `, skipped without ${lacks}`}`, () => {
  beforeAll(async () => {
    for (const name of ['radload', 'ldapload']) {
      const compiled = await run('gcc', ['-O2', '-o', join(folder, name), join(SOURCES, `${name}.c`), '-lcrypto']);
      expect(compiled).toMatchObject({ code: 0, stderr: '' });
    }
  });

  test('radload asks each user once, scattered, with the code of the moment, and counts accepts and rejects apart', async () => {
    const asked: number[] = [];
    const door = await radiusDoor((login, code) => {
      const n = numberOf(login);
      asked.push(n);
      return isCodeOf(n, code) && n % 4 !== 0;
    });
    const { stdout } = await run(join(folder, 'radload'), [
      '-p',
      door.port,
      '-f',
      '100',
      '-n',
      '200',
      '-N',
      '200',
      '-w',
      '8',
      '-r',
    ]);
    await door.close();
    expect([...asked].sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => 100 + i));
    expect(scattered(asked)).toBe(true);
    expect(stdout).toMatch(/^sent 200 accept 150 reject 50 other 0 timeout 0 badauth 0 in [\d.]+s: /);
  });

  test('radload does not count an answer that is not authentic', async () => {
    const door = await radiusDoor(() => true, 'another secret');
    const { stdout } = await run(join(folder, 'radload'), ['-p', door.port, '-N', '3', '-T', '0.2']);
    await door.close();
    expect(stdout).toMatch(/^sent 3 accept 0 reject 0 other 0 timeout 3 badauth 3 /);
  });

  test('ldapload binds as each user once, scattered, with the code of the moment, and counts refusals apart', async () => {
    const bound: number[] = [];
    const server = ldap.createServer();
    server.bind(
      'dc=example,dc=org',
      (request: BindRequest, response: BindResponse, next: (error?: ldap.InvalidCredentialsError) => void) => {
        const [, login = ''] =
          /^uid=([^,]+),ou=users,dc=example,dc=org$/.exec(request.dn.toString().replaceAll(', ', ',')) ?? [];
        const n = numberOf(login);
        bound.push(n);
        const good = request.credentials.startsWith('pw') && isCodeOf(n, request.credentials.slice(2)) && n % 4 !== 0;
        if (!good) return next(new ldap.InvalidCredentialsError());
        response.end();
        return next();
      },
    );
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', () => listening()));
    const args = ['-p', new URL(server.url).port, '-f', '100', '-n', '200', '-N', '200', '-c', '8', '-P', 'pw', '-r'];
    const { stdout } = await run(join(folder, 'ldapload'), args);
    await new Promise<void>((closed) => server.close(() => closed()));
    expect([...bound].sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => 100 + i));
    expect(scattered(bound)).toBe(true);
    expect(stdout).toMatch(/^success 150 invalidCredentials 50 other 0 closed 0 in [\d.]+s: /);
  });
});

/** What ldapjs hands to a bind's handler; its types leave it open. */
interface BindRequest {
  readonly dn: { toString(): string };
  readonly credentials: string;
}
interface BindResponse {
  end(): void;
}

/** A RADIUS server that is not ours; `decides` takes name and password. It answers with `answerSecret`. */
async function radiusDoor(decides: (login: string, password: string) => boolean, answerSecret = 'testing123') {
  const socket = createSocket('udp4');
  socket.on('message', (datagram, from) => {
    const packet = radius.decode({ packet: datagram, secret: 'testing123' });
    const accepted = decides(String(packet.attributes['User-Name']), String(packet.attributes['User-Password']));
    const code = accepted ? 'Access-Accept' : 'Access-Reject';
    socket.send(radius.encode_response({ packet, code, secret: answerSecret }), from.port, from.address);
  });
  await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
  const address: AddressInfo = socket.address();
  return { port: String(address.port), close: () => new Promise<void>((closed) => socket.close(() => closed())) };
}
