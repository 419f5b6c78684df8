import { createHmac } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import type { AccessRequest, Decision } from '../../src/access/request.js';
import { Secret } from '../../src/base/secret.js';
import { millis } from '../../src/base/units.js';
import { buildRadiusClients } from '../../src/radius/clients.js';
import {
  accepted,
  accessRequest,
  aliceOnly,
  attribute,
  client,
  Nas,
  type Running,
  refused,
  resource,
  SECRET,
  type Setup,
  startServer,
  until,
} from './harness.js';
import { hex } from './vectors.js';

const open: { close(): void }[] = [];
let running: Running | null = null;

async function start(setup: Setup = {}): Promise<Running> {
  running = await startServer(setup);
  return running;
}

async function nas(port: number, host?: string, local?: string): Promise<Nas> {
  const one = await Nas.open(port, host, local);
  open.push(one);
  return one;
}

afterEach(async () => {
  for (const one of open.splice(0)) one.close();
  await running?.stop();
  running = null;
});

/** A gate that a test opens when it likes. */
function gate(): { promise: Promise<void>; open(): void } {
  let release = () => {};
  const promise = new Promise<void>((done) => {
    release = done;
  });
  return { promise, open: () => release() };
}

const code = (reply: Buffer): number => reply[0] ?? 0;
const proxyState = (text: string) => attribute(33, text);

describe('an Access-Request', () => {
  test('becomes a question to the rules with all that they need (RAD-73)', async () => {
    const { port, requests } = await start();
    const from = await nas(port);
    await from.ask(
      accessRequest({ login: 'CORP\\alice', password: 'pässword755224', more: [attribute(31, '198.51.100.7[4500]')] }),
    );
    const [request] = requests;
    expect(request).toMatchObject({
      door: 'radius',
      method: 'pap',
      client: 'edge',
      domains: ['CORP'],
      resourceId: 'vpn-id',
      login: 'CORP\\alice',
      credential: { kind: 'text', text: 'pässword755224' },
      source: '198.51.100.7',
      station: '198.51.100.7[4500]',
      peer: '127.0.0.1',
    } satisfies Partial<AccessRequest>);
    expect(request?.datagram).toMatch(/^[\w-]{30,}$/);
  });

  test('the same datagram has the same name, another authenticator or port another one', async () => {
    const { port, requests } = await start({
      authenticate: async (): Promise<Decision> => ({ outcome: 'unavailable', cause: 'store', eventId: null }),
    });
    const [one, two] = [await nas(port), await nas(port)];
    const packet = accessRequest();
    for (const [from, octets] of [
      [one, packet],
      [one, packet],
      [one, accessRequest()],
      [two, packet],
    ] as const) {
      const before = requests.length;
      from.send(octets);
      await until(() => requests.length > before);
    }
    const [a, b, c, d] = requests.map(({ datagram }) => datagram);
    expect(a).toBe(b);
    expect(new Set([a, c, d]).size).toBe(3);
  });

  test('a wrong shared secret shows as a password that nobody typed', async () => {
    const { port, requests } = await start();
    await (await nas(port)).ask(accessRequest({ secret: 'wrong' }));
    await (await nas(port)).ask(accessRequest({ password: 'with\ttab' }));
    await (await nas(port)).ask(accessRequest({ password: 'c1\u0085control' }));
    expect(requests.map(({ credential }) => credential.kind)).toEqual(['undecodable', 'undecodable', 'undecodable']);
  });

  test('an empty password is asked as an empty text', async () => {
    const { port, requests } = await start();
    await (await nas(port)).ask(accessRequest({ password: '' }));
    expect(requests[0]?.credential).toEqual({ kind: 'text', text: '' });
  });

  const mschap2 = attribute(26, Buffer.concat([hex('00000137 1934'), Buffer.alloc(50)]));
  test.each([
    ['no User-Name (RAD-13)', { login: null }, 'malformed', 'pap'],
    ['an empty User-Name (RAD-8, RAD-13)', { login: '' }, 'malformed', 'pap'],
    ['no credential (RAD-15)', { password: null }, 'malformed', null],
    ['two passwords (RAD-15)', { more: [attribute(2, Buffer.alloc(16, 7))] }, 'malformed', null],
    ['a password and CHAP (RAD-15)', { more: [attribute(3, Buffer.alloc(17))] }, 'malformed', null],
    [
      'a password of 10 octets (RAD-7)',
      { password: null, more: [attribute(2, Buffer.alloc(10, 7))] },
      'malformed',
      'pap',
    ],
    ['a NAS-Port of 3 octets (RAD-7)', { more: [attribute(5, 'abc')] }, 'malformed', 'pap'],
    ['a Framed-IPv6-Prefix that lies (RAD-72)', { more: [attribute(97, hex('0081'))] }, 'malformed', 'pap'],
    ['Call-Check (RAD-15)', { more: [attribute(6, hex('0000000a'))] }, 'malformed', 'pap'],
    ['Authorize-Only (RAD-15)', { more: [attribute(6, hex('00000011'))] }, 'malformed', 'pap'],
    ['CHAP', { password: null, more: [attribute(3, Buffer.alloc(17))] }, 'method_not_allowed', 'chap'],
    ['MS-CHAPv2', { password: null, more: [mschap2] }, 'method_not_allowed', 'mschapv2'],
    ['EAP', { password: null, signed: true, more: [attribute(79, hex('0201000501'))] }, 'method_not_allowed', 'eap'],
    ['a State that nobody gave out (RAD-18)', { more: [attribute(24, 'state')] }, 'wrong_otp', 'pap'],
  ] as const)('with %s is rejected without asking the rules', async (_what, shape, reason, method) => {
    const { port, requests, events } = await start();
    const reply = await (await nas(port)).ask(accessRequest(shape));
    expect(code(reply)).toBe(3);
    expect(requests).toEqual([]);
    expect(events).toMatchObject([{ reason, method, client: 'edge', peer: '127.0.0.1' }]);
  });

  test('RAD-9, RAD-22, RAD-71: unknown, opaque and broken extended attributes are no error', async () => {
    const { port } = await start();
    const more = [attribute(254, 'x'), attribute(26, hex('00000009 0100')), attribute(26, 'x'), attribute(245, 'x')];
    expect(code(await (await nas(port)).ask(accessRequest({ more })))).toBe(2);
  });

  test('invalid UTF-8 in a name is asked as a name that nobody has (RAD-13)', async () => {
    const { port, requests } = await start();
    await (await nas(port)).ask(accessRequest({ login: null, more: [attribute(1, hex('61ff62'))] }));
    expect(requests[0]?.login).toBe('a\ufffdb');
  });
});

