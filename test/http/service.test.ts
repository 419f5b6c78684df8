/** The door as a service: starting, health, overload, an absent store, TLS, stopping. */
import { get as httpsGet } from 'node:https';
import { connect, createServer } from 'node:net';
import { TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { Decision } from '../../src/access/request.js';
import { systemClock } from '../../src/base/units.js';
import { makePrivateAuthority } from '../../src/cli/private-authority.js';
import { HTTP_LIMITS } from '../../src/http/limits.js';
import { openDoor } from './door.js';

const refused: Decision = { outcome: 'refused', reason: 'wrong_otp', eventId: 'e' };
const alice = { login: 'alice', credential: '492039', resource: 'vpn' };

describe('health (HTTP-6)', () => {
  test('alive and ready need no key', async () => {
    const door = await openDoor();
    expect(await (await fetch(`${door.origin}/livez`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(`${door.origin}/readyz`)).json()).toEqual({ status: 'ready' });
    expect((await fetch(`${door.origin}/metrics`)).status).toBe(401);
    expect((await fetch(`${door.origin}/openapi.json`)).status).toBe(401);
    await door.close();
  });

  test('a node that is not ready says why with 503, and is alive', async () => {
    const door = await openDoor({ ready: async () => ({ ready: false, reasons: ['the clock is 3 s off'] }) });
    const response = await fetch(`${door.origin}/readyz`);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ reasons: ['the clock is 3 s off'] });
    expect((await fetch(`${door.origin}/livez`)).status).toBe(200);
    await door.close();
  });
});

test('503 with Retry-After while the store cannot be asked, and 200 from /livez', async () => {
  const door = await openDoor();
  expect((await door.fetch('GET', '/users')).status).toBe(200);
  await door.loseStore();
  for (const response of [
    await door.fetch('GET', '/users'),
    await door.fetch('POST', '/users', { json: { login: 'alice' } }),
    await door.fetch('POST', '/authenticate', { json: alice }),
    await door.fetch('GET', '/users', { key: `sp_${'x'.repeat(43)}` }),
  ]) {
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await response.text()).not.toMatch(/sql|knex|connection/i);
  }
  expect((await fetch(`${door.origin}/livez`)).status).toBe(200);
  await door.close();
});

test('past the bound of requests in flight it is 503 with Retry-After, and health still answers', async () => {
  let open: (decision: Decision) => void = () => {};
  const held = new Promise<Decision>((resolve) => {
    open = resolve;
  });
  let waiting = 0;
  let full: () => void = () => {};
  const isFull = new Promise<void>((resolve) => {
    full = resolve;
  });
  const door = await openDoor({
    authenticate: () => {
      waiting += 1;
      if (waiting === HTTP_LIMITS.inFlightPerPeer) full();
      return held;
    },
  });
  await door.json('POST', '/resources', { json: { name: 'vpn' } });
  const asked = Array.from({ length: HTTP_LIMITS.inFlightPerPeer }, () =>
    door.fetch('POST', '/authenticate', { json: alice }),
  );
  await isFull;
  const turnedAway = await door.fetch('GET', '/users');
  expect(turnedAway.status).toBe(503);
  expect(turnedAway.headers.get('retry-after')).toBe('1');
  expect((await fetch(`${door.origin}/livez`)).status).toBe(200);
  open(refused);
  // Refusals that wait for their time hold no place; once all have left, none is held at all.
  for (const response of await Promise.all(asked)) expect(response.status).toBe(200);
  expect((await door.fetch('GET', '/users')).status).toBe(200);
  await door.close();
});

test('a client that hangs up gives its place back', async () => {
  const door = await openDoor({ authenticate: () => new Promise(() => {}) });
  await door.json('POST', '/resources', { json: { name: 'vpn' } });
  const abort = new AbortController();
  const asked = door.fetch('POST', '/authenticate', { json: alice, signal: abort.signal });
  const inFlight = async () =>
    /sallyport_http_in_flight (\d+)/.exec(
      await (await fetch(`${door.origin}/metrics`, { headers: door.as(door.owner) })).text(),
    )?.[1];
  // The request for the metrics is one itself.
  await expect.poll(inFlight).toBe('2');
  abort.abort();
  await expect(asked).rejects.toThrow();
  await expect.poll(inFlight).toBe('1');
  await door.close();
});

