/** Base32 (RFC 4648 §6) as secrets are written in: by otplib, with the input rules of OTP-12 and the strength rule of OTP-8 before it. */
import { ScureBase32Plugin } from 'otplib';

const base32 = new ScureBase32Plugin();

/** Octets below which a secret is refused where one is brought (API, file, import): 80 bit, what many peers made. */
export const SECRET_OCTETS_BROUGHT = 10;
/** Octets that RFC 4226 §4 R6 demands: 128 bit. Below it a secret that was brought is accepted with a warning. */
export const SECRET_OCTETS_REQUIRED = 16;
/** Octets that we make: 160 bit, the recommendation of RFC 4226 §4 R6. */
export const SECRET_OCTETS_MADE = 20;
/** More than a block of SHA-1 is hashed down again (RFC 2104 §2): nothing gained. */
export const SECRET_OCTETS_MAX = 64;

/** Why a text is no Base32. `at` counts UTF-16 units from 0 in the text as it came. */
export type Base32Error =
  | { readonly kind: 'empty' }
  | { readonly kind: 'character'; readonly at: number; readonly character: string }
  /** A length that no octets encode to, or bits left over that are not zero: something was cut off or mistyped. */
  | { readonly kind: 'length' };

export type Base32Result = { readonly kind: 'octets'; readonly octets: Buffer } | Base32Error;

/** Decodes: case-blind; spaces, dashes and padding are dropped; 0 1 8 9 and all else is refused, with its place (OTP-12). */
export function decodeBase32(text: string): Base32Result {
  const bad = /[^A-Za-z2-7 =-]/u.exec(text);
  if (bad !== null) return { kind: 'character', at: bad.index, character: bad[0] };
  const letters = text.replace(/[ =-]/g, '');
  if (letters === '') return { kind: 'empty' };
  try {
    return { kind: 'octets', octets: Buffer.from(base32.decode(letters)) };
  } catch {
    // With the alphabet checked above, otplib throws for lengths and left-over bits only.
    return { kind: 'length' };
  }
}

/** Encodes: upper case, no padding (OTP-11). */
export const encodeBase32 = (octets: Buffer): string => base32.encode(octets);

/** What OTP-8 says of a secret: `weak` is accepted with a warning, only where it was brought; the rest is refused. */
export type SecretStrength = 'strong' | 'weak' | 'tooShort' | 'tooLong';

/** Judges a secret by its length in octets. */
export function secretStrength(octets: number): SecretStrength {
  if (octets > SECRET_OCTETS_MAX) return 'tooLong';
  if (octets >= SECRET_OCTETS_REQUIRED) return 'strong';
  return octets >= SECRET_OCTETS_BROUGHT ? 'weak' : 'tooShort';
}
