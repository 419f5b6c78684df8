/**
 * Distinguished names as text (RFC 4514): read, written, compared. The separators are `,` and `+` alone; the `;` and the
 * quotes of RFC 2253 are refused, since two readers of one name must not find two names in it.
 */
import { isUtf8 } from 'node:buffer';
import { element, readHeader } from './ber.js';

/** One attribute and its value, unescaped; a Buffer is the BER of a value (`#…`) that is not a plain string. */
export interface Assertion {
  readonly type: string;
  readonly value: string | Buffer;
}
/** Usually one assertion; several are written with `+`, and their order means nothing. */
export type Rdn = readonly Assertion[];
/** The entry's own RDN first, the root's child last; empty for the root itself. */
export type Dn = readonly Rdn[];

const TYPE = /^(?:[A-Za-z][A-Za-z0-9-]*|(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))+)$/;
const HEX_PAIRS = /^(?:[0-9A-Fa-f]{2})+$/;
const HEX_PAIR = /^[0-9A-Fa-f]{2}$/;
/** RFC 4514 §3: what may stand behind a backslash as itself. */
const ESCAPABLE = new Set(' "#+,;<=>\\');
/** … and what may not stand in a value without one (`+` and `,` have ended it by then). */
const NEVER_BARE = new Set('";<>\0');
/** The universal tags of string types whose octets are their text: OCTET STRING, UTF8String, PrintableString, IA5String. */
const STRING_TAGS = new Set([0x04, 0x0c, 0x13, 0x16]);
const OCTET_STRING = 0x04;

/** RFC 4514 §3, RFC 4519: the other names of the types that our names are built of. */
const SAME_TYPE: ReadonlyMap<string, string> = new Map([
  ['commonname', 'cn'],
  ['2.5.4.3', 'cn'],
  ['surname', 'sn'],
  ['2.5.4.4', 'sn'],
  ['countryname', 'c'],
  ['2.5.4.6', 'c'],
  ['localityname', 'l'],
  ['2.5.4.7', 'l'],
  ['stateorprovincename', 'st'],
  ['2.5.4.8', 'st'],
  ['streetaddress', 'street'],
  ['2.5.4.9', 'street'],
  ['organizationname', 'o'],
  ['2.5.4.10', 'o'],
  ['organizationalunitname', 'ou'],
  ['2.5.4.11', 'ou'],
  ['userid', 'uid'],
  ['0.9.2342.19200300.100.1.1', 'uid'],
  ['domaincomponent', 'dc'],
  ['0.9.2342.19200300.100.1.25', 'dc'],
]);

/** Reads a DN; null where it is none (invalidDNSyntax). The empty string is the root. */
export function parseDn(text: string): Dn | null {
  if (text === '') return [];
  const dn: Rdn[] = [];
  let rdn: Assertion[] = [];
  let at = 0;
  for (;;) {
    const equals = text.indexOf('=', at);
    if (equals === -1) return null;
    const type = text.slice(at, equals).trim();
    if (!TYPE.test(type)) return null;
    const read = readValue(text, equals + 1);
    if (read === null) return null;
    rdn.push({ type, value: read.value });
    if (read.end === text.length) break;
    if (text.charAt(read.end) === ',') {
      dn.push(rdn);
      rdn = [];
    }
    at = read.end + 1;
  }
  dn.push(rdn);
  return dn;
}

/** Writes a DN so that `parseDn` reads the same back (LDAP-60). */
export function writeDn(dn: Dn): string {
  return dn.map((rdn) => rdn.map(({ type, value }) => `${type}=${writeValue(type, value)}`).join('+')).join(',');
}

/** What two RDNs have in common exactly when they are equal: types by one name, values without regard to case and spaces. */
export function rdnKey(rdn: Rdn): string {
  const [only] = rdn;
  if (only !== undefined && rdn.length === 1) return assertionKey(only);
  return rdn.map(assertionKey).sort().join('+');
}

/** The same for whole names: equal keys, equal names. */
export const dnKey = (dn: Dn): string => dn.map(rdnKey).join(',');