describe('starting', () => {
  test('a port that is taken is named', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const bound = other.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    const door = await openDoor({ start: false, port });
    expect(await door.http.start()).toEqual({ kind: 'not_listening', host: '127.0.0.1', port, code: 'EADDRINUSE' });
    expect(door.http.address()).toBeNull();
    other.close();
    await door.close();
  });

  test('the address is known once it listens', async () => {
    const door = await openDoor({ start: false });
    expect(door.http.address()).toBeNull();
    expect(await door.http.start()).toMatchObject({ kind: 'listening', host: '127.0.0.1' });
    expect(door.http.address()?.port).toBeGreaterThan(0);
    await door.close();
  });
});

describe('stopping', () => {
  test('what is in flight finishes, nothing new is taken', async () => {
    let open: (decision: Decision) => void = () => {};
    let begun: () => void = () => {};
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const door = await openDoor({
      authenticate: () => {
        begun();
        return new Promise((resolve) => {
          open = resolve;
        });
      },
    });
    await door.json('POST', '/resources', { json: { name: 'vpn' } });
    const asked = door.fetch('POST', '/authenticate', { json: alice });
    await hasBegun;
    // Far beyond this test's own time: what ends the wait is that all is answered.
    const stopped = door.http.stop(600_000);
    open(refused);
    expect(await door.body(await asked)).toEqual({ outcome: 'refused' });
    await stopped;
    await expect(fetch(`${door.origin}/livez`)).rejects.toThrow();
    await door.close();
  });

  test('what does not finish is cut off after the grace', async () => {
    const door = await openDoor({ authenticate: () => new Promise(() => {}) });
    await door.json('POST', '/resources', { json: { name: 'vpn' } });
    const idle = connect(door.port, '127.0.0.1');
    const closed = new Promise<void>((resolve) => idle.on('close', () => resolve()));
    const asked = door.fetch('POST', '/authenticate', { json: alice }).then(
      () => 'answered',
      () => 'cut off',
    );
    await expect.poll(() => idle.readyState).toBe('open');
    await door.http.stop(50);
    expect(await asked).toBe('cut off');
    await closed;
    await door.close();
  });
});

describe('TLS', () => {
  const get = (port: number, ca: string) =>
    new Promise<{ status: number | undefined; hsts: string | string[] | undefined; serial: string }>(
      (resolve, reject) => {
        // Without an agent each request is a connection, and so a handshake, of its own.
        const request = httpsGet({ host: '127.0.0.1', port, path: '/livez', ca, agent: false }, (response) => {
          response.resume();
          const { socket } = response;
          const serial = socket instanceof TLSSocket ? socket.getPeerCertificate().serialNumber : '';
          const hsts = response.headers['strict-transport-security'];
          response.on('end', () => resolve({ status: response.statusCode, hsts, serial }));
        });
        request.on('error', reject);
      },
    );

  test('HTTP-10: it answers with HSTS, and takes a new certificate without a restart', async () => {
    const now = systemClock();
    const first = await makePrivateAuthority(['localhost', '127.0.0.1'], now);
    const second = await makePrivateAuthority(['localhost', '127.0.0.1'], now);
    const door = await openDoor({ tls: { cert: first.serverCert, key: first.serverKey } });
    const before = await get(door.port, first.caCert);
    expect(before).toMatchObject({ status: 200, hsts: 'max-age=31536000' });
    door.http.reloadTls({ cert: second.serverCert, key: second.serverKey });
    await expect(get(door.port, first.caCert)).rejects.toThrow();
    const after = await get(door.port, second.caCert);
    expect(after.status).toBe(200);
    expect(after.serial).not.toBe(before.serial);
    await door.close();
  });
});