describe('the reply', () => {
  test('RAD-10, RAD-33: has Message-Authenticator first, also for a request without, and both authenticators hold', async () => {
    const { port } = await start({ authenticate: aliceOnly(resource({ 'Filter-Id': 'vpn-users' })) });
    const from = await nas(port);
    for (const password of ['755224', '111111']) {
      const request = accessRequest({ id: 7, password });
      const reply = await from.ask(request);
      expect(reply[1]).toBe(7);
      expect(reply.readUInt16BE(2)).toBe(reply.length);
      expect([reply[20], reply[21]]).toEqual([80, 18]);
      const unsigned = Buffer.from(reply);
      request.copy(unsigned, 4, 4, 20);
      unsigned.fill(0, 22, 38);
      expect(reply.subarray(22, 38)).toEqual(createHmac('md5', SECRET).update(unsigned).digest());
    }
  });

  test('RAD-23, RAD-25: of a reject has the same octets in it whatever the reason', async () => {
    const { port } = await start();
    const from = await nas(port);
    for (const [id, shape] of [{ password: 'wrong' }, { login: null }, { more: [attribute(5, 'abc')] }].entries()) {
      const reply = await from.ask(accessRequest({ id, ...shape }));
      expect([code(reply), reply.length]).toEqual([3, 38]);
    }
  });

  test('RAD-25: of a reject waits for its time and holds no place meanwhile; an accept does not wait', async () => {
    const { port, requests } = await start({ rejectDelay: millis(300), inFlight: 2 });
    const from = await nas(port);
    const begun = performance.now();
    for (let id = 0; id < 5; id++) {
      from.send(accessRequest({ id, password: 'wrong' }));
      await until(() => requests.length > id);
      await Promise.resolve();
    }
    expect(code(await from.ask(accessRequest({ id: 9 })))).toBe(2);
    await until(() => from.replies.length === 6);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(295);
    expect(from.replies.map(code)).toEqual([2, 3, 3, 3, 3, 3]);
  });

  test('RAD-24: that would be over 4096 octets is a reject with an event, never cut off', async () => {
    const { port, events } = await start({
      records: [client({ limitProxyState: false })],
      authenticate: aliceOnly(resource({ 'Reply-Message': Array.from({ length: 14 }, () => 'x'.repeat(253)) })),
    });
    const more = [proxyState('a'.repeat(253)), proxyState('b'.repeat(253)), proxyState('c'.repeat(253))];
    const reply = await (await nas(port)).ask(accessRequest({ more }));
    expect(code(reply)).toBe(3);
    expect(reply.subarray(38)).toEqual(Buffer.concat(more));
    expect(events).toMatchObject([{ reason: 'malformed', detail: 'reply over 4096 octets', login: 'alice' }]);
  });

  test('is none where even a reject would be over 4096 octets', async () => {
    const { port, counts } = await start({ records: [client({ limitProxyState: false })] });
    const from = await nas(port);
    const more = [...Array.from({ length: 15 }, () => proxyState('a'.repeat(253))), proxyState('a'.repeat(240))];
    const packet = accessRequest({ login: 'al', password: null, more });
    expect(packet.length).toBe(4091);
    from.send(packet);
    await until(() => counts.has('dropped malformed'));
    expect(code(await from.ask(accessRequest({ id: 2 })))).toBe(2);
    expect(from.replies).toHaveLength(1);
  });

  test('of a resource with an attribute that cannot be encoded is a reject, and the log says which', async () => {
    const { port, events, errors } = await start({ authenticate: aliceOnly(resource({ 'No-Such': 'x' })) });
    expect(code(await (await nas(port)).ask(accessRequest()))).toBe(3);
    expect(events).toMatchObject([{ detail: 'No-Such: no dictionary has an attribute of this name' }]);
    expect(errors).toHaveLength(1);
  });

  test('is none while the decision is unavailable, and a retransmission is decided again', async () => {
    const answers: Decision[] = [{ outcome: 'unavailable', cause: 'store', eventId: null }, accepted()];
    const { port, counts, requests } = await start({ authenticate: async () => answers.shift() ?? refused });
    const from = await nas(port);
    const packet = accessRequest();
    from.send(packet);
    await until(() => counts.get('dropped store_unavailable') === 1);
    expect(code(await from.ask(packet))).toBe(2);
    expect(requests).toHaveLength(2);
  });

  test('RAD-11: leaves from the address that was asked, of several, also where a wildcard is listened on', async () => {
    const local = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ family }) => family === 'IPv4')
      .map(({ address }) => address);
    const { port } = await start({
      listen: ['0.0.0.0:0'],
      records: [client({ address: '0.0.0.0/0' })],
    });
    for (const address of local) {
      // From 127.0.0.1 the kernel itself would choose 127.0.0.1 to answer from, whatever was asked.
      const from = await nas(port, address, '127.0.0.1');
      expect(code(await from.ask(accessRequest()))).toBe(2);
      expect(from.origins).toEqual([`${address} ${port}`]);
    }
    await running?.stop();
    const several = await start({ listen: ['127.0.0.1:0', '127.0.0.2:0'] });
    for (const listening of several.server.addresses().listen) {
      const [address = '', its = ''] = listening.split(':');
      const from = await nas(Number(its), address, '127.0.0.1');
      await from.ask(accessRequest());
      expect(from.origins).toEqual([`${address} ${its}`]);
    }
  });
});

