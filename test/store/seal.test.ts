import { expect, test } from 'vitest';
import { Secret } from '../../src/base/secret.js';
import { Seal } from '../../src/store/seal.js';

const seal = new Seal(Secret.of(Buffer.alloc(32, 1)));
const SECRET = Secret.of('a shared secret');
const box = seal.seal('tokens.secret', 'id-1', SECRET);

test('a box opens for its purpose and record, with its key', () => {
  expect(seal.openSecret('tokens.secret', 'id-1', box)?.equals(SECRET)).toBe(true);
  expect(new Seal(Secret.of(Buffer.alloc(32, 1))).open('tokens.secret', 'id-1', box)?.toString()).toBe(
    'a shared secret',
  );
});

test('a box that was moved to another record or column does not open', () => {
  expect(seal.open('tokens.secret', 'id-2', box)).toBeNull();
  expect(seal.open('radius_clients.secret', 'id-1', box)).toBeNull();
});

test('a box does not open under another master key', () => {
  expect(new Seal(Secret.of(Buffer.alloc(32, 2))).open('tokens.secret', 'id-1', box)).toBeNull();
});

test('a box with any one octet altered, or cut anywhere, does not open', () => {
  const octets = Buffer.from(box, 'base64url');
  for (let i = 0; i < octets.length; i++) {
    const altered = Buffer.from(octets);
    altered.writeUInt8(altered.readUInt8(i) ^ 1, i);
    expect(seal.open('tokens.secret', 'id-1', altered.toString('base64url'))).toBeNull();
    expect(seal.open('tokens.secret', 'id-1', octets.subarray(0, i).toString('base64url'))).toBeNull();
  }
});

test('the same secret is never sealed into the same box', () => {
  const boxes = Array.from({ length: 2_000 }, () => seal.seal('tokens.secret', 'id-1', SECRET));
  expect(new Set(boxes).size).toBe(2_000);
});

test('an empty secret is a secret', () => {
  const empty = seal.seal('tokens.secret', 'id-1', Secret.of(''));
  expect(seal.open('tokens.secret', 'id-1', empty)).toEqual(Buffer.alloc(0));
});

test('a fingerprint is the same for the same text and key alone, and short', () => {
  expect(seal.fingerprint('123456')).toBe(seal.fingerprint('123456'));
  expect(seal.fingerprint('123456')).not.toBe(seal.fingerprint('123457'));
  expect(seal.fingerprint('123456')).not.toBe(new Seal(Secret.of(Buffer.alloc(32, 2))).fingerprint('123456'));
  expect(seal.fingerprint('123456')).toHaveLength(16);
});

test('a master key of another length is a bug of the caller', () => {
  expect(() => new Seal(Secret.of(Buffer.alloc(31)))).toThrow(/32 octets/);
});
