/**
 * A resource's reply attributes as octets of an Access-Accept. Names and values are checked when the record is written, so that
 * nobody learns of a misspelling at the moment of a sign-in (RAD-24); encoding happens once for each version of a record.
 */
import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { ResourceFacts } from '../access/ports.js';
import { ATTRIBUTE, VENDOR } from './attributes.js';
import { type AttributeDefinition, encodeAttribute, findAttribute, NO_VENDOR } from './dictionary.js';
import { LIMITS } from './limits.js';

/** Reply attributes as a record has them. */
export type ReplyAttributes = ResourceFacts['replyAttributes'];
type Value = string | number;

/** What is wrong with one of them. */
export type ReplyAttributeProblem =
  /** No dictionary has the name. */
  | { readonly kind: 'unknown'; readonly name: string }
  /** The server makes it itself, or an Access-Accept cannot carry it [RFC 2865 §5.44]. */
  | { readonly kind: 'reserved'; readonly name: string }
  /** Its value is hidden under each client's secret. */
  | { readonly kind: 'hidden'; readonly name: string }
  /** It has a tag, which a name with a value cannot say. */
  | { readonly kind: 'tagged'; readonly name: string }
  /** Values of this type cannot be written. */
  | { readonly kind: 'unsupportedType'; readonly name: string; readonly type: string }
  | { readonly kind: 'badValue'; readonly name: string; readonly value: Value; readonly type: string }
  | { readonly kind: 'tooLong'; readonly name: string; readonly octets: number; readonly limit: number }
  /** All together do not fit into a packet. */
  | { readonly kind: 'allTooLong'; readonly octets: number; readonly limit: number };

/** Octets of an Access-Accept, or everything that is wrong. */
export type Compiled =
  | { readonly kind: 'compiled'; readonly octets: Buffer }
  | { readonly kind: 'problems'; readonly problems: readonly ReplyAttributeProblem[] };

/** All that is wrong with `attributes`; empty: nothing. For whoever creates or changes a record. */
export function checkReplyAttributes(attributes: ReplyAttributes): readonly ReplyAttributeProblem[] {
  const compiled = compileReplyAttributes(attributes);
  return compiled.kind === 'problems' ? compiled.problems : [];
}

/** One problem in a sentence, for the field that holds the attribute. */
export function replyAttributeProblemText(problem: ReplyAttributeProblem): string {
  switch (problem.kind) {
    case 'unknown':
      return `${problem.name}: no dictionary has an attribute of this name`;
    case 'reserved':
      return `${problem.name}: cannot be set in an Access-Accept`;
    case 'hidden':
      return `${problem.name}: hidden under each client's secret, cannot be a fixed value`;
    case 'tagged':
      return `${problem.name}: has a tag, which cannot be given here`;
    case 'unsupportedType':
      return `${problem.name}: values of type ${problem.type} cannot be set`;
    case 'badValue':
      return `${problem.name}: ${JSON.stringify(problem.value)} is not ${EXPECTED[problem.type] ?? `of type ${problem.type}`}`;
    case 'tooLong':
      return `${problem.name}: ${problem.octets} octets, at most ${problem.limit} fit`;
    case 'allTooLong':
      return `all attributes together have ${problem.octets} octets, at most ${problem.limit} fit into a packet`;
  }
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'a text of at least one character',
  text: 'a text of at least one character',
  octets: 'a text, or 0x and an even number of hexadecimal digits',
  integer: 'a whole number from 0 to 4294967295, or one of the names that the dictionary gives its values',
  time: 'a whole number of seconds',
  date: 'a date such as 2030-01-31T00:00:00Z, or seconds since 1970',
  ipaddr: 'an IPv4 address',
  ipv6addr: 'an IPv6 address',
  ipv6prefix: 'an IPv6 network such as 2001:db8::/32',
};

const compiledFor = new WeakMap<ResourceFacts, Compiled>();

/** The reply attributes of a resource; compiled when it is first asked, then kept as long as the facts are. */
export function replyAttributesOf(resource: ResourceFacts): Compiled {
  const known = compiledFor.get(resource);
  if (known !== undefined) return known;
  const compiled = compileReplyAttributes(resource.replyAttributes);
  compiledFor.set(resource, compiled);
  return compiled;
}

/** Encodes all attributes in the order of the record; a list is as many attributes. */
export function compileReplyAttributes(attributes: ReplyAttributes): Compiled {
  const problems: ReplyAttributeProblem[] = [];
  const parts: Buffer[] = [];
  for (const [name, given] of Object.entries(attributes)) {
    const definition = findAttribute(name);
    const refused = definition === null ? ({ kind: 'unknown', name } as const) : refusal(definition);
    if (definition === null || refused !== null) {
      if (refused !== null) problems.push(refused);
      continue;
    }
    const values: readonly Value[] = typeof given === 'object' ? given : [given];
    for (const value of values) {
      const encoded = encodeValue(definition, value);
      if (Buffer.isBuffer(encoded)) parts.push(encoded);
      else problems.push(encoded);
    }
  }
  const octets = Buffer.concat(parts);
  const limit = LIMITS.replyAttributesOctets;
  if (octets.length > limit) problems.push({ kind: 'allTooLong', octets: octets.length, limit });
  return problems.length > 0 ? { kind: 'problems', problems } : { kind: 'compiled', octets };
}

