/**
 * User-Password hiding [RFC 2865 §5.2]: blocks of sixteen octets, each XORed with MD5(secret + the block before it), the first
 * with MD5(secret + Request Authenticator).
 */
import type { SecretKey } from './authenticator.js';
import { LIMITS } from './limits.js';
import { Md5 } from './md5.js';

const BLOCK = 16;
const md5 = new Md5();
const mask = new Uint8Array(BLOCK);

/** Whether a hidden password can have so many octets: 16 to 128, in sixteens (RAD-7). */
export function isPasswordLength(octets: number): boolean {
  return octets >= BLOCK && octets <= LIMITS.passwordOctets && octets % BLOCK === 0;
}

/**
 * The password hidden in `hidden` (of a length that isPasswordLength accepts), without its trailing NULs; other NULs are kept.
 * With a wrong secret random octets come back: nothing here can tell.
 */
export function revealPassword(hidden: Uint8Array, requestAuthenticator: Uint8Array, key: SecretKey): Buffer {
  const clear = Buffer.allocUnsafe(hidden.length);
  let before = requestAuthenticator;
  let beforeAt = 0;
  for (let at = 0; at < hidden.length; at += BLOCK) {
    md5
      .start()
      .update(key.octets)
      .update(before, beforeAt, beforeAt + BLOCK)
      .finish(mask);
    for (let i = 0; i < BLOCK; i++) clear[at + i] = (hidden[at + i] ?? 0) ^ (mask[i] ?? 0);
    before = hidden;
    beforeAt = at;
  }
  let end = clear.length;
  while (end > 0 && clear[end - 1] === 0) end--;
  return clear.subarray(0, end);
}

/** Hides a password of at most 128 octets, or null where it is longer. What revealPassword takes back. */
export function hidePassword(password: Uint8Array, requestAuthenticator: Uint8Array, key: SecretKey): Buffer | null {
  if (password.length > LIMITS.passwordOctets) return null;
  const hidden = Buffer.alloc(Math.max(BLOCK, Math.ceil(password.length / BLOCK) * BLOCK));
  hidden.set(password);
  let before = requestAuthenticator;
  let beforeAt = 0;
  for (let at = 0; at < hidden.length; at += BLOCK) {
    md5
      .start()
      .update(key.octets)
      .update(before, beforeAt, beforeAt + BLOCK)
      .finish(mask);
    for (let i = 0; i < BLOCK; i++) hidden[at + i] = (hidden[at + i] ?? 0) ^ (mask[i] ?? 0);
    before = hidden;
    beforeAt = at;
  }
  return hidden;
}
