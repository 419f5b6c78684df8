/** PAP: the password itself, hidden under the shared secret [RFC 2865 §5.2]. A wrong secret shows as octets that are no text. */
import { isUtf8 } from 'node:buffer';
import type { Credential } from '../../access/request.js';
import type { SecretKey } from '../authenticator.js';
import { LIMITS } from '../limits.js';
import { AT } from '../packet.js';
import { isPasswordLength, revealInto } from '../user-password.js';

const UNDECODABLE: Credential = { kind: 'undecodable' };
/** Emptied as soon as it is read. */
const clear = Buffer.alloc(LIMITS.passwordOctets);

/** The credential in the hidden password `octets[start, end)`, or null where its length is impossible (RAD-7). */
export function papCredential(octets: Buffer, start: number, end: number, key: SecretKey): Credential | null {
  if (!isPasswordLength(end - start)) return null;
  const length = revealInto(clear, octets, start, end, octets, AT.authenticator, key);
  const credential = textCredential(clear, length);
  for (let at = 0; at < length; at++) clear[at] = 0;
  return credential;
}

/** Octets as a typed text: UTF-8 without control characters; anything else nobody typed. */
function textCredential(password: Buffer, length: number): Credential {
  let ascii = true;
  for (let at = 0; at < length; at++) {
    const octet = password[at] ?? 0;
    if (octet < 0x20 || octet === 0x7f) return UNDECODABLE;
    if (octet >= 0x80) ascii = false;
  }
  if (ascii) return { kind: 'text', text: password.toString('latin1', 0, length) };
  if (!isUtf8(password.subarray(0, length))) return UNDECODABLE;
  const text = password.toString('utf8', 0, length);
  // C1 controls, two octets in UTF-8.
  return /[\u0080-\u009f]/.test(text) ? UNDECODABLE : { kind: 'text', text };
}
