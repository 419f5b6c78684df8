/**
 * MD5 (RFC 1321) and HMAC-MD5 (RFC 2104) for short messages. RADIUS needs five of them an answer, each of one to three
 * blocks, and there the way into OpenSSL costs more than the work. That RADIUS uses MD5 is no choice of ours; nothing else does.
 *
 * Measured on Node 20, one thread, µs:     here   node:crypto
 *   MD5 of 26 octets (a hidden password)   0.13   1.35  (crypto.hash)
 *   MD5 of 83 octets                       0.29   1.39  (crypto.hash)
 *   HMAC-MD5 of 83 octets (a signature)    0.40   2.44  (createHmac)
 *   MD5 of 4,096 octets                    11.4   6.1   (crypto.hash; nobody sends these)
 */
import { endianness } from 'node:os';

/** The four words of a digest under way. */
export type Md5State = Int32Array;

/** An HMAC key whose two pads are hashed once: two blocks less a message. */
export interface HmacMd5Key {
  readonly inner: Md5State;
  readonly outer: Md5State;
}

const BLOCK = 64;
export const MD5_OCTETS = 16;
/** The word of its last block where the length of the message stands [RFC 1321 §3.2]. */
const LENGTH_AT = 14;
/** MD5's words are little-endian; those of nearly every machine are, too. */
const BIG_ENDIAN = endianness() === 'BE';

/**
 * One digest under way; reused, never shared across an `await`. `start`, any number of `update`, then `finish`.
 */
export class Md5 {
  readonly #state = new Int32Array(4);
  /** The block that is being filled, as words and as octets. */
  readonly #words = new Int32Array(BLOCK / 4);
  readonly #block = new Uint8Array(this.#words.buffer);
  #filled = 0;
  #length = 0;

  /** Begins anew, or behind a state that `after` whole blocks left. */
  start(state: Md5State = INITIAL, after = 0): this {
    const own = this.#state;
    own[0] = state[0] ?? 0;
    own[1] = state[1] ?? 0;
    own[2] = state[2] ?? 0;
    own[3] = state[3] ?? 0;
    this.#filled = 0;
    this.#length = after * BLOCK;
    return this;
  }