test('RAD-11: an IPv6 wildcard answers at each IPv6 address, and leaves IPv4 to its own', async () => {
  const { port } = await start({ listen: ['[::]:0'], records: [client({ address: '::1' })] });
  const from = await nas(port, '::1');
  expect(code(await from.ask(accessRequest()))).toBe(2);
  expect(from.origins).toEqual([`::1 ${port}`]);
  await running?.stop();
  const both = await start({ listen: [`0.0.0.0:${port}`, `[::]:${port}`] });
  expect(both.server.addresses().listen).toHaveLength(2);
});

describe('duplicates', () => {
  test('RAD-50: an answered one gets the same octets, and nothing is decided anew', async () => {
    const { port, requests, counts } = await start();
    const from = await nas(port);
    for (const [id, password] of ['755224', 'wrong'].entries()) {
      const packet = accessRequest({ id, password });
      const first = await from.ask(packet);
      expect(await from.ask(packet)).toEqual(first);
    }
    expect(requests).toHaveLength(2);
    expect(counts.get('duplicate resent')).toBe(2);
  });

  test('RAD-50: one that is being decided is dropped, one from another port is another request', async () => {
    const wait = gate();
    const { port, requests, counts } = await start({
      authenticate: async () => {
        await wait.promise;
        return accepted();
      },
    });
    const [one, two] = [await nas(port), await nas(port)];
    const packet = accessRequest();
    one.send(packet);
    one.send(packet);
    await until(() => counts.get('duplicate dropped') === 1);
    two.send(packet);
    await until(() => requests.length === 2);
    wait.open();
    await until(() => one.replies.length + two.replies.length === 2);
    expect([one.replies.length, two.replies.length]).toEqual([1, 1]);
  });

  test('RAD-51: with another authenticator it is a new request, and the old answer under way is not sent', async () => {
    const wait = gate();
    let first = true;
    const { port, requests } = await start({
      authenticate: async ({ login }) => {
        if (!first) return accepted();
        first = false;
        await wait.promise;
        return login === 'alice' ? refused : accepted();
      },
    });
    const from = await nas(port);
    from.send(accessRequest({ id: 3 }));
    await until(() => requests.length === 1);
    expect(code(await from.ask(accessRequest({ id: 3 })))).toBe(2);
    wait.open();
    await from.ask(accessRequest({ id: 4 }));
    await new Promise((later) => setTimeout(later, 60));
    expect(from.replies.map((reply) => [code(reply), reply[1]])).toEqual([
      [2, 3],
      [2, 4],
    ]);
  });

  test('RAD-52: a packet with a wrong Message-Authenticator does not touch them', async () => {
    const { port, requests, counts } = await start();
    const from = await nas(port);
    const packet = accessRequest({ id: 5, signed: true });
    const reply = await from.ask(packet);
    const forged = accessRequest({ id: 5, signed: true, secret: 'wrong' });
    from.send(forged);
    await until(() => counts.get('dropped bad_authenticator') === 1);
    expect(await from.ask(packet)).toEqual(reply);
    expect(requests).toHaveLength(1);
  });
});

