/**
 * HOTP (RFC 4226): a code from a key and a counter. An HMAC here is two one-shot `crypto.hash` calls over a padded key (RFC 2104
 * §2) whose digests come back as latin1 strings: 0.6 µs on Node 20 and 24 alike, where `createHmac` takes 1.9 µs (10 µs on Node 24
 * with the key as a Buffer), since it makes a native object a call. The pads live in one scratch buffer per algorithm, filled anew
 * for each key: cheaper than a lookup in a WeakMap over 300,000 tokens, and nothing is kept beside the directory's cache.
 */
import { hash } from 'node:crypto';

/** The hash under the HMAC, as records and otpauth URIs spell it. */
export type OtpAlgorithm = 'SHA1' | 'SHA256' | 'SHA512';
/** How long a code is (RFC 4226 §5.3: at least 6). */
export type OtpDigits = 6 | 7 | 8;

const MODULUS: Readonly<Record<OtpDigits, number>> = { 6: 1_000_000, 7: 10_000_000, 8: 100_000_000 };
const COUNTER_OCTETS = 8;
const INNER = 0x36;
const OUTER = 0x5c;
const TWO_POW_32 = 2 ** 32;

interface Scratch {
  readonly name: string;
  readonly block: number;
  readonly digest: number;
  /** The inner pad, then the counter. */
  readonly inner: Buffer;
  /** The outer pad, then the inner digest. */
  readonly outer: Buffer;
  /** Octets of the pads that the last key changed. */
  used: number;
}

const scratch = (name: string, block: number, digest: number): Scratch => ({
  name,
  block,
  digest,
  inner: Buffer.alloc(block + COUNTER_OCTETS, INNER),
  outer: Buffer.alloc(block + digest, OUTER),
  used: 0,
});

const SCRATCH: Readonly<Record<OtpAlgorithm, Scratch>> = {
  SHA1: scratch('sha1', 64, 20),
  SHA256: scratch('sha256', 64, 32),
  SHA512: scratch('sha512', 128, 64),
};

/** Appends to `into` the codes of `count` counters from `first` on, as numbers (0 to 10^digits − 1), and returns it. */
export function hotpRun(
  algorithm: OtpAlgorithm,
  key: Buffer,
  digits: OtpDigits,
  first: number,
  count: number,
  into: number[] = [],
): number[] {
  const pads = SCRATCH[algorithm];
  keyPads(pads, key);
  const modulus = MODULUS[digits];
  for (let counter = first; counter < first + count; counter++) into.push(truncate(pads, counter) % modulus);
  return into;
}

/** The code at `counter` (0 to 2^53 − 1), left zeros kept. */
export function hotp(algorithm: OtpAlgorithm, key: Buffer, digits: OtpDigits, counter: number): string {
  const [code] = hotpRun(algorithm, key, digits, counter, 1);
  return String(code).padStart(digits, '0');
}

/** RFC 2104 §2: the key, hashed where it is longer than a block, over both pads; what a longer key left behind is undone. */
function keyPads(pads: Scratch, key: Buffer): void {
  const octets = key.length > pads.block ? hash(pads.name, key, 'buffer') : key;
  for (let at = 0; at < octets.length; at++) {
    const octet = octets.readUInt8(at);
    pads.inner[at] = octet ^ INNER;
    pads.outer[at] = octet ^ OUTER;
  }
  if (pads.used > octets.length) {
    pads.inner.fill(INNER, octets.length, pads.used);
    pads.outer.fill(OUTER, octets.length, pads.used);
  }
  pads.used = octets.length;
}

/** RFC 4226 §5.3: the last octet's low four bits say where the 31 bits begin. */
function truncate(pads: Scratch, counter: number): number {
  pads.inner.writeUInt32BE(Math.floor(counter / TWO_POW_32), pads.block);
  pads.inner.writeUInt32BE(counter % TWO_POW_32, pads.block + 4);
  pads.outer.write(hash(pads.name, pads.inner, 'binary'), pads.block, 'latin1');
  const mac = hash(pads.name, pads.outer, 'binary');
  const at = mac.charCodeAt(pads.digest - 1) & 15;
  return (
    ((mac.charCodeAt(at) & 0x7f) << 24) |
    (mac.charCodeAt(at + 1) << 16) |
    (mac.charCodeAt(at + 2) << 8) |
    mac.charCodeAt(at + 3)
  );
}
