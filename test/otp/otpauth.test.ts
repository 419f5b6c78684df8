import { expect, test } from 'vitest';
import { seconds } from '../../src/base/units.js';
import { type OtpauthParams, otpauthUri } from '../../src/otp/otpauth.js';

const PARAMS: OtpauthParams = {
  type: 'totp',
  issuer: 'Sallyport',
  label: 'alice',
  key: Buffer.from('12345678901234567890'),
  algorithm: 'SHA1',
  digits: 6,
  period: seconds(30),
  counter: 0,
};

test('OTP-11 a TOTP URI names algorithm, digits and period, defaults too', () => {
  expect(otpauthUri(PARAMS)).toBe(
    'otpauth://totp/Sallyport:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Sallyport&algorithm=SHA1&digits=6&period=30',
  );
});

test('OTP-11 a HOTP URI has a counter and no period', () => {
  const uri = otpauthUri({ ...PARAMS, type: 'hotp', algorithm: 'SHA512', digits: 8, counter: 7 });
  expect(uri).toContain('otpauth://hotp/');
  expect(uri).toMatch(/&algorithm=SHA512&digits=8&counter=7$/);
  expect(uri).not.toContain('period');
});

test('OTP-11 a space is %20, never +, and the issuer reads the same in both places', () => {
  const uri = otpauthUri({ ...PARAMS, issuer: 'Acme & Söhne', label: 'alice+vpn@example.org' });
  expect(uri).not.toContain('+');
  const url = new URL(uri);
  expect(url.searchParams.get('issuer')).toBe('Acme & Söhne');
  expect(decodeURIComponent(url.pathname)).toBe('/Acme & Söhne:alice+vpn@example.org');
});

test('OTP-11 neither issuer nor label holds a colon, which would end the issuer', () => {
  const uri = otpauthUri({ ...PARAMS, issuer: 'a:b', label: 'c:d' });
  expect(new URL(uri).pathname).toBe('/a%20b:c%20d');
  expect(new URL(uri).searchParams.get('issuer')).toBe('a b');
});

test('a lone surrogate in a name is replaced, not thrown at', () => {
  expect(otpauthUri({ ...PARAMS, label: 'a\ud800' })).toContain('%EF%BF%BD');
});