describe('silence', () => {
  test('RAD-4: is all that an unknown source gets, with one event a minute', async () => {
    const { port, events, counts } = await start({ records: [client({ address: '192.0.2.1' })] });
    const from = await nas(port);
    from.send(accessRequest({ id: 1 }));
    from.send(accessRequest({ id: 2 }));
    from.send(hex('ff'));
    await until(() => counts.get('dropped unknown_client') === 3);
    expect(from.replies).toEqual([]);
    expect(events).toMatchObject([{ reason: 'unknown_client', peer: '127.0.0.1', client: null, suppressed: 0 }]);
  });

  test('is what a client that is switched off gets, even inside a network that is on', async () => {
    const { port, counts } = await start({
      records: [client({ id: 'off', active: false }), client({ id: 'net', address: '127.0.0.0/8' })],
    });
    const from = await nas(port);
    from.send(accessRequest());
    await until(() => counts.get('dropped unknown_client') === 1);
    expect(from.replies).toEqual([]);
  });

  test.each([
    ['RAD-1: fewer than 20 octets', hex('01010014 00'), 'malformed'],
    ['RAD-2: Length over what came', Buffer.concat([hex('01010030'), Buffer.alloc(16)]), 'malformed'],
    [
      'RAD-6: an attribute past the end',
      Buffer.concat([hex('01010017'), Buffer.alloc(16), hex('010441')]),
      'malformed',
    ],
    ['RAD-5: an Access-Accept', accessRequest({ code: 2 }), 'unexpected_code'],
    ['RAD-5: an Accounting-Request on the authentication port', accessRequest({ code: 4 }), 'unexpected_code'],
    ['RAD-5: a Disconnect-Request', accessRequest({ code: 40 }), 'unexpected_code'],
    ['RAD-31: a wrong Message-Authenticator', accessRequest({ signed: true, secret: 'no' }), 'bad_authenticator'],
    ['RAD-32: EAP unsigned', accessRequest({ more: [attribute(79, 'x')] }), 'no_message_authenticator'],
    ['RAD-43: Proxy-State unsigned', accessRequest({ more: [proxyState('x')] }), 'proxy_state'],
    ['RAD-65: Status-Server unsigned', accessRequest({ code: 12 }), 'no_message_authenticator'],
  ])('is the answer to %s', async (_what, packet, cause) => {
    const { port, counts, requests } = await start();
    const from = await nas(port);
    from.send(packet);
    await until(() => counts.get(`dropped ${cause}`) === 1);
    expect(code(await from.ask(accessRequest({ id: 200 })))).toBe(2);
    expect(from.replies).toHaveLength(1);
    expect(requests).toHaveLength(1);
  });

  test('what is no packet, or comes to the wrong port, is told to the operator once a minute with its address', async () => {
    const { port, counts, warnings } = await start();
    const from = await nas(port);
    for (const packet of [hex('01010014 00'), hex('01010014 00'), accessRequest({ code: 4 })]) from.send(packet);
    await until(() => counts.get('dropped malformed') === 2 && counts.get('dropped unexpected_code') === 1);
    expect(warnings).toMatchObject([
      { cause: 'malformed', address: '127.0.0.1', message: expect.stringContaining('not a RADIUS packet') },
      { cause: 'unexpected_code', address: '127.0.0.1', message: expect.stringContaining('ports') },
    ]);
  });

  test('RAD-3: padding behind Length is ignored', async () => {
    const { port } = await start();
    const packet = accessRequest({ signed: true });
    expect(code(await (await nas(port)).ask(Buffer.concat([packet, hex('ffff')])))).toBe(2);
  });

  test('RAD-67: is what Status-Server gets while the store is down', async () => {
    let ready = false;
    const { port, counts } = await start({ storeReady: () => ready });
    const from = await nas(port);
    const packet = accessRequest({ code: 12, login: null, password: null, signed: true });
    from.send(packet);
    await until(() => counts.get('dropped store_unavailable') === 1);
    ready = true;
    const reply = await from.ask(packet);
    expect([code(reply), reply.length]).toEqual([2, 38]);
  });

  test('RAD-54: is what new requests get once half the places are one source’s; those being decided are answered', async () => {
    const wait = gate();
    const { port, requests, counts } = await start({
      records: [client({ address: '127.0.0.0/8' })],
      inFlight: 4,
      authenticate: async () => {
        await wait.promise;
        return accepted();
      },
    });
    const [one, other] = [await nas(port), await nas(port, '127.0.0.1', '127.0.0.2')];
    for (let id = 0; id < 3; id++) one.send(accessRequest({ id }));
    await until(() => counts.get('dropped overload') === 1);
    other.send(accessRequest());
    await until(() => requests.length === 3);
    wait.open();
    await until(() => one.replies.length === 2 && other.replies.length === 1);
    expect(code(await one.ask(accessRequest({ id: 2 })))).toBe(2);
  });

  test('is the answer to a bug of ours, which is counted, and the next request is served', async () => {
    let bugs = 2;
    const { port, counts, errors } = await start({
      inFlight: 2,
      authenticate: (request) => {
        if (bugs === 0) return aliceOnly()(request);
        bugs--;
        if (bugs === 1) throw new Error('thrown');
        return Promise.reject(new Error('rejected'));
      },
    });
    const from = await nas(port);
    const packet = accessRequest();
    from.send(packet);
    await until(() => counts.get('internalError') === 1);
    from.send(packet);
    await until(() => counts.get('internalError') === 2);
    expect(code(await from.ask(packet))).toBe(2);
    expect(errors).toHaveLength(2);
  });
});

