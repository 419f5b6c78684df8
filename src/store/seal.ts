/**
 * Secrets at rest. A box is AES-256-GCM under a key derived from the master key (HKDF-SHA-256, one key a purpose), and its
 * associated data name the table, column and record that own it, so that a box moved elsewhere does not open. Layout, in
 * base64url: key id (4 octets) ‖ nonce (12) ‖ ciphertext ‖ tag (16). The key id lets a rotation run beside a running system.
 * Keys are KeyObjects made once: as plain Buffers they cost five times as much on Node 24.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomFillSync,
} from 'node:crypto';
import { Secret } from '../base/secret.js';

/** What a key is for; each has its own. */
export type SealPurpose = 'tokens.secret' | 'radius_clients.secret' | 'meta.check';

const MASTER_KEY_OCTETS = 32;
const KEY_ID_OCTETS = 4;
const NONCE_OCTETS = 12;
const TAG_OCTETS = 16;
const NONCE_POOL_OCTETS = NONCE_OCTETS * 512;

/** Seals and opens; made once from the master key. */
export class Seal {
  readonly #master: Buffer;
  readonly #keyId: Buffer;
  readonly #keys = new Map<SealPurpose, KeyObject>();
  readonly #nonces = Buffer.alloc(NONCE_POOL_OCTETS);
  #noncesUsed = NONCE_POOL_OCTETS;

  /** `masterKey`: 32 octets; anything else is a bug of the caller, who has checked the file. */
  constructor(masterKey: Secret) {
    this.#master = masterKey.reveal();
    if (this.#master.length !== MASTER_KEY_OCTETS) throw new Error('a master key has 32 octets');
    this.#keyId = createHash('sha256')
      .update('sallyport key id')
      .update(this.#master)
      .digest()
      .subarray(0, KEY_ID_OCTETS);
  }

  /** Seals `secret` for `purpose`, owned by record `recordId`. Returns the box in base64url. */
  seal(purpose: SealPurpose, recordId: string, secret: Secret): string {
    const nonce = this.#nonce();
    const cipher = createCipheriv('aes-256-gcm', this.#key(purpose), nonce);
    cipher.setAAD(Buffer.from(`${purpose}.${recordId}`, 'latin1'));
    const text = cipher.update(secret.reveal());
    cipher.final();
    return Buffer.concat([this.#keyId, nonce, text, cipher.getAuthTag()]).toString('base64url');
  }

  /** Opens a box; null where it is not one of this master key, purpose and record, or was altered. */
  open(purpose: SealPurpose, recordId: string, box: string): Buffer | null {
    const octets = Buffer.from(box, 'base64url');
    const end = octets.length - TAG_OCTETS;
    const start = KEY_ID_OCTETS + NONCE_OCTETS;
    if (end < start || octets.compare(this.#keyId, 0, KEY_ID_OCTETS, 0, KEY_ID_OCTETS) !== 0) return null;
    const decipher = createDecipheriv('aes-256-gcm', this.#key(purpose), octets.subarray(KEY_ID_OCTETS, start));
    decipher.setAAD(Buffer.from(`${purpose}.${recordId}`, 'latin1'));
    decipher.setAuthTag(octets.subarray(end));
    try {
      const text = decipher.update(octets.subarray(start, end));
      decipher.final();
      return text;
    } catch {
      return null; // The tag does not fit: the box was altered, or is another record's.
    }
  }

  /** The same as `open`, wrapped so that it cannot be printed. */
  openSecret(purpose: SealPurpose, recordId: string, box: string): Secret | null {
    const octets = this.open(purpose, recordId, box);
    return octets === null ? null : Secret.of(octets);
  }

  /** A short keyed hash (16 characters) of a wrong credential, to know it again without keeping it. */
  fingerprint(text: string): string {
    return createHmac('sha256', this.#master).update('fingerprint\0').update(text).digest('base64url').slice(0, 16);
  }

  #key(purpose: SealPurpose): KeyObject {
    const known = this.#keys.get(purpose);
    if (known !== undefined) return known;
    const key = createSecretKey(
      Buffer.from(hkdfSync('sha256', this.#master, Buffer.alloc(0), `sallyport ${purpose}`, 32)),
    );
    this.#keys.set(purpose, key);
    return key;
  }

  #nonce(): Buffer {
    if (this.#noncesUsed + NONCE_OCTETS > NONCE_POOL_OCTETS) {
      randomFillSync(this.#nonces);
      this.#noncesUsed = 0;
    }
    this.#noncesUsed += NONCE_OCTETS;
    return this.#nonces.subarray(this.#noncesUsed - NONCE_OCTETS, this.#noncesUsed);
  }
}
