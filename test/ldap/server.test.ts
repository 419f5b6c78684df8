import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import type { Decision } from '../../src/access/request.js';
import { instant, millis, systemClock } from '../../src/base/units.js';
import { makePrivateAuthority } from '../../src/cli/private-authority.js';
import { createLdapServer } from '../../src/ldap/server.js';
import { accepted, type Door, eventually, openDoor, RawClient, REFUSED, WIKI } from './door.js';
import { ALICE, bind, hex, notice, result, search, startTls, unbind, whoAmI } from './requests.js';

const BIND = 0x61;
const GRACE = millis(5_000);
const authority = await makePrivateAuthority(['localhost', '127.0.0.1'], systemClock());
const TLS = { cert: Buffer.from(authority.serverCert), key: Buffer.from(authority.serverKey) };

let door: Door | null = null;
const open = async (options: Parameters<typeof openDoor>[0] = {}): Promise<Door> => {
  door = await openDoor(options);
  return door;
};
afterEach(async () => {
  await door?.server.stop(GRACE);
  door = null;
});

/** Sends, waits for as many octets, returns them. */
async function exchange(port: number, octets: Buffer, length: number): Promise<Buffer> {
  const client = await RawClient.connect(port);
  client.socket.write(octets);
  const answer = await client.until(length);
  client.socket.destroy();
  return answer;
}

