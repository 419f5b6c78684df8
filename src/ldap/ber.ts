/**
 * The Basic Encoding Rules as LDAP uses them (X.690, restricted by RFC 4511 §5.1): tags of one octet, definite lengths of
 * one to four octets, primitive strings. A reader never looks past its end and never trusts a length; what does not fit
 * comes back as null.
 */

/** Universal tags (X.690 §8) that LDAP messages are built of. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  octetString: 0x04,
  enumerated: 0x0a,
  sequence: 0x30,
  set: 0x31,
} as const;

/** What `BerReader.tag` says where nothing is left. */
export const NO_TAG = -1;

const LONG_FORM = 0x80;
const MAX_LENGTH_OCTETS = 4;
const MAX_INTEGER_OCTETS = 4;
const MULTI_OCTET_TAG = 0x1f;

/** The header of an element: how long it is itself, and how long the content behind it. */
export interface BerHeader {
  readonly headerOctets: number;
  readonly contentOctets: number;
}

/**
 * Reads the tag and length at `at`, looking no further than `end`. `incomplete` where more octets could make a header of it;
 * `invalid` for a tag of several octets, an indefinite length and one of more than four octets.
 */
export function readHeader(octets: Buffer, at: number, end: number): BerHeader | 'incomplete' | 'invalid' {
  if (at >= end) return 'incomplete';
  if ((octets.readUInt8(at) & MULTI_OCTET_TAG) === MULTI_OCTET_TAG) return 'invalid';
  if (at + 1 >= end) return 'incomplete';
  const first = octets.readUInt8(at + 1);
  if (first < LONG_FORM) return { headerOctets: 2, contentOctets: first };
  const lengthOctets = first - LONG_FORM;
  if (lengthOctets === 0 || lengthOctets > MAX_LENGTH_OCTETS) return 'invalid';
  if (at + 2 + lengthOctets > end) return 'incomplete';
  // Never by shifts: ff ff ff ff is 4,294,967,295, not −1.
  return { headerOctets: 2 + lengthOctets, contentOctets: octets.readUIntBE(at + 2, lengthOctets) };
}

/** Reads elements one after the other out of `octets`. After a null the reader must not be used any more. */
export class BerReader {
  readonly #octets: Buffer;
  readonly #end: number;
  #at: number;

  constructor(octets: Buffer, start = 0, end = octets.length) {
    this.#octets = octets;
    this.#at = start;
    this.#end = end;
  }

  /** True where nothing is left. */
  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** The tag of the next element, or `NO_TAG`. */
  get tag(): number {
    return this.#at < this.#end ? this.#octets.readUInt8(this.#at) : NO_TAG;
  }

  /** The content of the next element, as a view, where it has `tag`. */
  read(tag: number): Buffer | null {
    const length = this.#open(tag);
    if (length === null) return null;
    const start = this.#at;
    this.#at += length;
    return this.#octets.subarray(start, this.#at);
  }

  /** A reader for the content of the next element, where it has `tag`; this one goes on behind it. */
  enter(tag: number): BerReader | null {
    const length = this.#open(tag);
    if (length === null) return null;
    const start = this.#at;
    this.#at += length;
    return new BerReader(this.#octets, start, this.#at);
  }

  /** The next element as UTF-8 text, where it has `tag`; what is not UTF-8 becomes U+FFFD. */
  text(tag: number): string | null {
    const length = this.#open(tag);
    if (length === null) return null;
    const start = this.#at;
    this.#at += length;
    return this.#octets.toString('utf8', start, this.#at);
  }

  /** A two's complement integer of one to four octets. LDAP has none that is larger (RFC 4511 §4.1.1: maxInt is 2³¹−1). */
  integer(tag: number = TAG.integer): number | null {
    const length = this.#open(tag);
    if (length === null || length === 0 || length > MAX_INTEGER_OCTETS) return null;
    const value = this.#octets.readIntBE(this.#at, length);
    this.#at += length;
    return value;
  }

  /** FALSE is 00, everything else is TRUE (LDAP-1). */
  boolean(tag: number = TAG.boolean): boolean | null {
    const length = this.#open(tag);
    if (length !== 1) return null;
    const value = this.#octets.readUInt8(this.#at);
    this.#at += 1;
    return value !== 0;
  }

  /** Moves to the content of the next element, where it has `tag` and fits; returns the content's length. */
  #open(tag: number): number | null {
    if (this.tag !== tag) return null;
    const header = readHeader(this.#octets, this.#at, this.#end);
    if (header === 'incomplete' || header === 'invalid') return null;
    if (header.contentOctets > this.#end - this.#at - header.headerOctets) return null;
    this.#at += header.headerOctets;
    return header.contentOctets;
  }
}

/** An element: `tag`, the shortest length, and `contents` one behind the other. */
export function element(tag: number, ...contents: readonly Buffer[]): Buffer {
  let length = 0;
  for (const content of contents) length += content.length;
  const lengthOctets = length < LONG_FORM ? 0 : integerWidth(length);
  const out = Buffer.allocUnsafe(2 + lengthOctets + length);
  out.writeUInt8(tag, 0);
  if (lengthOctets === 0) {
    out.writeUInt8(length, 1);
  } else {
    out.writeUInt8(LONG_FORM + lengthOctets, 1);
    out.writeUIntBE(length, 2, lengthOctets);
  }
  let at = 2 + lengthOctets;
  for (const content of contents) at += content.copy(out, at);
  return out;
}

/** An element with the UTF-8 octets of `text` as its content. */
export const textElement = (tag: number, text: string): Buffer => element(tag, Buffer.from(text, 'utf8'));

/** The content of an INTEGER or ENUMERATED: the fewest octets of two's complement for a `value` from 0 to 2³¹−1. */
export function integerContent(value: number): Buffer {
  const width = signedWidth(value);
  const out = Buffer.allocUnsafe(width);
  out.writeIntBE(value, 0, width);
  return out;
}

/** How many octets the shortest INTEGER for `value` (0 to 2³¹−1) has. */
export function signedWidth(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x8000) return 2;
  return value < 0x80_0000 ? 3 : 4;
}

function integerWidth(value: number): number {
  if (value < 0x100) return 1;
  if (value < 0x1_0000) return 2;
  return value < 0x100_0000 ? 3 : 4;
}
