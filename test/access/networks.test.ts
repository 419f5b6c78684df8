import { describe, expect, test } from 'vitest';
import { addressOf, canonicalAddress, inNetworks, isNetwork, sourceKey } from '../../src/access/networks.js';

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::ffff:c000:201', '192.0.2.1'],
  ['fe80::1%eth0', 'fe80::1'],
])('%s is the address %s', (text, address) => {
  expect(canonicalAddress(text)).toBe(address);
});

test.each(['', '10.1', '010.0.0.1', '0x0a000001', '167772161', '256.0.0.1', '1.2.3.4%eth0', 'alice', '::g', ':::'])(
  '%j is no address',
  (text) => {
    expect(canonicalAddress(text)).toBeNull();
  },
);

describe('Calling-Station-Id', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    [' 192.0.2.1 ', '192.0.2.1'],
    ['192.0.2.1:49152', '192.0.2.1'],
    ['192.0.2.1[4500]', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['2001:db8::1[4500]', '2001:db8::1'],
    ['[2001:db8::1]:500', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
  ])('%s holds the address %s', (text, address) => {
    expect(addressOf(text)).toBe(address);
  });

  test.each([
    '00-11-22-33-44-55',
    '00:11:22:33:44:55',
    '0011.2233.4455',
    '02:11:22:ff:fe:33:44:55',
    '+49 30 1234',
    '',
    '[x]',
    'x[1]',
  ])('%j holds none', (text) => {
    expect(addressOf(text)).toBeNull();
  });
});

describe('networks', () => {
  test.each<[string, string, boolean]>([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['2001:db8::1', '2001:db8::1', true],
    ['::/0', '10.0.0.1', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['::ffff:10.0.0.0/104', '10.200.0.1', true],
    ['::ffff:10.0.0.0/104', '11.0.0.1', false],
  ])('%s holds %s: %s', (network, address, inside) => {
    expect(inNetworks([network], address)).toBe(inside);
  });

  test('one of several is enough, and a list is read once', () => {
    const networks = ['192.0.2.0/24', '2001:db8::/32'];
    expect(inNetworks(networks, '2001:db8::5')).toBe(true);
    expect(inNetworks(networks, '192.0.2.5')).toBe(true);
    expect(inNetworks(networks, '198.51.100.5')).toBe(false);
  });

  test('what is no address lies nowhere, and what is no network holds nobody', () => {
    expect(inNetworks(['0.0.0.0/0'], '00-11-22-33-44-55')).toBe(false);
    expect(inNetworks(['everywhere'], '192.0.2.1')).toBe(false);
  });

  test.each(['192.0.2.1', '192.0.2.0/24', '2001:db8::/32', '::1', '::ffff:10.0.0.0/104'])(
    '%s may be listed',
    (text) => {
      expect(isNetwork(text)).toBe(true);
    },
  );

  test.each([
    '',
    '/',
    '/8',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10/8',
    '::/129',
    '::ffff:10.0.0.0/90',
    'x/8',
  ])('%j may not', (text) => {
    expect(isNetwork(text)).toBe(false);
  });
});

test.each([
  ['192.0.2.1', '192.0.2.1/32'],
  ['::ffff:192.0.2.1', '192.0.2.1/32'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::ffff', '2001:db8:1:2::/64'],
  ['::1', '::/64'],
  ['no:address', 'no:address'],
])('failures from %s count under %s', (address, key) => {
  expect(sourceKey(address)).toBe(key);
});