describe('a bind over a socket', () => {
  test('LDAP-27: asks for alice, with all that a decision needs to know', async () => {
    const { port, asked, binds } = await open();
    const before = systemClock();
    expect(await exchange(port, bind(1, ALICE, '755224'), 14)).toEqual(result(1, BIND, 0));
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      door: 'ldap',
      method: 'bind',
      client: 'wiki',
      domains: ['CORP'],
      resourceId: 'vpn-id',
      login: 'alice',
      credential: { kind: 'text', text: '755224' },
      source: '127.0.0.1',
      station: null,
      peer: '127.0.0.1',
      datagram: null,
    });
    expect(asked[0]?.receivedAt).toBeGreaterThanOrEqual(before);
    expect(binds).toEqual(['accepted']);
  });

  test('LDAP-54: WhoAmI names the user, not the alias that was sent', async () => {
    const { port } = await open();
    const octets = Buffer.concat([bind(1, 'cn=ASmith,dc=example,dc=org', '755224'), whoAmI(2)]);
    const answer = await exchange(port, octets, 14 + 55);
    expect(answer.subarray(14)).toEqual(
      hex(
        '3035 020102 7830 0a0100 0400 0400 8b27646e3a7569643d616c6963652c6f753d75736572732c64633d6578616d706c652c64633d6f7267',
      ),
    );
  });

  test('a password that is not UTF-8 is undecodable, never text', async () => {
    const { port, asked } = await open();
    expect(await exchange(port, bind(1, ALICE, hex('ff fe')), 14)).toEqual(result(1, BIND, 49));
    expect(asked[0]?.credential).toEqual({ kind: 'undecodable' });
  });

  test('LDAP-22: whatever is wrong, the same octets come, and none before the delay', async () => {
    const { port, asked, events } = await open({ rejectDelay: millis(150) });
    const names = [
      ALICE,
      'uid=nobody,ou=users,dc=example,dc=org',
      'uid=alice,dc=other',
      'not a name',
      'ou=groups,dc=example,dc=org',
      'cn=wiki,dc=example,dc=org',
    ];
    for (const name of names) {
      const started = performance.now();
      expect(await exchange(port, bind(1, name, 'wrong'), 14)).toEqual(result(1, BIND, 49));
      expect(performance.now() - started).toBeGreaterThan(145);
    }
    expect(asked.map(({ login }) => login)).toEqual(['alice', 'nobody']);
    expect(events.map(({ reason, detail, client, login }) => ({ reason, detail, client, login }))).toEqual([
      { reason: 'unknown_client', detail: 'no_application', client: null, login: 'uid=alice,dc=other' },
      { reason: 'unknown_client', detail: 'invalid_dn', client: null, login: null },
      { reason: 'unknown_user', detail: 'not_a_user_dn', client: 'wiki', login: 'ou=groups,dc=example,dc=org' },
      { reason: 'wrong_password', detail: 'service_account', client: 'wiki', login: 'cn=wiki,dc=example,dc=org' },
    ]);
  });

  test.each([
    ['store', 52],
    ['upstream', 52],
    ['overload', 51],
  ] as const)('LDAP-23: %s down: %i', async (cause, code) => {
    const { port } = await open({ authenticate: async () => ({ outcome: 'unavailable', cause, eventId: null }) });
    expect(await exchange(port, bind(1, ALICE, '755224'), 14)).toEqual(result(1, BIND, code));
  });

  test('a decision that throws is a bug of ours: 80, and the log has it', async () => {
    const logged: unknown[] = [];
    const { port } = await open({
      authenticate: () => Promise.reject(new Error('broken')),
      log: { error: (facts) => logged.push(facts) },
    });
    expect(await exchange(port, bind(1, ALICE, '755224'), 14)).toEqual(result(1, BIND, 80));
    expect(logged).toHaveLength(1);
  });

  test('LDAP-25: the service account needs no code, and many binds go over one connection', async () => {
    const { port, asked } = await open();
    const octets = Buffer.concat([
      bind(1, 'cn=wiki,dc=example,dc=org', 'service'),
      bind(2, ALICE, '755224'),
      bind(3, 'cn=wiki,dc=example,dc=org', 'service'),
    ]);
    const answer = await exchange(port, octets, 42);
    expect(answer).toEqual(Buffer.concat([1, 2, 3].map((id) => result(id, BIND, 0))));
    expect(asked).toHaveLength(1);
  });

  test('LDAP-23: past the bound of binds in flight, and past half of it from one peer: 51', async () => {
    const waiting: ((decision: Decision) => void)[] = [];
    const { port, server } = await open({
      limits: { bindsInFlight: 4 },
      authenticate: () => new Promise((resolve) => waiting.push(resolve)),
    });
    const first = await RawClient.connect(port);
    const second = await RawClient.connect(port);
    first.socket.write(bind(1, ALICE, '755224'));
    second.socket.write(bind(1, ALICE, '755224'));
    await eventually(() => waiting.length === 2);
    expect(server.bindsInFlight()).toBe(2);
    expect(await exchange(port, bind(7, ALICE, '755224'), 14)).toEqual(result(7, BIND, 51));
    for (const resolve of waiting) resolve(accepted('alice'));
    expect(await first.until(14)).toEqual(result(1, BIND, 0));
    expect(await second.until(14)).toEqual(result(1, BIND, 0));
    expect(server.bindsInFlight()).toBe(0);
    first.socket.destroy();
    second.socket.destroy();
  });

  test('thousands of binds in one piece that are answered at once are answered, all of them', async () => {
    const { port } = await open({ limits: { bindsInFlight: 0 } });
    const ids = Array.from({ length: 5_000 }, (_, index) => 1 + (index % 100));
    const answer = await exchange(port, Buffer.concat(ids.map((id) => bind(id, ALICE, 'x'))), 14 * ids.length);
    expect(answer.equals(Buffer.concat(ids.map((id) => result(id, BIND, 51))))).toBe(true);
  });

  test('LDAP-21: an unauthenticated bind asks nobody and is an event', async () => {
    const { port, asked, events } = await open();
    expect(await exchange(port, bind(1, ALICE, ''), 14)).toEqual(result(1, BIND, 53));
    expect(asked).toEqual([]);
    expect(events).toMatchObject([
      { reason: 'malformed', detail: 'unauthenticated_bind', client: 'wiki', login: ALICE, peer: '127.0.0.1' },
    ]);
  });

  test('who half-closes after its bind still gets the answer', async () => {
    const { port, closed } = await open();
    const client = await RawClient.connect(port);
    client.socket.end(bind(1, ALICE, '755224'));
    expect(await client.rest()).toEqual(result(1, BIND, 0));
    await eventually(() => closed.length === 1);
    expect(closed).toEqual(['peer']);
  });

  test('a peer that is gone before the answer leaves nothing behind', async () => {
    let decide: ((decision: Decision) => void) | null = null;
    const { port, server } = await open({
      authenticate: () =>
        new Promise((resolve) => {
          decide = resolve;
        }),
    });
    const client = await RawClient.connect(port);
    client.socket.write(bind(1, ALICE, '755224'));
    await eventually(() => decide !== null);
    client.socket.resetAndDestroy();
    await eventually(() => server.connections() === 0);
    expect(server.bindsInFlight()).toBe(1);
    (decide as ((decision: Decision) => void) | null)?.(REFUSED);
    await eventually(() => server.bindsInFlight() === 0);
  });
});

