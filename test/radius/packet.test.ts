import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/base/secret.js';
import {
  ATTRIBUTE,
  attributesOf,
  extendedAttributesOf,
  isIpv6Prefix,
  taggedInteger,
  taggedText,
  vendorAttributesOf,
  vendorOf,
} from '../../src/radius/attributes.js';
import { SecretKey } from '../../src/radius/authenticator.js';
import { beginHmac, finishHmac, hmacMd5Key, Md5, md5Into } from '../../src/radius/md5.js';
import { decode, nasIdentifierOf } from '../../src/radius/packet.js';
import { replyMessages } from '../../src/radius/response.js';
import { hidePassword, isPasswordLength, revealPassword } from '../../src/radius/user-password.js';
import { hex, readVectors, VectorRun } from './vectors.js';

describe.each(['rfc2865.txt', 'rfc3579.txt', 'rfc2866-rfc5997.txt'])('vectors of %s', (file) => {
  const run = new VectorRun();
  for (const vector of readVectors(file)) {
    test(`line ${vector.line}: ${vector.command} gives what it must`, () => {
      const isHex = /^[0-9a-f ]+$/.test(vector.expected);
      const expected = isHex ? vector.expected.replace(/\s/g, '') : vector.expected.replace(/\s+/g, ' ');
      expect(run.run(vector)).toBe(expected);
    });
  }
});

describe('MD5', () => {
  // RFC 1321 §A.5
  test.each([
    ['', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['a', '0cc175b9c0f1b6a831c399e269772661'],
    ['abc', '900150983cd24fb0d6963f7d28e17f72'],
    ['message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
    ['abcdefghijklmnopqrstuvwxyz', 'c3fcd3d76192e4007dfb496cca67e13b'],
    ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', 'd174ab98d277d9f5a5611c2c9f419d9f'],
    [
      '12345678901234567890123456789012345678901234567890123456789012345678901234567890',
      '57edf4a22be3c955ac49da2e2107b67a',
    ],
  ])('of "%s" is that of RFC 1321 §A.5', (text, expected) => {
    const digest = Buffer.alloc(16);
    md5Into(digest, 0, Buffer.from(text));
    expect(digest.toString('hex')).toBe(expected);
  });

  // RFC 2202 §2
  test.each([
    ['0b'.repeat(16), Buffer.from('Hi There').toString('hex'), '9294727a3638bb1c13f48ef8158bfc9d'],
    [
      Buffer.from('Jefe').toString('hex'),
      Buffer.from('what do ya want for nothing?').toString('hex'),
      '750c783e6ab0b503eaa86e310a5db738',
    ],
    ['aa'.repeat(16), 'dd'.repeat(50), '56be34521d144c88dbb8c733f0e8b3f6'],
    [
      'aa'.repeat(80),
      Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First').toString('hex'),
      '6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd',
    ],
  ])('HMAC is that of RFC 2202 §2', (key, data, expected) => {
    const prepared = hmacMd5Key(hex(key));
    const digest = Buffer.alloc(16);
    beginHmac(prepared).update(hex(data));
    finishHmac(prepared, digest, 0);
    expect(digest.toString('hex')).toBe(expected);
  });

  test('equals that of OpenSSL for any octets, fed in any pieces, and so does HMAC', () => {
    const octets = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(fc.array(octets, { maxLength: 5 }), fc.uint8Array({ maxLength: 150 }), (pieces, key) => {
        const whole = Buffer.concat(pieces);
        const digest = Buffer.alloc(16);
        const md5 = new Md5().start();
        for (const piece of pieces) md5.update(piece);
        md5.finish(digest);
        expect(digest).toEqual(createHash('md5').update(whole).digest());
        const prepared = hmacMd5Key(key);
        const hmac = beginHmac(prepared);
        for (const piece of pieces) hmac.update(piece);
        finishHmac(prepared, digest, 0);
        expect(digest).toEqual(createHmac('md5', key).update(whole).digest());
      }),
    );
  });
});

describe('decode', () => {
  test('any octets are a packet or an error, and never throw or loop', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4200 }), (octets) => {
        const result = decode(Buffer.from(octets));
        if ('kind' in result) return;
        const spans = [...attributesOf(result.octets, 20)];
        expect(spans.reduce((sum, span) => sum + span.end - span.start + 2, 20)).toBe(result.octets.length);
      }),
      { numRuns: 2000 },
    );
  });

  test('octets whose header is right are walked to their very end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (tail) => {
        const datagram = Buffer.concat([hex('01000000'), Buffer.alloc(16), tail]);
        datagram.writeUInt16BE(datagram.length, 2);
        const result = decode(datagram);
        if ('kind' in result) expect(result.kind).toBe('badAttribute');
        else {
          for (const { type, start, end } of attributesOf(result.octets, 20)) {
            if (type === ATTRIBUTE.vendorSpecific) vendorAttributesOf(result.octets, start, end);
          }
          extendedAttributesOf(result.octets, 20);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('NAS-Identifier is found, the first of several', () => {
    const packet = decode(hex('0100001e 000102030405060708090a0b0c0d0e0f 2005616263 2005646566'));
    expect('kind' in packet ? null : nasIdentifierOf(packet)).toBe('abc');
  });
});

