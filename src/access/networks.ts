/**
 * Addresses and networks, IPv4 and IPv6. An IPv4 address inside IPv6 (`::ffff:10.0.0.1`, as a dual-stack socket reports it) is
 * the IPv4 address. A policy's networks are parsed once, when they are first needed, and kept as long as the policy.
 */
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = readonly [Address, number];

const MAPPED_BITS = 96;
/** A /64 is what one household or host gets (RFC 6177): counting by single IPv6 addresses would give a guesser 2^64 budgets. */
const IPV6_SOURCE_BITS = 64;
/** An EUI-64 interface id reads like eight groups of an IPv6 address. */
const EUI64 = /^[0-9a-f]{2}(?::[0-9a-f]{2}){7}$/i;

/** The address that `text` is, in canonical form (RFC 5952, no zone), or null. Octal, hexadecimal and shortened IPv4 are none. */
export function canonicalAddress(text: string): string | null {
  const address = parse(text);
  return address === null ? null : address.toString();
}

/**
 * The address in a Calling-Station-Id: bare, or with a port as `address[port]` (strongSwan), `address:port`, `[address]:port`;
 * null for a MAC address, a telephone number, and all else.
 */
export function addressOf(text: string): string | null {
  const trimmed = text.trim();
  if (EUI64.test(trimmed)) return null;
  const [, bracketed] = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(trimmed) ?? [];
  if (bracketed !== undefined) return canonicalAddress(bracketed);
  const [, before] = /^([^[\]]+)\[\d{1,5}\]$/.exec(trimmed) ?? /^([\d.]+):\d{1,5}$/.exec(trimmed) ?? [];
  return canonicalAddress(before ?? trimmed);
}

/** True where `text` is a CIDR or a bare address: what a policy may list. */
export const isNetwork = (text: string): boolean => parseNetwork(text) !== null;

const parsed = new WeakMap<readonly string[], readonly Network[]>();

/** True where the canonical `address` lies in one of `networks`. A network that cannot be read holds nobody. */
export function inNetworks(networks: readonly string[], address: string): boolean {
  const at = parse(address);
  if (at === null) return false;
  let list = parsed.get(networks);
  if (list === undefined) {
    list = networks.map(parseNetwork).filter((network) => network !== null);
    parsed.set(networks, list);
  }
  return list.some(([base, bits]) => base.kind() === at.kind() && at.match(base, bits));
}

/** The network by which failures are counted: an IPv4 address by itself, an IPv6 address by its /64. */
export function sourceKey(address: string): string {
  if (!address.includes(':')) return `${address}/32`;
  const at = parse(address);
  if (at === null) return address;
  if (at instanceof ipaddr.IPv4) return `${at.toString()}/32`;
  const octets = at.toByteArray().fill(0, IPV6_SOURCE_BITS / 8);
  return `${new ipaddr.IPv6(octets).toString()}/${IPV6_SOURCE_BITS}`;
}

function parse(text: string): Address | null {
  const bare = text.includes(':') ? text.replace(/%.*$/, '') : text;
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return ipaddr.IPv4.parse(bare);
  return ipaddr.IPv6.isValid(bare) ? ipaddr.process(bare) : null;
}

function parseNetwork(text: string): Network | null {
  const [, base, bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = base === undefined ? null : parse(base);
  if (base === undefined || address === null) return null;
  const width = address instanceof ipaddr.IPv4 ? 32 : 128;
  if (bits === undefined) return [address, width];
  // A mapped network is written in IPv6's bits: ::ffff:10.0.0.0/104 is 10.0.0.0/8.
  const mapped = width === 32 && base.includes(':');
  const length = Number(bits) - (mapped ? MAPPED_BITS : 0);
  return length >= 0 && length <= width ? [address, length] : null;
}