describe('connections', () => {
  test('LDAP-3, 6: garbage gets the notice and the end', async () => {
    const { port, closed } = await open();
    const client = await RawClient.connect(port);
    client.socket.write(hex('16030100'));
    expect(await client.rest()).toEqual(notice('02'));
    expect(closed).toEqual(['protocol_error']);
  });

  test('the message that kills another server: an answer, and the next message has one, too', async () => {
    const { port } = await open();
    const killer =
      '306b0201026366041164633d6578616d706c652c64633d6f72670a01020a0100020100020100010100a035a315040b6f626a656374436c6173730406706572736f6ea11ca40b040375696430048002616ca30d04046d61696c04057840792e7a300b043375696404046d61696c';
    const answer = await exchange(port, Buffer.concat([hex(killer), bind(3, '', '')]), 28);
    expect(answer).toEqual(Buffer.concat([result(2, 0x65, 2), result(3, BIND, 0)]));
  });

  test('one more than a peer may have is not taken; when one goes there is room again', async () => {
    const { port, closed, server } = await open({ limits: { connectionsPerPeer: 2 } });
    const first = await RawClient.connect(port);
    const second = await RawClient.connect(port);
    await eventually(() => server.connections() === 2);
    const third = await RawClient.connect(port);
    expect(await third.rest()).toHaveLength(0);
    expect(closed).toEqual(['connections']);
    first.socket.write(unbind(1));
    await first.rest();
    first.socket.destroy();
    await eventually(() => server.connections() === 1);
    expect(await exchange(port, bind(1, '', ''), 14)).toEqual(result(1, BIND, 0));
    second.socket.destroy();
  });

  test('IPv6, and IPv4 inside it, are one address each', async () => {
    const { server, asked } = await open({ listen: ['[::]:0'] });
    const address = server.addresses().listen[0] ?? '';
    expect(address).toMatch(/^\[::\]:\d+$/);
    await exchange(Number(address.split(':').at(-1)), bind(1, ALICE, '755224'), 14);
    expect(asked[0]?.peer).toBe('127.0.0.1');
  });

  test('LDAP-12: stopping finishes the running bind, sends the notice to all, and takes nobody new', async () => {
    let decide: ((decision: Decision) => void) | null = null;
    const { port, server, closed } = await open({
      authenticate: () =>
        new Promise((resolve) => {
          decide = resolve;
        }),
    });
    const busy = await RawClient.connect(port);
    const idle = await RawClient.connect(port);
    busy.socket.write(bind(1, ALICE, '755224'));
    await eventually(() => decide !== null && server.connections() === 2);
    const stopped = server.stop(GRACE);
    expect(await idle.rest()).toEqual(notice('34'));
    expect(busy.received).toHaveLength(0);
    await expect(RawClient.connect(port)).rejects.toThrow();
    (decide as ((decision: Decision) => void) | null)?.(accepted('alice'));
    expect(await busy.rest()).toEqual(Buffer.concat([result(1, BIND, 0), notice('34')]));
    await stopped;
    expect(closed).toEqual(['shutdown', 'shutdown']);
    expect(server.connections()).toBe(0);
  });

  test('LDAP-12: what does not end within the grace is cut', async () => {
    const { port, server } = await open({ authenticate: () => new Promise(() => undefined) });
    const client = await RawClient.connect(port);
    client.socket.write(bind(1, ALICE, '755224'));
    await eventually(() => server.bindsInFlight() === 1);
    await server.stop(millis(50));
    expect(await client.rest()).toHaveLength(0);
  });
});

