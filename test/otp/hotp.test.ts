import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { generateSync } from 'otplib';
import { describe, expect, test } from 'vitest';
import { instant, seconds } from '../../src/base/units.js';
import { hotp, hotpRun, type OtpAlgorithm, type OtpDigits } from '../../src/otp/hotp.js';
import { DEFAULT_PERIOD, totp, totpStep } from '../../src/otp/totp.js';

/** `1234567890` repeated, as RFC 4226 appendix D and RFC 6238 appendix B have it. */
const rfcKey = (octets: number) => Buffer.from('1234567890'.repeat(7).slice(0, octets));

describe('HOTP (RFC 4226)', () => {
  test.each([
    [0, '755224'],
    [1, '287082'],
    [2, '359152'],
    [3, '969429'],
    [4, '338314'],
    [5, '254676'],
    [6, '287922'],
    [7, '162583'],
    [8, '399871'],
    [9, '520489'],
    [36, '003784'],
    [44, '000152'],
    [2 ** 31, '197202'],
    [2 ** 32, '999456'],
    [2 ** 32 + 1, '108930'],
    [2 ** 40, '445672'],
  ])('OTP-1 the code at counter %d is %s, left zeros kept', (counter, code) => {
    expect(hotp('SHA1', rfcKey(20), 6, counter)).toBe(code);
  });

  test('OTP-1 the truncation at counter 0 takes 0x4c93cf18 from the HMAC', () => {
    expect(hotp('SHA1', rfcKey(20), 8, 0)).toBe(String(0x4c93cf18 % 1e8));
    expect(hotp('SHA1', rfcKey(20), 7, 0)).toBe(String(0x4c93cf18 % 1e7));
  });

  test.each([
    [0, '282760'],
    [1, '996554'],
    [2, '602287'],
  ])('the secret JBSWY3DPEHPK3PXP gives at counter %d the code %s', (counter, code) => {
    expect(hotp('SHA1', Buffer.from('48656c6c6f21deadbeef', 'hex'), 6, counter)).toBe(code);
  });

  test('a run is the same codes as one call each, appended to what is there', () => {
    expect(hotpRun('SHA1', rfcKey(20), 6, 3, 3, [7])).toEqual([7, 969429, 338314, 254676]);
  });
});

describe('TOTP (RFC 6238)', () => {
  test.each<[number, OtpAlgorithm, number, string]>([
    [59, 'SHA1', 20, '94287082'],
    [59, 'SHA256', 32, '46119246'],
    [59, 'SHA512', 64, '90693936'],
    [1111111109, 'SHA1', 20, '07081804'],
    [1111111109, 'SHA256', 32, '68084774'],
    [1111111109, 'SHA512', 64, '25091201'],
    [1111111111, 'SHA1', 20, '14050471'],
    [1111111111, 'SHA256', 32, '67062674'],
    [1111111111, 'SHA512', 64, '99943326'],
    [1234567890, 'SHA1', 20, '89005924'],
    [1234567890, 'SHA256', 32, '91819424'],
    [1234567890, 'SHA512', 64, '93441116'],
    [2000000000, 'SHA1', 20, '69279037'],
    [2000000000, 'SHA256', 32, '90698825'],
    [2000000000, 'SHA512', 64, '38618901'],
    [20000000000, 'SHA1', 20, '65353130'],
    [20000000000, 'SHA256', 32, '77737706'],
    [20000000000, 'SHA512', 64, '47863826'],
  ])('OTP-5 at %d with %s over %d octets the code is %s', (time, algorithm, octets, code) => {
    expect(totp(algorithm, rfcKey(octets), 8, instant(time * 1000))).toBe(code);
  });

  test('the 20-octet secret under SHA-256 and SHA-512 gives neither of the codes of the table', () => {
    expect(totp('SHA256', rfcKey(20), 8, instant(59_000))).toBe('32247374');
    expect(totp('SHA512', rfcKey(20), 8, instant(59_000))).toBe('69342147');
  });

  test('JBSWY3DPEHPK3PXP shows 358462 at 1111111111', () => {
    expect(totp('SHA1', Buffer.from('48656c6c6f21deadbeef', 'hex'), 6, instant(1111111111_000))).toBe('358462');
  });

  test.each([
    [59, 0x1],
    [1111111109, 0x23523ec],
    [1111111111, 0x23523ed],
    [1234567890, 0x273ef07],
    [2000000000, 0x3f940aa],
    [20000000000, 0x27bc86aa],
  ])('OTP-5 time %d lies in step %d', (time, step) => {
    expect(totpStep(instant(time * 1000), DEFAULT_PERIOD)).toBe(step);
  });

  test('a step ends with its last millisecond, and a period of a minute makes half as many', () => {
    expect(totpStep(instant(29_999), DEFAULT_PERIOD)).toBe(0);
    expect(totpStep(instant(30_000), DEFAULT_PERIOD)).toBe(1);
    expect(totpStep(instant(60_000), seconds(60))).toBe(1);
    expect(totp('SHA1', rfcKey(20), 6, instant(60_000), seconds(60))).toBe('287082');
  });
});

describe('against independent implementations', () => {
  const algorithms = fc.constantFrom<OtpAlgorithm>('SHA1', 'SHA256', 'SHA512');
  const digits = fc.constantFrom<OtpDigits>(6, 7, 8);

  test('OTP-1 otplib makes the same code of any key, counter, length and hash', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 64, size: 'max' }),
        fc.maxSafeNat(),
        algorithms,
        digits,
        (key, counter, algorithm, length) => {
          const theirs = generateSync({
            strategy: 'hotp',
            secret: key,
            counter,
            digits: length,
            algorithm: ({ SHA1: 'sha1', SHA256: 'sha256', SHA512: 'sha512' } as const)[algorithm],
          });
          expect(hotp(algorithm, Buffer.from(key), length, counter)).toBe(theirs);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a key longer than a block, and a shorter key after it, give what createHmac gives (RFC 2104 §2)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 200, size: 'max' }), { minLength: 2, maxLength: 4 }),
        algorithms,
        (keys, algorithm) => {
          for (const key of keys) {
            const mac = createHmac(algorithm, key).update(Buffer.alloc(8)).digest();
            const at = mac.readUInt8(mac.length - 1) & 15;
            const code = String((mac.readUInt32BE(at) & 0x7fffffff) % 1e8).padStart(8, '0');
            expect(hotp(algorithm, Buffer.from(key), 8, 0)).toBe(code);
          }
        },
      ),
    );
  });
});
