import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { attribute, type Nas, Nas as NasSocket, type Running, SECRET, startServer, until } from './harness.js';
import { hex } from './vectors.js';

let running: Running | null = null;
let nas: Nas | null = null;

async function start(setup: Parameters<typeof startServer>[0] = {}): Promise<{ server: Running; from: Nas }> {
  running = await startServer(setup);
  nas = await NasSocket.open(running.accountingPort);
  return { server: running, from: nas };
}

afterEach(async () => {
  nas?.close();
  await running?.stop();
});

/** An Accounting-Request, its authenticator computed as RFC 2866 §3 says. */
function accounting(id: number, ...attributes: Buffer[]): Buffer {
  const packet = Buffer.concat([Buffer.from([4, id, 0, 0]), Buffer.alloc(16), ...attributes]);
  packet.writeUInt16BE(packet.length, 2);
  createHash('md5').update(packet).update(SECRET).digest().copy(packet, 4);
  return packet;
}

const integer = (type: number, value: number) => {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return attribute(type, octets);
};
const status = (value: number) => integer(40, value);
const session = (id: string) => attribute(44, id);

describe('accounting', () => {
  test('an interim update is stored with all that it says, gigawords counted in', async () => {
    const { server, from } = await start();
    const reply = await from.ask(
      accounting(
        1,
        status(3),
        session('0001'),
        attribute(1, 'alice'),
        integer(41, 5),
        integer(46, 3600),
        integer(42, 10),
        integer(52, 1),
        integer(43, 20),
        integer(5, 7),
        attribute(8, hex('0a000005')),
        attribute(95, hex('20010db8000000000000000000000001')),
        attribute(32, 'wlc1'),
        attribute(30, 'corp-wifi'),
        attribute(31, '00-11-22-33-44-55'),
        attribute(50, 'multi'),
      ),
    );
    expect([reply[0], reply[1], reply.length]).toEqual([5, 1, 20]);
    const [record] = server.records;
    expect(record).toMatchObject({
      clientId: 'edge-id',
      client: 'edge',
      resourceId: 'vpn-id',
      peer: '127.0.0.1',
      status: 'interim',
      statusType: 3,
      sessionId: '0001',
      multiSessionId: 'multi',
      login: 'alice',
      nasIdentifier: 'wlc1',
      nasAddress: '2001:db8::1',
      nasPort: 7,
      framedAddress: '10.0.0.5',
      station: '00-11-22-33-44-55',
      source: null,
      calledStation: 'corp-wifi',
      sessionTime: 3600,
      inputOctets: 2 ** 32 + 10,
      outputOctets: 20,
      terminateCause: null,
    });
    expect((record?.receivedAt ?? 0) - (record?.occurredAt ?? 0)).toBe(5000);
  });

  test('RAD-62: start, stop, interim, on, off and others have their names', async () => {
    const { server, from } = await start();
    for (const [id, type] of [1, 2, 3, 7, 8, 15].entries()) {
      const what = type === 7 || type === 8 ? [] : [session('s')];
      await from.ask(accounting(id, status(type), ...what));
    }
    expect(server.records.map((record) => record.status)).toEqual(['start', 'stop', 'interim', 'on', 'off', 'other']);
  });

  test('RAD-63: the same line with another Acct-Delay-Time is another packet and the same record', async () => {
    const { server, from } = await start();
    const stop = [status(2), session('0001'), integer(46, 60)];
    await from.ask(accounting(1, ...stop));
    await from.ask(accounting(2, ...stop, integer(41, 3)));
    await from.ask(accounting(3, status(2), session('0002')));
    await from.ask(accounting(4, status(3), session('0001'), integer(46, 60)));
    await from.ask(accounting(5, status(3), session('0001'), integer(46, 120)));
    const keys = server.records.map((record) => record.duplicateKey);
    expect(keys[0]).toBe(keys[1]);
    expect(new Set(keys).size).toBe(4);
  });

  test('RAD-61: there is no response while the store is down, the retransmission is stored, Proxy-State comes back', async () => {
    let down = true;
    const { server, from } = await start({
      recordAccounting: async () => (down ? 'unavailable' : 'stored'),
    });
    const proxyStates = [attribute(33, 'px1'), attribute(33, 'px2')];
    const packet = accounting(1, status(1), session('0001'), ...proxyStates);
    from.send(packet);
    await until(() => server.counts.get('dropped store_unavailable') === 1);
    down = false;
    const reply = await from.ask(packet);
    expect(reply.subarray(20)).toEqual(Buffer.concat(proxyStates));
    expect(await from.ask(packet)).toEqual(reply);
    expect(server.counts.get('duplicate resent')).toBe(1);
  });

  test.each([
    ['no Acct-Status-Type', [session('0001')], 'no Acct-Status-Type'],
    ['no Acct-Session-Id', [status(1)], 'no Acct-Session-Id'],
    ['an Acct-Session-Time of 3 octets', [status(1), session('s'), attribute(46, 'abc')], 'length of attribute 46'],
  ])('with %s is dropped with an event', async (_what, attributes, detail) => {
    const { server, from } = await start();
    from.send(accounting(1, ...attributes));
    await until(() => server.counts.get('dropped malformed') === 1);
    expect(server.events).toMatchObject([{ reason: 'malformed', detail, client: 'edge' }]);
    expect(server.records).toEqual([]);
  });

  test('RAD-60: with a wrong authenticator is dropped with an event', async () => {
    const { server, from } = await start();
    const packet = accounting(1, status(1), session('0001'));
    packet[4] = (packet[4] ?? 0) ^ 1;
    from.send(packet);
    await until(() => server.counts.get('dropped bad_authenticator') === 1);
    expect(server.events).toMatchObject([{ reason: 'bad_authenticator', client: 'edge' }]);
  });

  test('RAD-5: an Access-Request on the accounting port is dropped', async () => {
    const { server, from } = await start();
    from.send(Buffer.concat([hex('01010014'), Buffer.alloc(16)]));
    await until(() => server.counts.get('dropped unexpected_code') === 1);
    expect(server.requests).toEqual([]);
  });
});