describe('attributes', () => {
  const span = (text: string): [Buffer, number, number] => [hex(text), 0, hex(text).length];

  test('RAD-22: several vendor attributes share one Vendor-Specific, and a broken length makes it opaque', () => {
    const [octets, start, end] = span('00000009 0103 61 0204 6263');
    expect(vendorOf(octets, start, end)).toBe(9);
    expect(vendorAttributesOf(octets, start, end)).toEqual([
      { type: 1, start: 6, end: 7 },
      { type: 2, start: 9, end: 11 },
    ]);
    expect(vendorAttributesOf(...span('00000009 0103 61 0205 6263'))).toBeNull();
    expect(vendorAttributesOf(...span('00000009 0100 61'))).toBeNull();
    expect(vendorAttributesOf(...span('00000009'))).toBeNull();
    expect(vendorOf(...span('000009'))).toBeNull();
  });

  test('RAD-70: a tag in text is one only up to 0x1f, in an integer always', () => {
    expect(taggedText(...span('01616263'))).toEqual({ tag: 1, text: 'abc' });
    expect(taggedText(...span('20616263'))).toEqual({ tag: null, text: ' abc' });
    expect(taggedText(...span(''))).toEqual({ tag: null, text: '' });
    expect(taggedInteger(...span('ff00000d'))).toEqual({ tag: 255, value: 13 });
    expect(taggedInteger(...span('00000d'))).toBeNull();
  });

  test('RAD-71: extended attributes are read, fragments joined, broken ones skipped', () => {
    const octets = hex('f104 05 aa   f506 01 80 6162  f505 01 00 63  f102  f604 01 80  f506 02 80 6465');
    expect(extendedAttributesOf(octets, 0)).toEqual([
      { type: 241, extendedType: 5, value: hex('aa') },
      { type: 245, extendedType: 1, value: hex('616263') },
    ]);
  });

  test('RAD-72: an IPv6 prefix has its octets and zeros past its length', () => {
    expect(isIpv6Prefix(...span('0040 20010db800000000'))).toBe(true);
    expect(isIpv6Prefix(...span('0000'))).toBe(true);
    expect(isIpv6Prefix(...span('0081 20010db8000000000000000000000000'))).toBe(false);
    expect(isIpv6Prefix(...span('0040 20010db8'))).toBe(false);
    expect(isIpv6Prefix(...span('001c 20010db8'))).toBe(false);
    expect(isIpv6Prefix(...span('00'))).toBe(false);
    expect(isIpv6Prefix(...span('0040 2001 0db8 0000 0000 0000 0000 0000 0000 00'))).toBe(false);
  });

  test('RAD-21: Reply-Message is split at 253 octets between characters, in order', () => {
    const message = `${'a'.repeat(252)}ü${'漢'.repeat(100)}`;
    const octets = replyMessages(message);
    const parts = [...attributesOf(octets, 0)].map(({ start, end }) => octets.subarray(start, end));
    expect(parts.map((part) => part.toString('utf8')).join('')).toBe(message);
    expect(parts.map((part) => part.length)).toEqual([252, 251, 51]);
    expect(replyMessages('')).toHaveLength(0);
  });
});

describe('User-Password', () => {
  const key = new SecretKey(Secret.of('testing123'));
  const authenticator = hex('000102030405060708090a0b0c0d0e0f');

  test('RAD-14: 128 octets hide into eight chained blocks', () => {
    const hidden = hidePassword(Buffer.from('a'.repeat(128)), authenticator, key);
    expect(hidden?.subarray(0, 16).toString('hex')).toBe('f78f68ab159c1b7b712766456175e3ea');
    expect(hidden?.subarray(112).toString('hex')).toBe('601d36b481b0ed2c6793222a3a613a1b');
    expect(hidePassword(Buffer.alloc(129, 'a'), authenticator, key)).toBeNull();
  });

  test('RAD-14: whatever is hidden comes back, without its trailing NULs only', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 128 }), (password) => {
        const hidden = hidePassword(password, authenticator, key);
        const end = password.findLastIndex((octet) => octet !== 0) + 1;
        expect(hidden === null ? null : revealPassword(hidden, authenticator, key)).toEqual(
          Buffer.from(password.subarray(0, end)),
        );
      }),
    );
    const hidden = hidePassword(Buffer.from('a\0b\0\0'), authenticator, key);
    expect(hidden === null ? null : revealPassword(hidden, authenticator, key).toString()).toBe('a\0b');
  });

  test('RAD-7: only 16 to 128 octets in sixteens can be a hidden password', () => {
    expect([0, 10, 15, 16, 17, 32, 128, 144].map(isPasswordLength)).toEqual([
      false,
      false,
      false,
      true,
      false,
      true,
      true,
      false,
    ]);
  });

  test('a secret key shows no octet of its secret when it is printed', () => {
    expect(JSON.stringify(key)).not.toContain('testing');
  });
});