  /** Takes `octets[start, end)` in. */
  update(octets: Uint8Array, start = 0, end = octets.length): this {
    this.#length += end - start;
    const block = this.#block;
    let filled = this.#filled;
    for (let at = start; at < end; at++) {
      block[filled++] = octets[at] ?? 0;
      if (filled < BLOCK) continue;
      compress(this.#state, this.#words);
      filled = 0;
    }
    this.#filled = filled;
    return this;
  }

  /** Writes the 16 octets of the digest to `target` at `offset`. */
  finish(target: Uint8Array, offset = 0): void {
    writeState(this.finishState(), target, offset);
  }

  /** The digest as four words; what comes back is overwritten by the next digest. */
  finishState(): Md5State {
    const block = this.#block;
    const words = this.#words;
    let at = this.#filled;
    block[at++] = 0x80;
    while ((at & 3) !== 0) block[at++] = 0;
    let word = at >> 2;
    if (word > LENGTH_AT) {
      words.fill(0, word);
      compress(this.#state, words);
      word = 0;
    }
    while (word < LENGTH_AT) words[word++] = 0;
    // The length in bits, 64 bits little-endian; a message here is far below 2^29 octets.
    words[LENGTH_AT] = littleEndian(this.#length << 3);
    words[LENGTH_AT + 1] = littleEndian(this.#length >>> 29);
    compress(this.#state, words);
    return this.#state;
  }

  /** The state so far, of whole blocks. For keys that are hashed once. */
  snapshot(): Md5State {
    return this.#state.slice();
  }
}

const INITIAL: Md5State = Int32Array.of(0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476);
const hash = new Md5();
/** The only block of an outer hash behind the key's: a digest, the bit that ends it, the length of both blocks in bits. */
const outerBlock = new Int32Array(BLOCK / 4);
outerBlock[MD5_OCTETS / 4] = littleEndian(0x80);
outerBlock[LENGTH_AT] = littleEndian((BLOCK + MD5_OCTETS) * 8);
const outerState = new Int32Array(4);

/** The digest of `first`, then `second`, to `target` at `offset`. */
export function md5Into(target: Uint8Array, offset: number, first: Uint8Array, second?: Uint8Array): void {
  hash.start().update(first);
  if (second !== undefined) hash.update(second);
  hash.finish(target, offset);
}

/** Prepares `secret` as an HMAC key [RFC 2104 §2]. */
export function hmacMd5Key(secret: Uint8Array): HmacMd5Key {
  const key = new Uint8Array(BLOCK);
  if (secret.length > BLOCK) md5Into(key, 0, secret);
  else key.set(secret);
  const pad = (octet: number) =>
    hash
      .start()
      .update(key.map((k) => k ^ octet))
      .snapshot();
  return { inner: pad(0x36), outer: pad(0x5c) };
}

/**
 * Begins an HMAC; feed it with `update`, end it with `finishHmac`. RADIUS signs a packet as if its authenticator were another
 * and its signature zero: fed in parts, nobody has to write into what was received.
 */
export function beginHmac(key: HmacMd5Key): Md5 {
  return hash.start(key.inner, 1);
}

/** Ends what `beginHmac` began: 16 octets to `target` at `offset`. */
export function finishHmac(key: HmacMd5Key, target: Uint8Array, offset: number): void {
  const inner = hash.finishState();
  for (let word = 0; word < 4; word++) {
    outerBlock[word] = littleEndian(inner[word] ?? 0);
    outerState[word] = key.outer[word] ?? 0;
  }
  compress(outerState, outerBlock);
  writeState(outerState, target, offset);
}

function writeState(state: Md5State, target: Uint8Array, offset: number): void {
  for (let word = 0; word < 4; word++) {
    const value = state[word] ?? 0;
    const at = offset + 4 * word;
    target[at] = value;
    target[at + 1] = value >>> 8;
    target[at + 2] = value >>> 16;
    target[at + 3] = value >>> 24;
  }
}

/** The word that has these octets in memory when read as little-endian. */
function littleEndian(word: number): number {
  if (!BIG_ENDIAN) return word;
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

/**
 * RFC 1321 §3.4, unrolled. Constants are floor(2^32 · |sin(i)|), where the top bit is set as the negative number. Each step waits
 * for the one before, so what that gave stands at the end of its sum: the rest is added up by then.
 */
function compress(state: Md5State, words: Int32Array): void {
  const x0 = littleEndian(words[0] ?? 0);
  const x1 = littleEndian(words[1] ?? 0);
  const x2 = littleEndian(words[2] ?? 0);
  const x3 = littleEndian(words[3] ?? 0);
  const x4 = littleEndian(words[4] ?? 0);
  const x5 = littleEndian(words[5] ?? 0);
  const x6 = littleEndian(words[6] ?? 0);
  const x7 = littleEndian(words[7] ?? 0);
  const x8 = littleEndian(words[8] ?? 0);
  const x9 = littleEndian(words[9] ?? 0);
  const x10 = littleEndian(words[10] ?? 0);
  const x11 = littleEndian(words[11] ?? 0);
  const x12 = littleEndian(words[12] ?? 0);
  const x13 = littleEndian(words[13] ?? 0);
  const x14 = littleEndian(words[14] ?? 0);
  const x15 = littleEndian(words[15] ?? 0);
  const a0 = state[0] ?? 0;
  const b0 = state[1] ?? 0;
  const c0 = state[2] ?? 0;
  const d0 = state[3] ?? 0;
  let a = a0;
  let b = b0;
  let c = c0;
  let d = d0;
  // Round 1
  a = (a + x0 - 0x28955b88 + (d ^ (b & (c ^ d)))) | 0;
  a = (((a << 7) | (a >>> 25)) + b) | 0;
  d = (d + x1 - 0x173848aa + (c ^ (a & (b ^ c)))) | 0;
  d = (((d << 12) | (d >>> 20)) + a) | 0;
  c = (c + x2 + 0x242070db + (b ^ (d & (a ^ b)))) | 0;
  c = (((c << 17) | (c >>> 15)) + d) | 0;
  b = (b + x3 - 0x3e423112 + (a ^ (c & (d ^ a)))) | 0;
  b = (((b << 22) | (b >>> 10)) + c) | 0;
  a = (a + x4 - 0xa83f051 + (d ^ (b & (c ^ d)))) | 0;
  a = (((a << 7) | (a >>> 25)) + b) | 0;
  d = (d + x5 + 0x4787c62a + (c ^ (a & (b ^ c)))) | 0;
  d = (((d << 12) | (d >>> 20)) + a) | 0;
  c = (c + x6 - 0x57cfb9ed + (b ^ (d & (a ^ b)))) | 0;
  c = (((c << 17) | (c >>> 15)) + d) | 0;
  b = (b + x7 - 0x2b96aff + (a ^ (c & (d ^ a)))) | 0;
  b = (((b << 22) | (b >>> 10)) + c) | 0;
  a = (a + x8 + 0x698098d8 + (d ^ (b & (c ^ d)))) | 0;
  a = (((a << 7) | (a >>> 25)) + b) | 0;
  d = (d + x9 - 0x74bb0851 + (c ^ (a & (b ^ c)))) | 0;
  d = (((d << 12) | (d >>> 20)) + a) | 0;
  c = (c + x10 - 0xa44f + (b ^ (d & (a ^ b)))) | 0;
  c = (((c << 17) | (c >>> 15)) + d) | 0;
  b = (b + x11 - 0x76a32842 + (a ^ (c & (d ^ a)))) | 0;
  b = (((b << 22) | (b >>> 10)) + c) | 0;
  a = (a + x12 + 0x6b901122 + (d ^ (b & (c ^ d)))) | 0;
  a = (((a << 7) | (a >>> 25)) + b) | 0;
  d = (d + x13 - 0x2678e6d + (c ^ (a & (b ^ c)))) | 0;
  d = (((d << 12) | (d >>> 20)) + a) | 0;
  c = (c + x14 - 0x5986bc72 + (b ^ (d & (a ^ b)))) | 0;
  c = (((c << 17) | (c >>> 15)) + d) | 0;
  b = (b + x15 + 0x49b40821 + (a ^ (c & (d ^ a)))) | 0;
  b = (((b << 22) | (b >>> 10)) + c) | 0;
  // Round 2
  a = (a + x1 - 0x9e1da9e + (~d & c) + (d & b)) | 0;
  a = (((a << 5) | (a >>> 27)) + b) | 0;
  d = (d + x6 - 0x3fbf4cc0 + (~c & b) + (c & a)) | 0;
  d = (((d << 9) | (d >>> 23)) + a) | 0;
  c = (c + x11 + 0x265e5a51 + (~b & a) + (b & d)) | 0;
  c = (((c << 14) | (c >>> 18)) + d) | 0;
  b = (b + x0 - 0x16493856 + (~a & d) + (a & c)) | 0;
  b = (((b << 20) | (b >>> 12)) + c) | 0;
  a = (a + x5 - 0x29d0efa3 + (~d & c) + (d & b)) | 0;
  a = (((a << 5) | (a >>> 27)) + b) | 0;
  d = (d + x10 + 0x2441453 + (~c & b) + (c & a)) | 0;
  d = (((d << 9) | (d >>> 23)) + a) | 0;
  c = (c + x15 - 0x275e197f + (~b & a) + (b & d)) | 0;
  c = (((c << 14) | (c >>> 18)) + d) | 0;
  b = (b + x4 - 0x182c0438 + (~a & d) + (a & c)) | 0;
  b = (((b << 20) | (b >>> 12)) + c) | 0;
  a = (a + x9 + 0x21e1cde6 + (~d & c) + (d & b)) | 0;
  a = (((a << 5) | (a >>> 27)) + b) | 0;
  d = (d + x14 - 0x3cc8f82a + (~c & b) + (c & a)) | 0;
  d = (((d << 9) | (d >>> 23)) + a) | 0;
  c = (c + x3 - 0xb2af279 + (~b & a) + (b & d)) | 0;
  c = (((c << 14) | (c >>> 18)) + d) | 0;
  b = (b + x8 + 0x455a14ed + (~a & d) + (a & c)) | 0;
  b = (((b << 20) | (b >>> 12)) + c) | 0;
  a = (a + x13 - 0x561c16fb + (~d & c) + (d & b)) | 0;
  a = (((a << 5) | (a >>> 27)) + b) | 0;
  d = (d + x2 - 0x3105c08 + (~c & b) + (c & a)) | 0;
  d = (((d << 9) | (d >>> 23)) + a) | 0;
  c = (c + x7 + 0x676f02d9 + (~b & a) + (b & d)) | 0;
  c = (((c << 14) | (c >>> 18)) + d) | 0;
  b = (b + x12 - 0x72d5b376 + (~a & d) + (a & c)) | 0;
  b = (((b << 20) | (b >>> 12)) + c) | 0;
  // Round 3
  a = (a + x5 - 0x5c6be + (b ^ (c ^ d))) | 0;
  a = (((a << 4) | (a >>> 28)) + b) | 0;
  d = (d + x8 - 0x788e097f + (a ^ (b ^ c))) | 0;
  d = (((d << 11) | (d >>> 21)) + a) | 0;
  c = (c + x11 + 0x6d9d6122 + (d ^ (a ^ b))) | 0;
  c = (((c << 16) | (c >>> 16)) + d) | 0;
  b = (b + x14 - 0x21ac7f4 + (c ^ (d ^ a))) | 0;
  b = (((b << 23) | (b >>> 9)) + c) | 0;
  a = (a + x1 - 0x5b4115bc + (b ^ (c ^ d))) | 0;
  a = (((a << 4) | (a >>> 28)) + b) | 0;
  d = (d + x4 + 0x4bdecfa9 + (a ^ (b ^ c))) | 0;
  d = (((d << 11) | (d >>> 21)) + a) | 0;
  c = (c + x7 - 0x944b4a0 + (d ^ (a ^ b))) | 0;
  c = (((c << 16) | (c >>> 16)) + d) | 0;
  b = (b + x10 - 0x41404390 + (c ^ (d ^ a))) | 0;
  b = (((b << 23) | (b >>> 9)) + c) | 0;
  a = (a + x13 + 0x289b7ec6 + (b ^ (c ^ d))) | 0;
  a = (((a << 4) | (a >>> 28)) + b) | 0;
  d = (d + x0 - 0x155ed806 + (a ^ (b ^ c))) | 0;
  d = (((d << 11) | (d >>> 21)) + a) | 0;
  c = (c + x3 - 0x2b10cf7b + (d ^ (a ^ b))) | 0;
  c = (((c << 16) | (c >>> 16)) + d) | 0;
  b = (b + x6 + 0x4881d05 + (c ^ (d ^ a))) | 0;
  b = (((b << 23) | (b >>> 9)) + c) | 0;
  a = (a + x9 - 0x262b2fc7 + (b ^ (c ^ d))) | 0;
  a = (((a << 4) | (a >>> 28)) + b) | 0;
  d = (d + x12 - 0x1924661b + (a ^ (b ^ c))) | 0;
  d = (((d << 11) | (d >>> 21)) + a) | 0;
  c = (c + x15 + 0x1fa27cf8 + (d ^ (a ^ b))) | 0;
  c = (((c << 16) | (c >>> 16)) + d) | 0;
  b = (b + x2 - 0x3b53a99b + (c ^ (d ^ a))) | 0;
  b = (((b << 23) | (b >>> 9)) + c) | 0;
  // Round 4
  a = (a + x0 - 0xbd6ddbc + (c ^ (b | ~d))) | 0;
  a = (((a << 6) | (a >>> 26)) + b) | 0;
  d = (d + x7 + 0x432aff97 + (b ^ (a | ~c))) | 0;
  d = (((d << 10) | (d >>> 22)) + a) | 0;
  c = (c + x14 - 0x546bdc59 + (a ^ (d | ~b))) | 0;
  c = (((c << 15) | (c >>> 17)) + d) | 0;
  b = (b + x5 - 0x36c5fc7 + (d ^ (c | ~a))) | 0;
  b = (((b << 21) | (b >>> 11)) + c) | 0;
  a = (a + x12 + 0x655b59c3 + (c ^ (b | ~d))) | 0;
  a = (((a << 6) | (a >>> 26)) + b) | 0;
  d = (d + x3 - 0x70f3336e + (b ^ (a | ~c))) | 0;
  d = (((d << 10) | (d >>> 22)) + a) | 0;
  c = (c + x10 - 0x100b83 + (a ^ (d | ~b))) | 0;
  c = (((c << 15) | (c >>> 17)) + d) | 0;
  b = (b + x1 - 0x7a7ba22f + (d ^ (c | ~a))) | 0;
  b = (((b << 21) | (b >>> 11)) + c) | 0;
  a = (a + x8 + 0x6fa87e4f + (c ^ (b | ~d))) | 0;
  a = (((a << 6) | (a >>> 26)) + b) | 0;
  d = (d + x15 - 0x1d31920 + (b ^ (a | ~c))) | 0;
  d = (((d << 10) | (d >>> 22)) + a) | 0;
  c = (c + x6 - 0x5cfebcec + (a ^ (d | ~b))) | 0;
  c = (((c << 15) | (c >>> 17)) + d) | 0;
  b = (b + x13 + 0x4e0811a1 + (d ^ (c | ~a))) | 0;
  b = (((b << 21) | (b >>> 11)) + c) | 0;
  a = (a + x4 - 0x8ac817e + (c ^ (b | ~d))) | 0;
  a = (((a << 6) | (a >>> 26)) + b) | 0;
  d = (d + x11 - 0x42c50dcb + (b ^ (a | ~c))) | 0;
  d = (((d << 10) | (d >>> 22)) + a) | 0;
  c = (c + x2 + 0x2ad7d2bb + (a ^ (d | ~b))) | 0;
  c = (((c << 15) | (c >>> 17)) + d) | 0;
  b = (b + x9 - 0x14792c6f + (d ^ (c | ~a))) | 0;
  b = (((b << 21) | (b >>> 11)) + c) | 0;
  state[0] = a0 + a;
  state[1] = b0 + b;
  state[2] = c0 + c;
  state[3] = d0 + d;
}
