/** One-time passwords by an implementation that is not ours. */
import { generateSync } from 'otplib';

/** The secret of RFC 4226 and RFC 6238, Base32. */
export const RFC_SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

/** What an authenticator app shows for `secret` (Base32) now, SHA-1, 6 digits, 30 s. */
export const otp = (secret: string = RFC_SECRET): string => generateSync({ secret });

/** What a hardware token with `secret` (Base32) shows at `counter`. */
export const hotp = (secret: string, counter: number): string => generateSync({ strategy: 'hotp', secret, counter });

/** A secret of its own for the `n`th user of a test: 160 bit in Base32, the last of them `n`. */
export function secretOf(n: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let digits = '';
  for (let left = n, i = 0; i < 16; i++, left = Math.floor(left / 32))
    digits = `${alphabet.charAt(left % 32)}${digits}`;
  return `${RFC_SECRET.slice(0, 16)}${digits}`;
}
