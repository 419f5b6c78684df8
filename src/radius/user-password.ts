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
  const length = revealInto(clear, hidden, 0, hidden.length, requestAuthenticator, 0, key);
  return clear.subarray(0, length);
}

/**
 * The same for `octets[start, end)`, the authenticator being at `authenticatorAt` in `authenticatorIn`; nothing is allocated. The
 * password begins `target`; its length comes back.
 */
export function revealInto(
  target: Uint8Array,
  octets: Uint8Array,
  start: number,
  end: number,
  authenticatorIn: Uint8Array,
  authenticatorAt: number,
  key: SecretKey,
): number {
  let before = authenticatorIn;
  let beforeAt = authenticatorAt;
  for (let at = start; at < end; at += BLOCK) {
    md5
      .start()
      .update(key.octets)
      .update(before, beforeAt, beforeAt + BLOCK)
      .finish(mask);
    for (let i = 0; i < BLOCK; i++) target[at - start + i] = (octets[at + i] ?? 0) ^ (mask[i] ?? 0);
    before = octets;
    beforeAt = at;
  }
  let length = end - start;
  while (length > 0 && target[length - 1] === 0) length--;
  return length;
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
