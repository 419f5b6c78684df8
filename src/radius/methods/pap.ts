/** PAP: the password itself, hidden under the shared secret [RFC 2865 §5.2]. A wrong secret shows as octets that are no text. */
import { isUtf8 } from 'node:buffer';
import type { Credential } from '../../access/request.js';
import type { SecretKey } from '../authenticator.js';
import { AT } from '../packet.js';
import { isPasswordLength, revealPassword } from '../user-password.js';

const UNDECODABLE: Credential = { kind: 'undecodable' };

/** The credential in the hidden password `octets[start, end)`, or null where its length is impossible (RAD-7). */
export function papCredential(octets: Buffer, start: number, end: number, key: SecretKey): Credential | null {
  if (!isPasswordLength(end - start)) return null;
  const authenticator = octets.subarray(AT.authenticator, AT.attributes);
  return textCredential(revealPassword(octets.subarray(start, end), authenticator, key));
}

/** Octets as a typed text: UTF-8 without control characters; anything else nobody typed. */
function textCredential(password: Buffer): Credential {
  let ascii = true;
  for (const octet of password) {
    if (octet < 0x20 || octet === 0x7f) return UNDECODABLE;
    if (octet >= 0x80) ascii = false;
  }
  if (ascii) return { kind: 'text', text: password.toString('latin1') };
  if (!isUtf8(password)) return UNDECODABLE;
  const text = password.toString('utf8');
  // C1 controls, two octets in UTF-8.
  return /[\u0080-\u009f]/.test(text) ? UNDECODABLE : { kind: 'text', text };
}
