/**
 * MD5 (RFC 1321) and HMAC-MD5 (RFC 2104) for short messages. RADIUS needs five of them an answer, each of one to three
 * blocks, and there the way into OpenSSL costs more than the work. That RADIUS uses MD5 is no choice of ours; nothing else does.
 *
 * Measured on Node 20, one thread, µs:     here   node:crypto
 *   MD5 of 26 octets (a hidden password)   0.29   1.00  (crypto.hash)
 *   MD5 of 83 octets                       0.49   1.07  (crypto.hash)
 *   HMAC-MD5 of 83 octets (a signature)    0.78   2.19  (createHmac)
 *   MD5 of 4,096 octets                    13.9   5.7   (crypto.hash; nobody sends these)
 */

/** The four words of a digest under way. */
export type Md5State = Int32Array;

/** An HMAC key whose two pads are hashed once: two blocks less a message. */
export interface HmacMd5Key {
  readonly inner: Md5State;
  readonly outer: Md5State;
}

const BLOCK = 64;
export const MD5_OCTETS = 16;
/** Where the length of the message stands in its last block [RFC 1321 §3.2]. */
const LENGTH_AT = 56;

/**
 * One digest under way; reused, never shared across an `await`. `start`, any number of `update`, then `finish`.
 */
export class Md5 {
  readonly #state = new Int32Array(4);
  readonly #block = new Uint8Array(BLOCK);
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
    let at = start;
    if (this.#filled > 0) {
      at += this.#fill(octets, at, end);
      if (this.#filled < BLOCK) return this;
      compress(this.#state, this.#block, 0);
      this.#filled = 0;
    }
    for (; at + BLOCK <= end; at += BLOCK) compress(this.#state, octets, at);
    this.#fill(octets, at, end);
    return this;
  }

  /** Writes the 16 octets of the digest to `target` at `offset`. */
  finish(target: Uint8Array, offset = 0): void {
    const block = this.#block;
    let at = this.#filled;
    block[at++] = 0x80;
    if (at > LENGTH_AT) {
      block.fill(0, at);
      compress(this.#state, block, 0);
      at = 0;
    }
    block.fill(0, at, LENGTH_AT);
    // The length in bits, 64 bits little-endian; a message here is far below 2^29 octets.
    writeWord(block, LENGTH_AT, this.#length << 3);
    writeWord(block, LENGTH_AT + 4, this.#length >>> 29);
    compress(this.#state, block, 0);
    for (let word = 0; word < 4; word++) writeWord(target, offset + 4 * word, this.#state[word] ?? 0);
  }

  /** The state so far, of whole blocks. For keys that are hashed once. */
  snapshot(): Md5State {
    return this.#state.slice();
  }

  #fill(octets: Uint8Array, start: number, end: number): number {
    const block = this.#block;
    let filled = this.#filled;
    let at = start;
    while (filled < BLOCK && at < end) block[filled++] = octets[at++] ?? 0;
    this.#filled = filled;
    return at - start;
  }
}

const INITIAL: Md5State = Int32Array.of(0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476);
const hash = new Md5();
const innerDigest = new Uint8Array(MD5_OCTETS);

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
  hash.finish(innerDigest);
  hash.start(key.outer, 1).update(innerDigest).finish(target, offset);
}

function writeWord(target: Uint8Array, at: number, word: number): void {
  target[at] = word;
  target[at + 1] = word >>> 8;
  target[at + 2] = word >>> 16;
  target[at + 3] = word >>> 24;
}

function readWord(m: Uint8Array, at: number): number {
  return (m[at] ?? 0) | ((m[at + 1] ?? 0) << 8) | ((m[at + 2] ?? 0) << 16) | ((m[at + 3] ?? 0) << 24);
}

/** RFC 1321 §3.4, unrolled. Constants are floor(2^32 · |sin(i)|), where the top bit is set as the negative number. */
function compress(state: Md5State, m: Uint8Array, o: number): void {
  const x0 = readWord(m, o + 0);
  const x1 = readWord(m, o + 4);
  const x2 = readWord(m, o + 8);
  const x3 = readWord(m, o + 12);
  const x4 = readWord(m, o + 16);
  const x5 = readWord(m, o + 20);
  const x6 = readWord(m, o + 24);
  const x7 = readWord(m, o + 28);
  const x8 = readWord(m, o + 32);
  const x9 = readWord(m, o + 36);
  const x10 = readWord(m, o + 40);
  const x11 = readWord(m, o + 44);
  const x12 = readWord(m, o + 48);
  const x13 = readWord(m, o + 52);
  const x14 = readWord(m, o + 56);
  const x15 = readWord(m, o + 60);
  const a0 = state[0] ?? 0;
  const b0 = state[1] ?? 0;
  const c0 = state[2] ?? 0;
  const d0 = state[3] ?? 0;
  let a = a0;
  let b = b0;
  let c = c0;
  let d = d0;
  // Round 1
  a = (a + (d ^ (b & (c ^ d))) + x0 - 0x28955b88) | 0;
  a = (((a << 7) | (a >>> 25)) + b) | 0;
  d = (d + (c ^ (a & (b ^ c))) + x1 - 0x173848aa) | 0;
  d = (((d << 12) | (d >>> 20)) + a) | 0;
  c = (c + (b ^ (d & (a ^ b))) + x2 + 0x242070db) | 0;
  c = (((c << 17) | (c >>> 15)) + d) | 0;
  b = (b + (a ^ (c & (d ^ a))) + x3 - 0x3e423112) | 0;
  b = (((b << 22) | (b >>> 10)) + c) | 0;
  a = (a + (d ^ (b & (c ^ d))) + x4 - 0xa83f051) | 0;
  a = (((a << 7) | (a >>> 25)) + b) | 0;
  d = (d + (c ^ (a & (b ^ c))) + x5 + 0x4787c62a) | 0;
  d = (((d << 12) | (d >>> 20)) + a) | 0;
  c = (c + (b ^ (d & (a ^ b))) + x6 - 0x57cfb9ed) | 0;
  c = (((c << 17) | (c >>> 15)) + d) | 0;
  b = (b + (a ^ (c & (d ^ a))) + x7 - 0x2b96aff) | 0;
  b = (((b << 22) | (b >>> 10)) + c) | 0;
  a = (a + (d ^ (b & (c ^ d))) + x8 + 0x698098d8) | 0;
  a = (((a << 7) | (a >>> 25)) + b) | 0;
  d = (d + (c ^ (a & (b ^ c))) + x9 - 0x74bb0851) | 0;
  d = (((d << 12) | (d >>> 20)) + a) | 0;
  c = (c + (b ^ (d & (a ^ b))) + x10 - 0xa44f) | 0;
  c = (((c << 17) | (c >>> 15)) + d) | 0;
  b = (b + (a ^ (c & (d ^ a))) + x11 - 0x76a32842) | 0;
  b = (((b << 22) | (b >>> 10)) + c) | 0;
  a = (a + (d ^ (b & (c ^ d))) + x12 + 0x6b901122) | 0;
  a = (((a << 7) | (a >>> 25)) + b) | 0;
  d = (d + (c ^ (a & (b ^ c))) + x13 - 0x2678e6d) | 0;
  d = (((d << 12) | (d >>> 20)) + a) | 0;
  c = (c + (b ^ (d & (a ^ b))) + x14 - 0x5986bc72) | 0;
  c = (((c << 17) | (c >>> 15)) + d) | 0;
  b = (b + (a ^ (c & (d ^ a))) + x15 + 0x49b40821) | 0;
  b = (((b << 22) | (b >>> 10)) + c) | 0;
  // Round 2
  a = (a + (c ^ (d & (b ^ c))) + x1 - 0x9e1da9e) | 0;
  a = (((a << 5) | (a >>> 27)) + b) | 0;
  d = (d + (b ^ (c & (a ^ b))) + x6 - 0x3fbf4cc0) | 0;
  d = (((d << 9) | (d >>> 23)) + a) | 0;
  c = (c + (a ^ (b & (d ^ a))) + x11 + 0x265e5a51) | 0;
  c = (((c << 14) | (c >>> 18)) + d) | 0;
  b = (b + (d ^ (a & (c ^ d))) + x0 - 0x16493856) | 0;
  b = (((b << 20) | (b >>> 12)) + c) | 0;
  a = (a + (c ^ (d & (b ^ c))) + x5 - 0x29d0efa3) | 0;
  a = (((a << 5) | (a >>> 27)) + b) | 0;
  d = (d + (b ^ (c & (a ^ b))) + x10 + 0x2441453) | 0;
  d = (((d << 9) | (d >>> 23)) + a) | 0;
  c = (c + (a ^ (b & (d ^ a))) + x15 - 0x275e197f) | 0;
  c = (((c << 14) | (c >>> 18)) + d) | 0;
  b = (b + (d ^ (a & (c ^ d))) + x4 - 0x182c0438) | 0;
  b = (((b << 20) | (b >>> 12)) + c) | 0;
  a = (a + (c ^ (d & (b ^ c))) + x9 + 0x21e1cde6) | 0;
  a = (((a << 5) | (a >>> 27)) + b) | 0;
  d = (d + (b ^ (c & (a ^ b))) + x14 - 0x3cc8f82a) | 0;
  d = (((d << 9) | (d >>> 23)) + a) | 0;
  c = (c + (a ^ (b & (d ^ a))) + x3 - 0xb2af279) | 0;
  c = (((c << 14) | (c >>> 18)) + d) | 0;
  b = (b + (d ^ (a & (c ^ d))) + x8 + 0x455a14ed) | 0;
  b = (((b << 20) | (b >>> 12)) + c) | 0;
  a = (a + (c ^ (d & (b ^ c))) + x13 - 0x561c16fb) | 0;
  a = (((a << 5) | (a >>> 27)) + b) | 0;
  d = (d + (b ^ (c & (a ^ b))) + x2 - 0x3105c08) | 0;
  d = (((d << 9) | (d >>> 23)) + a) | 0;
  c = (c + (a ^ (b & (d ^ a))) + x7 + 0x676f02d9) | 0;
  c = (((c << 14) | (c >>> 18)) + d) | 0;
  b = (b + (d ^ (a & (c ^ d))) + x12 - 0x72d5b376) | 0;
  b = (((b << 20) | (b >>> 12)) + c) | 0;
  // Round 3
  a = (a + (b ^ c ^ d) + x5 - 0x5c6be) | 0;
  a = (((a << 4) | (a >>> 28)) + b) | 0;
  d = (d + (a ^ b ^ c) + x8 - 0x788e097f) | 0;
  d = (((d << 11) | (d >>> 21)) + a) | 0;
  c = (c + (d ^ a ^ b) + x11 + 0x6d9d6122) | 0;
  c = (((c << 16) | (c >>> 16)) + d) | 0;
  b = (b + (c ^ d ^ a) + x14 - 0x21ac7f4) | 0;
  b = (((b << 23) | (b >>> 9)) + c) | 0;
  a = (a + (b ^ c ^ d) + x1 - 0x5b4115bc) | 0;
  a = (((a << 4) | (a >>> 28)) + b) | 0;
  d = (d + (a ^ b ^ c) + x4 + 0x4bdecfa9) | 0;
  d = (((d << 11) | (d >>> 21)) + a) | 0;
  c = (c + (d ^ a ^ b) + x7 - 0x944b4a0) | 0;
  c = (((c << 16) | (c >>> 16)) + d) | 0;
  b = (b + (c ^ d ^ a) + x10 - 0x41404390) | 0;
  b = (((b << 23) | (b >>> 9)) + c) | 0;
  a = (a + (b ^ c ^ d) + x13 + 0x289b7ec6) | 0;
  a = (((a << 4) | (a >>> 28)) + b) | 0;
  d = (d + (a ^ b ^ c) + x0 - 0x155ed806) | 0;
  d = (((d << 11) | (d >>> 21)) + a) | 0;
  c = (c + (d ^ a ^ b) + x3 - 0x2b10cf7b) | 0;
  c = (((c << 16) | (c >>> 16)) + d) | 0;
  b = (b + (c ^ d ^ a) + x6 + 0x4881d05) | 0;
  b = (((b << 23) | (b >>> 9)) + c) | 0;
  a = (a + (b ^ c ^ d) + x9 - 0x262b2fc7) | 0;
  a = (((a << 4) | (a >>> 28)) + b) | 0;
  d = (d + (a ^ b ^ c) + x12 - 0x1924661b) | 0;
  d = (((d << 11) | (d >>> 21)) + a) | 0;
  c = (c + (d ^ a ^ b) + x15 + 0x1fa27cf8) | 0;
  c = (((c << 16) | (c >>> 16)) + d) | 0;
  b = (b + (c ^ d ^ a) + x2 - 0x3b53a99b) | 0;
  b = (((b << 23) | (b >>> 9)) + c) | 0;
  // Round 4
  a = (a + (c ^ (b | ~d)) + x0 - 0xbd6ddbc) | 0;
  a = (((a << 6) | (a >>> 26)) + b) | 0;
  d = (d + (b ^ (a | ~c)) + x7 + 0x432aff97) | 0;
  d = (((d << 10) | (d >>> 22)) + a) | 0;
  c = (c + (a ^ (d | ~b)) + x14 - 0x546bdc59) | 0;
  c = (((c << 15) | (c >>> 17)) + d) | 0;
  b = (b + (d ^ (c | ~a)) + x5 - 0x36c5fc7) | 0;
  b = (((b << 21) | (b >>> 11)) + c) | 0;
  a = (a + (c ^ (b | ~d)) + x12 + 0x655b59c3) | 0;
  a = (((a << 6) | (a >>> 26)) + b) | 0;
  d = (d + (b ^ (a | ~c)) + x3 - 0x70f3336e) | 0;
  d = (((d << 10) | (d >>> 22)) + a) | 0;
  c = (c + (a ^ (d | ~b)) + x10 - 0x100b83) | 0;
  c = (((c << 15) | (c >>> 17)) + d) | 0;
  b = (b + (d ^ (c | ~a)) + x1 - 0x7a7ba22f) | 0;
  b = (((b << 21) | (b >>> 11)) + c) | 0;
  a = (a + (c ^ (b | ~d)) + x8 + 0x6fa87e4f) | 0;
  a = (((a << 6) | (a >>> 26)) + b) | 0;
  d = (d + (b ^ (a | ~c)) + x15 - 0x1d31920) | 0;
  d = (((d << 10) | (d >>> 22)) + a) | 0;
  c = (c + (a ^ (d | ~b)) + x6 - 0x5cfebcec) | 0;
  c = (((c << 15) | (c >>> 17)) + d) | 0;
  b = (b + (d ^ (c | ~a)) + x13 + 0x4e0811a1) | 0;
  b = (((b << 21) | (b >>> 11)) + c) | 0;
  a = (a + (c ^ (b | ~d)) + x4 - 0x8ac817e) | 0;
  a = (((a << 6) | (a >>> 26)) + b) | 0;
  d = (d + (b ^ (a | ~c)) + x11 - 0x42c50dcb) | 0;
  d = (((d << 10) | (d >>> 22)) + a) | 0;
  c = (c + (a ^ (d | ~b)) + x2 + 0x2ad7d2bb) | 0;
  c = (((c << 15) | (c >>> 17)) + d) | 0;
  b = (b + (d ^ (c | ~a)) + x9 - 0x14792c6f) | 0;
  b = (((b << 21) | (b >>> 11)) + c) | 0;
  state[0] = a0 + a;
  state[1] = b0 + b;
  state[2] = c0 + c;
  state[3] = d0 + d;
}