describe('Message-Authenticator', () => {
  test('RAD-42: under auto the first signed request without EAP makes it required from then on', async () => {
    const { port, seen, counts, events } = await start();
    const from = await nas(port);
    expect(code(await from.ask(accessRequest({ id: 1 })))).toBe(2);
    expect(seen).toEqual([]);
    expect(code(await from.ask(accessRequest({ id: 2, signed: true })))).toBe(2);
    expect(seen).toEqual(['edge-id']);
    from.send(accessRequest({ id: 3 }));
    from.send(accessRequest({ id: 4 }));
    await until(() => counts.get('dropped no_message_authenticator') === 2);
    // RAD-41: one event a minute
    expect(events).toMatchObject([{ reason: 'bad_authenticator', detail: 'no_message_authenticator', client: 'edge' }]);
    await from.ask(accessRequest({ id: 5, signed: true }));
    expect(seen).toEqual(['edge-id']);
  });

  test('RAD-42: EAP and Status-Server prove nothing, and neither does one host of a network', async () => {
    const { port, seen } = await start();
    const from = await nas(port);
    await from.ask(accessRequest({ id: 1, password: null, signed: true, more: [attribute(79, 'x')] }));
    await from.ask(accessRequest({ id: 2, code: 12, login: null, password: null, signed: true }));
    expect(code(await from.ask(accessRequest({ id: 3 })))).toBe(2);
    expect(seen).toEqual([]);
    await running?.stop();
    const wide = await start({ records: [client({ address: '127.0.0.0/8' })] });
    const other = await nas(wide.port);
    await other.ask(accessRequest({ id: 1, signed: true }));
    expect(code(await other.ask(accessRequest({ id: 2 })))).toBe(2);
    expect(wide.seen).toEqual([]);
  });

  test.each([
    ['RAD-40: yes demands it', client({ requireMessageAuthenticator: 'yes' }), false],
    ['RAD-42: what was seen before is remembered', client({ messageAuthenticatorSeen: true }), false],
    ['RAD-40: no never does', client({ requireMessageAuthenticator: 'no', messageAuthenticatorSeen: true }), true],
  ])('%s', async (_what, record, answered) => {
    const { port, counts } = await start({ records: [record] });
    const from = await nas(port);
    from.send(accessRequest({ id: 1 }));
    await until(() => from.replies.length === 1 || counts.has('dropped no_message_authenticator'));
    expect(from.replies.length === 1).toBe(answered);
    expect(code(await from.ask(accessRequest({ id: 2, signed: true })))).toBe(2);
  });

  test('RAD-43: an old proxy that is trusted may send Proxy-State unsigned', async () => {
    const { port } = await start({ records: [client({ limitProxyState: false })] });
    const reply = await (await nas(port)).ask(accessRequest({ more: [proxyState('one'), proxyState('two')] }));
    expect(reply.subarray(38)).toEqual(Buffer.concat([proxyState('one'), proxyState('two')]));
  });
});

