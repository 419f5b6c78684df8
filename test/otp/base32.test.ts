import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBase32, encodeBase32, secretStrength } from '../../src/otp/base32.js';

const octets = (text: string) => ({ kind: 'octets', octets: Buffer.from(text) });

describe('OTP-12 reading', () => {
  test.each([
    ['MY======', 'f'],
    ['MZXQ====', 'fo'],
    ['MZXW6===', 'foo'],
    ['MZXW6YQ=', 'foob'],
    ['MZXW6YTB', 'fooba'],
    ['MZXW6YTBOI======', 'foobar'],
  ])('%s is %j (RFC 4648 §10), with its padding or without', (text, plain) => {
    expect(decodeBase32(text)).toEqual(octets(plain));
    expect(decodeBase32(text.replaceAll('=', ''))).toEqual(octets(plain));
  });

  test('case, spaces and dashes do not matter', () => {
    expect(decodeBase32('gezd GNBV-gy3t qojq GEZDGNBVGY3TQOJQ')).toEqual(octets('12345678901234567890'));
  });

  test.each([
    ['MZXW0YTB', 4, '0'],
    ['1ZXW6YTB', 0, '1'],
    ['MZXW6YT8', 7, '8'],
    ['MZ XW9YTB', 5, '9'],
    ['MZXW6YT!', 7, '!'],
    ['MZ😀', 2, '😀'],
    ['MZ\nXW', 2, '\n'],
  ])('%j is refused at %d for %j', (text, at, character) => {
    expect(decodeBase32(text)).toEqual({ kind: 'character', at, character });
  });

  test.each(['', ' ', '- =='])('%j is empty', (text) => {
    expect(decodeBase32(text)).toEqual({ kind: 'empty' });
  });

  test.each([
    ['A', 'no octets encode to one letter'],
    ['MZX', 'nor to three'],
    ['MZ', 'bits that are left over are not zero'],
  ])('%s is refused: %s', (text) => {
    expect(decodeBase32(text)).toEqual({ kind: 'length' });
  });
});

test('OTP-11 writing is upper case without padding, and reads back', () => {
  expect(encodeBase32(Buffer.from('12345678901234567890'))).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ');
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
      const text = encodeBase32(Buffer.from(bytes));
      expect(text).toMatch(/^[A-Z2-7]+$/);
      expect(decodeBase32(text)).toEqual({ kind: 'octets', octets: Buffer.from(bytes) });
    }),
  );
});

test.each([
  [9, 'tooShort'],
  [10, 'weak'],
  [15, 'weak'],
  [16, 'strong'],
  [20, 'strong'],
  [64, 'strong'],
  [65, 'tooLong'],
])('OTP-8 a secret of %d octets is %s', (length, strength) => {
  expect(secretStrength(length)).toBe(strength);
});
