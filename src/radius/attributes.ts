/**
 * Attributes: type, length, value, one behind the other [RFC 2865 §5]. Here they are offsets into the packet, never copies.
 * Whoever walks has a packet that decode() passed, so lengths are known to fit.
 */

/** Types by name, of the RFC that defines each. */
export const ATTRIBUTE = {
  // RFC 2865
  userName: 1,
  userPassword: 2,
  chapPassword: 3,
  nasIpAddress: 4,
  nasPort: 5,
  serviceType: 6,
  framedIpAddress: 8,
  replyMessage: 18,
  state: 24,
  class: 25,
  vendorSpecific: 26,
  calledStationId: 30,
  callingStationId: 31,
  nasIdentifier: 32,
  proxyState: 33,
  chapChallenge: 60,
  nasPortType: 61,
  // RFC 2866
  acctStatusType: 40,
  acctDelayTime: 41,
  acctInputOctets: 42,
  acctOutputOctets: 43,
  acctSessionId: 44,
  acctSessionTime: 46,
  acctTerminateCause: 49,
  acctMultiSessionId: 50,
  // RFC 2869
  acctInputGigawords: 52,
  acctOutputGigawords: 53,
  eventTimestamp: 55,
  eapMessage: 79,
  messageAuthenticator: 80,
  // RFC 3162
  nasIpv6Address: 95,
  framedIpv6Prefix: 97,
  // RFC 6929
  extended1: 241,
  extended6: 246,
} as const;

/** Vendors by their SMI Network Management Private Enterprise Code. */
export const VENDOR = { cisco: 9, microsoft: 311 } as const;

/** Microsoft's types that carry a credential [RFC 2548 §2.1, §2.3]. */
export const MICROSOFT = { chapResponse: 1, chapChallenge: 11, chap2Response: 25 } as const;

/** Where an attribute's value is: `octets[start, end)`. */
export interface AttributeSpan {
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

/** Every attribute of a checked packet in order; for the log and for tests. The hot path walks by hand. */
export function* attributesOf(octets: Uint8Array, from: number, to = octets.length): Generator<AttributeSpan> {
  for (let at = from; at < to; ) {
    const length = octets[at + 1] ?? 0;
    yield { type: octets[at] ?? 0, start: at + 2, end: at + length };
    at += length;
  }
}

/** The vendor of a Vendor-Specific value at `start`, or null where it is too short to name one [RFC 2865 §5.26]. */
export function vendorOf(octets: Buffer, start: number, end: number): number | null {
  return end - start < 4 ? null : octets.readUInt32BE(start);
}

/**
 * The vendor's own attributes inside a Vendor-Specific value, or null where their lengths do not fill it exactly: then it is
 * opaque, and no error (RAD-22).
 */
export function vendorAttributesOf(octets: Buffer, start: number, end: number): readonly AttributeSpan[] | null {
  const found: AttributeSpan[] = [];
  for (let at = start + 4; at < end; ) {
    const length = octets[at + 1] ?? 0;
    if (length < 2 || at + length > end) return null;
    found.push({ type: octets[at] ?? 0, start: at + 2, end: at + length });
    at += length;
  }
  return found.length === 0 ? null : found;
}

/** A text with its tag: in text the first octet is a tag if it is at most 0x1f, else it is text [RFC 2868 §3] (RAD-70). */
export function taggedText(octets: Buffer, start: number, end: number): { tag: number | null; text: string } {
  const first = start < end ? (octets[start] ?? 0) : 0x20;
  const tag = first <= 0x1f ? first : null;
  return { tag, text: octets.toString('utf8', tag === null ? start : start + 1, end) };
}

/** An integer with its tag: the first octet is always the tag [RFC 2868 §3]; null where it has not four octets (RAD-70). */
export function taggedInteger(octets: Buffer, start: number, end: number): { tag: number; value: number } | null {
  return end - start === 4 ? { tag: octets[start] ?? 0, value: octets.readUIntBE(start + 1, 3) } : null;
}

/** An extended attribute, its fragments joined: number `type`.`extendedType` [RFC 6929 §2]. */
export interface ExtendedAttribute {
  readonly type: number;
  readonly extendedType: number;
  readonly value: Buffer;
}

/** 245 and 246 have an octet of flags; its top bit says that the next attribute goes on [RFC 6929 §2.2]. */
const FIRST_LONG = 245;
const MORE = 0x80;

/** The extended attributes 241 to 246 of a checked packet; broken ones are skipped, not errors (RAD-71). */
export function extendedAttributesOf(octets: Buffer, from: number): readonly ExtendedAttribute[] {
  const found: ExtendedAttribute[] = [];
  let open: { type: number; extendedType: number; parts: Buffer[] } | null = null;
  for (const { type, start, end } of attributesOf(octets, from)) {
    const long = type >= FIRST_LONG && type <= ATTRIBUTE.extended6;
    const extended = type >= ATTRIBUTE.extended1 && type <= ATTRIBUTE.extended6;
    const head = long ? 2 : 1;
    const extendedType = octets[start] ?? 0;
    // A fragment must follow its predecessor at once; otherwise what was begun is broken, and dropped.
    if (open !== null && (open.type !== type || open.extendedType !== extendedType)) open = null;
    if (!extended || end - start < head) {
      open = null;
      continue;
    }
    const value = octets.subarray(start + head, end);
    if (!long) {
      found.push({ type, extendedType, value });
      continue;
    }
    open = open ?? { type, extendedType, parts: [] };
    open.parts.push(value);
    if (((octets[start + 1] ?? 0) & MORE) === 0) {
      found.push({ type, extendedType, value: Buffer.concat(open.parts) });
      open = null;
    }
  }
  return found;
}

/** Whether a Framed-IPv6-Prefix value is well formed: reserved, length ≤ 128, its octets, zeros behind it [RFC 3162 §2.3] (RAD-72). */
export function isIpv6Prefix(octets: Buffer, start: number, end: number): boolean {
  const bits = octets[start + 1] ?? 0;
  const carried = end - start - 2;
  if (carried < 0 || carried > 16 || bits > 128 || carried * 8 < bits) return false;
  for (let bit = bits; bit < carried * 8; bit++) {
    if (((octets[start + 2 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0) return false;
  }
  return true;
}