describe('time', () => {
  test('LDAP-11: who says nothing, and who stops in the middle, is cut by the clock', async () => {
    let now = 0;
    const { port, closed, server } = await open({ clock: () => instant(now) });
    const silent = await RawClient.connect(port);
    const half = await RawClient.connect(port);
    half.socket.write(Buffer.concat([bind(1, '', ''), hex('300c 0201')]));
    await half.until(14);
    await eventually(() => server.connections() === 2);
    now = 10_000;
    expect(await half.rest()).toEqual(result(1, BIND, 0));
    expect(silent.ended).toBe(false);
    now = 30_000;
    expect(await silent.rest()).toHaveLength(0);
    expect(closed).toEqual(['timeout', 'timeout']);
  });

  test('LDAP-56: who does not read its answers is not read from, and is cut after 30 s', async () => {
    let now = 0;
    const { port, closed, server } = await open({ clock: () => instant(now) });
    const client = await RawClient.connect(port);
    client.socket.pause();
    const questions = Buffer.concat(Array.from({ length: 20_000 }, () => search(1, 'cn=Subschema', 0, ['+'])));
    // Writes until nothing is taken any more: the answers are forty times as large as the questions.
    let taken = -1;
    while (client.socket.bytesWritten - client.socket.writableLength > taken) {
      taken = client.socket.bytesWritten - client.socket.writableLength;
      client.socket.write(questions);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    now = 29_999;
    expect(server.connections()).toBe(1);
    now = 30_000;
    await eventually(() => server.connections() === 0);
    expect(closed).toEqual(['timeout']);
    client.socket.destroy();
  });
});

describe('starting', () => {
  const deps = {
    listen: [] as string[],
    ldaps: [] as string[],
    tls: null,
    requireTls: false,
    rejectDelay: millis(0),
    authenticate: async () => REFUSED,
    applications: () => ({ find: () => null, namingContexts: () => [] }),
    clock: systemClock,
    onDoorEvent: () => undefined,
    metrics: { closed: () => undefined, error: () => undefined, bind: () => undefined },
    log: { error: () => undefined },
    vendorVersion: '1',
  };

  test('a port that is taken is named, and nothing listens then', async () => {
    const { port } = await open();
    const taken = `127.0.0.1:${port}`;
    const server = createLdapServer({ ...deps, listen: ['127.0.0.1:0', taken] });
    expect(await server.start()).toEqual({ endpoint: taken, cause: 'EADDRINUSE' });
    expect(server.addresses().listen).toEqual([]);
  });

  test('what is no address, ldaps without a certificate, and a certificate that is none are errors', async () => {
    expect(await createLdapServer({ ...deps, listen: ['localhost'] }).start()).toEqual({
      endpoint: 'localhost',
      cause: 'invalid_endpoint',
    });
    expect(await createLdapServer({ ...deps, ldaps: ['127.0.0.1:0'] }).start()).toEqual({
      endpoint: null,
      cause: 'no_certificate',
    });
    const broken = { cert: Buffer.from('x'), key: Buffer.from('y') };
    expect(await createLdapServer({ ...deps, tls: broken }).start()).toMatchObject({ endpoint: null });
  });
});

describe('TLS', () => {
  const ca = authority.caCert;

  test('LDAP-30: octets behind the StartTLS request end the connection', async () => {
    const { port, closed } = await open({ tls: TLS });
    const client = await RawClient.connect(port);
    client.socket.write(Buffer.concat([startTls(1), bind(2, ALICE, '755224')]));
    expect(await client.rest()).toHaveLength(0);
    expect(closed).toEqual(['starttls_injection']);
  });

  test('LDAP-32: a handshake that fails closes', async () => {
    const { port, closed, server } = await open({ tls: TLS });
    const client = await RawClient.connect(port);
    client.socket.write(startTls(1));
    await client.until(38);
    client.socket.write('this is no handshake, whatever else it may be');
    await client.rest();
    client.socket.destroy();
    await eventually(() => server.connections() === 0);
    expect(closed).toEqual(['tls_failed']);
  });

  test('a new certificate serves the next handshake; a broken one changes nothing', async () => {
    const { ldapsPort, server } = await open({ listen: [], ldaps: ['127.0.0.1:0'], tls: TLS });
    const serial = async (trusted: string) => {
      const socket = connectTls({ port: ldapsPort, host: '127.0.0.1', ca: trusted });
      await once(socket, 'secureConnect');
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    };
    const first = await serial(ca);
    expect(server.setTls({ cert: Buffer.from('x'), key: Buffer.from('y') })).not.toBeNull();
    expect(await serial(ca)).toBe(first);
    const next = await makePrivateAuthority(['localhost', '127.0.0.1'], systemClock());
    expect(server.setTls({ cert: Buffer.from(next.serverCert), key: Buffer.from(next.serverKey) })).toBeNull();
    expect(await serial(next.caCert)).not.toBe(first);
  });

  test('LDAP-32: after close_notify the connection ends', async () => {
    const { ldapsPort, closed } = await open({ listen: [], ldaps: ['127.0.0.1:0'], tls: TLS });
    const socket = connectTls({ port: ldapsPort, host: '127.0.0.1', ca });
    await once(socket, 'secureConnect');
    socket.end(search(1, ''));
    socket.resume();
    await once(socket, 'close');
    await eventually(() => closed.length === 1);
    expect(closed).toEqual(['peer']);
  });

  test('LDAP-29: requireTls: 13 in the clear with an event, success under TLS', async () => {
    const { port, ldapsPort, events, asked } = await open({ ldaps: ['127.0.0.1:0'], tls: TLS, requireTls: true });
    expect(await exchange(port, bind(1, ALICE, '755224'), 14)).toEqual(result(1, BIND, 13));
    expect(asked).toEqual([]);
    expect(events).toMatchObject([{ reason: 'method_not_allowed', detail: 'cleartext_password', client: 'wiki' }]);
    const socket = connectTls({ port: ldapsPort, host: '127.0.0.1', ca });
    socket.write(bind(1, ALICE, '755224'));
    const [answer] = await once(socket, 'data');
    expect(answer).toEqual(result(1, BIND, 0));
    socket.destroy();
  });
});

describe('a service account', () => {
  test('whose check is overloaded is told so: 51', async () => {
    const account = { dn: 'cn=wiki,dc=example,dc=org', verify: async () => 'overload' as const };
    const { port } = await open({ applications: [{ ...WIKI, serviceAccounts: [account] }] });
    expect(await exchange(port, bind(1, account.dn, 'service'), 14)).toEqual(result(1, BIND, 51));
  });

  test('LDAP-25: from another network is not known', async () => {
    const { port } = await open({ applications: [{ ...WIKI, sourceNetworks: ['192.0.2.0/24'] }] });
    expect(await exchange(port, bind(1, 'cn=wiki,dc=example,dc=org', 'service'), 14)).toEqual(result(1, BIND, 49));
  });
});