/** Types that only a request has [RFC 2865 §5.44, 2866 §5.13], or that this server writes itself. */
const RESERVED = new Set<number>([
  ATTRIBUTE.userPassword,
  ATTRIBUTE.chapPassword,
  ATTRIBUTE.nasIpAddress,
  ATTRIBUTE.nasPort,
  ATTRIBUTE.state,
  ATTRIBUTE.vendorSpecific,
  ATTRIBUTE.calledStationId,
  ATTRIBUTE.callingStationId,
  ATTRIBUTE.nasIdentifier,
  ATTRIBUTE.proxyState,
  ATTRIBUTE.acctStatusType,
  ATTRIBUTE.acctDelayTime,
  ATTRIBUTE.acctInputOctets,
  ATTRIBUTE.acctOutputOctets,
  ATTRIBUTE.acctSessionId,
  45, // Acct-Authentic
  ATTRIBUTE.acctSessionTime,
  47, // Acct-Input-Packets
  48, // Acct-Output-Packets
  ATTRIBUTE.acctTerminateCause,
  ATTRIBUTE.acctMultiSessionId,
  51, // Acct-Link-Count
  ATTRIBUTE.acctInputGigawords,
  ATTRIBUTE.acctOutputGigawords,
  ATTRIBUTE.eventTimestamp,
  ATTRIBUTE.chapChallenge,
  ATTRIBUTE.nasPortType,
  ATTRIBUTE.eapMessage,
  ATTRIBUTE.messageAuthenticator,
  ATTRIBUTE.nasIpv6Address,
  101, // Error-Cause [RFC 5176 §3.5]
]);
/** Microsoft's types of a CHAP conversation [RFC 2548 §2.1, 2.3]: the methods write these. */
const RESERVED_MICROSOFT = new Set([1, 2, 3, 4, 5, 6, 10, 11, 25, 26, 27]);

function refusal(definition: AttributeDefinition): ReplyAttributeProblem | null {
  const { name, vendor, type, valueType } = definition;
  if (vendor === NO_VENDOR && RESERVED.has(type)) return { kind: 'reserved', name };
  if (vendor === VENDOR.microsoft && RESERVED_MICROSOFT.has(type)) return { kind: 'reserved', name };
  if (definition.hidden) return { kind: 'hidden', name };
  if (definition.tagged) return { kind: 'tagged', name };
  return valueType in EXPECTED ? null : { kind: 'unsupportedType', name, type: valueType };
}

/** A Vendor-Specific holds the vendor's number, and the head of the attribute inside [RFC 2865 §5.26]. */
const VENDOR_HEAD_OCTETS = 6;

function encodeValue(definition: AttributeDefinition, value: Value): Buffer | ReplyAttributeProblem {
  const { name, vendor, valueType } = definition;
  const bad = { kind: 'badValue', name, value, type: valueType } as const;
  const prepared = prepare(valueType, value);
  if (prepared === null) return bad;
  const octets =
    typeof prepared === 'string' ? Buffer.byteLength(prepared) : Buffer.isBuffer(prepared) ? prepared.length : 4;
  const limit = LIMITS.attributeOctets - (vendor === NO_VENDOR ? 0 : VENDOR_HEAD_OCTETS);
  if (octets > limit) return { kind: 'tooLong', name, octets, limit };
  return encodeAttribute(definition, prepared) ?? bad;
}

/** The value as the package takes it, or null where its type forbids it. The package itself would accept 1.5 and 999.0.0.1. */
function prepare(valueType: string, value: Value): string | number | Date | Buffer | null {
  const text = String(value);
  switch (valueType) {
    case 'string':
    case 'text':
      return text === '' ? null : text;
    case 'octets':
      if (text === '') return null;
      if (!text.startsWith('0x')) return Buffer.from(text, 'utf8');
      return /^0x(?:[0-9a-f]{2})+$/i.test(text) ? Buffer.from(text.slice(2), 'hex') : null;
    case 'integer':
    case 'time':
      // A name of the dictionary goes to the package as it is, which knows whether there is one.
      return /^\d+$/.test(text) ? Number(text) : /^[A-Za-z]/.test(text) ? text : null;
    case 'date': {
      const date = /^\d+$/.test(text) ? new Date(Number(text) * 1000) : new Date(text);
      return Number.isNaN(date.getTime()) ? null : date;
    }
    case 'ipaddr':
      return isIPv4(text) ? text : null;
    case 'ipv6addr':
      return isIPv6(text) && !text.includes('%') ? Buffer.from(ipaddr.IPv6.parse(text).toByteArray()) : null;
    case 'ipv6prefix':
      return ipv6Prefix(text);
    default:
      return null;
  }
}

/** Reserved octet, length in bits, address with zeros past it [RFC 3162 §2.3]. */
function ipv6Prefix(text: string): Buffer | null {
  const [address = '', bits = ''] = text.split('/');
  if (!isIPv6(address) || address.includes('%') || !/^\d{1,3}$/.test(bits) || Number(bits) > 128) return null;
  const network = ipaddr.IPv6.networkAddressFromCIDR(text).toByteArray();
  return Buffer.from([0, Number(bits), ...network]);
}
