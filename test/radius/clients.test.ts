import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/base/secret.js';
import { canonicalAddress, parseEndpoint, stationAddress } from '../../src/radius/address.js';
import { buildRadiusClients, type RadiusClient } from '../../src/radius/clients.js';
import { Places, Sources } from '../../src/radius/sources.js';
import { client } from './harness.js';

const named = (id: string, address: string, more: Partial<RadiusClient> = {}) =>
  client({ id, name: id, address, ...more });

describe('RAD-4: the client of a packet', () => {
  const { clients, problems } = buildRadiusClients([
    named('any', '0.0.0.0/0'),
    named('ten', '10.0.0.0/8'),
    named('ten-one', '10.1.0.0/16'),
    named('host', '10.1.2.3'),
    named('mapped', '::ffff:192.0.2.0/120'),
    named('six', '2001:db8::/32'),
    named('six-host', '2001:DB8:0::1/128'),
    named('unmasked', '172.16.5.9/16'),
  ]);

  test('is of the most specific network', () => {
    expect(problems).toEqual([]);
    const found = (address: string) => clients.find(address, null)?.record.id ?? null;
    expect(['198.51.100.1', '10.9.9.9', '10.1.9.9', '10.1.2.3', '192.0.2.7', '172.16.1.1'].map(found)).toEqual([
      'any',
      'ten',
      'ten-one',
      'host',
      'mapped',
      'unmasked',
    ]);
    expect(['2001:db8::2', '2001:db8::1', '2001:db9::1'].map(found)).toEqual(['six', 'six-host', null]);
    // and again, from what is remembered
    expect(['10.9.9.9', '2001:db9::1'].map(found)).toEqual(['ten', null]);
  });

  test('is one address or not', () => {
    expect(clients.find('10.1.2.3', null)?.oneAddress).toBe(true);
    expect(clients.find('2001:db8::1', null)?.oneAddress).toBe(true);
    expect(clients.find('10.1.9.9', null)?.oneAddress).toBe(false);
  });

  test('is picked by NAS-Identifier among the records of one network, never out of another one', () => {
    const table = buildRadiusClients([
      named('a', '10.0.0.1', { nasIdentifier: 'a' }),
      named('b', '10.0.0.1/32', { nasIdentifier: 'b' }),
      named('net', '10.0.0.0/8'),
      named('c', '10.0.0.0/8', { nasIdentifier: 'c' }),
    ]).clients;
    expect(table.find('10.0.0.1', 'b')?.record.id).toBe('b');
    expect(table.find('10.0.0.1', 'c')).toBeNull();
    expect(table.find('10.0.0.1', null)).toBeNull();
    expect(table.find('10.0.0.2', 'c')?.record.id).toBe('c');
    expect(table.find('10.0.0.2', 'a')?.record.id).toBe('net');
  });

  test('is never decided by the order of records that contradict one another: these are left out and named', () => {
    const table = buildRadiusClients([
      named('first', '10.0.0.0/8'),
      named('other-secret', '10.0.0.0/8', { nasIdentifier: 'x', secret: Secret.of('another') }),
      named('twin', '10.255.0.1/8'),
      named('nonsense', '10.0.0.0/33'),
    ]);
    expect(table.problems).toEqual([
      { clientId: 'other-secret', kind: 'otherSecret' },
      { clientId: 'twin', kind: 'sameNasIdentifier' },
      { clientId: 'nonsense', kind: 'badAddress' },
    ]);
    expect(table.clients.find('10.0.0.1', 'x')?.record.id).toBe('first');
  });
});

describe('addresses', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::FFFF:7f00:1', '127.0.0.1'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['127.1', null],
    ['01.2.3.4', null],
    ['alice', null],
    ['', null],
  ])('%s is %s', (text, expected) => {
    expect(canonicalAddress(text)).toBe(expected);
  });

  test.each([
    ['198.51.100.7', '198.51.100.7'],
    ['198.51.100.7[4500]', '198.51.100.7'],
    ['2001:db8::7[500]', '2001:db8::7'],
    ['198.51.100.7[]', null],
    ['198.51.100.7[x]', null],
    ['[198.51.100.7]', null],
    ['00-11-22-33-44-55', null],
    ['+49 30 123456', null],
    ['', null],
  ])('RAD-73: Calling-Station-Id "%s" is the address %s', (station, expected) => {
    expect(stationAddress(station)).toBe(expected);
  });

  test.each([
    ['0.0.0.0:1812', { address: '0.0.0.0', port: 1812 }],
    ['[::]:1812', { address: '::', port: 1812 }],
    ['127.0.0.1:0', { address: '127.0.0.1', port: 0 }],
    ['::1:1812', null],
    ['127.0.0.1', null],
    ['127.0.0.1:65536', null],
    ['localhost:1812', null],
    ['[127.0.0.1:1', null],
  ])('to listen at: %s', (text, expected) => {
    expect(parseEndpoint(text)).toEqual(expected);
  });
});

describe('sources and places', () => {
  test('half the places at most are one source’s, and what was given back can be taken again', () => {
    const sources = new Sources();
    const places = new Places(4);
    const [a, b] = [sources.of('192.0.2.1'), sources.of('192.0.2.2')];
    expect([places.take(a), places.take(a), places.take(a)]).toEqual([true, true, false]);
    expect([places.take(b), places.take(b), places.take(b)]).toEqual([true, true, false]);
    places.leave(a);
    expect([places.taken, places.take(b), places.take(a)]).toEqual([3, false, true]);
  });

  test('a flood of addresses is forgotten, but not one with requests under way', () => {
    const sources = new Sources(100);
    const busy = sources.of('192.0.2.1');
    busy.inFlight = 1;
    for (let i = 0; i < 500; i++) sources.of(`10.0.${i >> 8}.${i & 255}`);
    expect(sources.of('192.0.2.1')).toBe(busy);
  });
});