/** The one name of an attribute type, in lower case: `uid` for `UID`, `userid` and `0.9.2342.19200300.100.1.1`. */
export function typeKey(type: string): string {
  const lower = type.toLowerCase();
  return SAME_TYPE.get(lower) ?? lower;
}

/**
 * A string prepared for comparison (RFC 4518, in the parts that matter for names): compatibility forms and case are one, outer
 * spaces go, inner runs are one space.
 */
export function prepared(text: string): string {
  return text.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');
}

function assertionKey({ type, value }: Assertion): string {
  const name = typeKey(type);
  return `${name}=${typeof value === 'string' ? escapeText(prepared(value)) : `#${value.toString('hex')}`}`;
}

/** The value from `at` on, up to an unescaped `,` or `+` or the end. */
function readValue(text: string, at: number): { value: string | Buffer; end: number } | null {
  let start = at;
  while (text.charAt(start) === ' ') start += 1;
  if (text.charAt(start) === '#') return readHexValue(text, start + 1);
  let value = '';
  /** The length that trimming must leave: behind it only bare spaces have come. */
  let kept = 0;
  let index = start;
  while (index < text.length) {
    const character = text.charAt(index);
    if (character === ',' || character === '+') break;
    if (character === '\\') {
      const escaped = readEscapes(text, index);
      if (escaped === null) return null;
      value += escaped.text;
      kept = value.length;
      index = escaped.end;
      continue;
    }
    if (NEVER_BARE.has(character)) return null;
    value += character;
    if (character !== ' ') kept = value.length;
    index += 1;
  }
  return { value: value.slice(0, kept), end: index };
}

/** The escapes from `at` on: one special character, or a run of hex pairs that is UTF-8 as a whole. */
function readEscapes(text: string, at: number): { text: string; end: number } | null {
  const next = text.charAt(at + 1);
  if (ESCAPABLE.has(next)) return { text: next, end: at + 2 };
  let end = at;
  let hex = '';
  while (text.charAt(end) === '\\' && HEX_PAIR.test(text.slice(end + 1, end + 3))) {
    hex += text.slice(end + 1, end + 3);
    end += 3;
  }
  const octets = Buffer.from(hex, 'hex');
  return octets.length === 0 || !isUtf8(octets) ? null : { text: octets.toString('utf8'), end };
}

/** RFC 4514 §2.4: the BER of the value in hex. A plain string is unwrapped, so that it equals the same written as text. */
function readHexValue(text: string, at: number): { value: string | Buffer; end: number } | null {
  let end = at;
  while (end < text.length && text.charAt(end) !== ',' && text.charAt(end) !== '+') end += 1;
  const hex = text.slice(at, end).trimEnd();
  if (!HEX_PAIRS.test(hex)) return null;
  const octets = Buffer.from(hex, 'hex');
  return { value: plainString(octets) ?? octets, end };
}

function plainString(ber: Buffer): string | null {
  const header = readHeader(ber, 0, ber.length);
  if (header === 'incomplete' || header === 'invalid' || !STRING_TAGS.has(ber.readUInt8(0))) return null;
  const content = ber.subarray(header.headerOctets);
  return content.length === header.contentOctets && isUtf8(content) ? content.toString('utf8') : null;
}

function writeValue(type: string, value: string | Buffer): string {
  if (typeof value !== 'string') return `#${value.toString('hex')}`;
  // RFC 4514 §2.4: a type without a name has its value in hex, since its syntax is not known.
  if (type.includes('.')) return `#${element(OCTET_STRING, Buffer.from(value, 'utf8')).toString('hex')}`;
  return escapeText(value);
}

function escapeText(value: string): string {
  const escaped = value.replace(/["+,;<>\\]/g, '\\$&').replaceAll('\0', '\\00');
  const start = /^[ #]/.test(escaped) ? `\\${escaped}` : escaped;
  // A lone space is escaped already; one whose backslash is itself escaped is not.
  return start.endsWith(' ') && start !== '\\ ' ? `${start.slice(0, -1)}\\ ` : start;
}