describe('the table of clients', () => {
  test('a reload is seen by the next packet', async () => {
    let { clients } = buildRadiusClients([client({ address: '192.0.2.1' })]);
    const { port, counts } = await start({ clients: () => clients });
    const from = await nas(port);
    from.send(accessRequest({ id: 1 }));
    await until(() => counts.get('dropped unknown_client') === 1);
    ({ clients } = buildRadiusClients([client({ secret: Secret.of(SECRET) })]));
    expect(code(await from.ask(accessRequest({ id: 2 })))).toBe(2);
  });

  test('NAS-Identifier picks the record, and with it the resource', async () => {
    const { port, requests } = await start({
      records: [client(), client({ id: 'wifi-id', name: 'wifi', nasIdentifier: 'wlc1', resourceId: 'wifi' })],
    });
    const from = await nas(port);
    await from.ask(accessRequest({ id: 1, more: [attribute(32, 'wlc1')] }));
    await from.ask(accessRequest({ id: 2, more: [attribute(32, 'other')] }));
    expect(requests.map(({ client: name, resourceId }) => [name, resourceId])).toEqual([
      ['wifi', 'wifi'],
      ['edge', 'vpn-id'],
    ]);
  });
});

describe('start and stop', () => {
  test('a port that is taken is named, and nothing stays open', async () => {
    const { port } = await start();
    for (const listen of [`127.0.0.1:${port}`, `0.0.0.0:${port}`]) {
      await expect(startServer({ listen: [listen] })).rejects.toThrow(`addressTaken ${listen}`);
    }
    await running?.stop();
    const again = await start({ listen: [`0.0.0.0:${port}`] });
    expect(again.server.addresses().listen).toEqual([`0.0.0.0:${port}`]);
    await expect(startServer({ listen: [`127.0.0.1:${port}`] })).rejects.toThrow('addressTaken');
  });

  test('an address that is none, or not of this machine, is named', async () => {
    await expect(startServer({ listen: ['127.0.0.1'] })).rejects.toThrow('badAddress 127.0.0.1');
    await expect(startServer({ listen: ['192.0.2.77:0'] })).rejects.toThrow('notLocal 192.0.2.77:0');
  });

  test('a stop takes nothing new, answers what is being decided, and rejects that wait', async () => {
    const wait = gate();
    const { port, server, requests } = await start({
      rejectDelay: millis(100),
      authenticate: async ({ login }) => {
        if (login !== 'alice') return refused;
        await wait.promise;
        return accepted();
      },
    });
    const from = await nas(port);
    from.send(accessRequest({ id: 1 }));
    from.send(accessRequest({ id: 2, login: 'bob' }));
    await until(() => requests.length === 2);
    const stopped = server.stop(millis(5000));
    from.send(accessRequest({ id: 3 }));
    wait.open();
    await stopped;
    await until(() => from.replies.length === 2);
    expect(from.replies.map(code)).toEqual([2, 3]);
    expect(requests).toHaveLength(2);
  });
});
