/** The address that a request came from. Forwarded headers are not read: whoever connects could write them. */
import ipaddr from 'ipaddr.js';

/** IPv6 hosts have a /64 to themselves and may change within it at will. */
const IPV6_HOST_BITS = 64;

/** The canonical text of an address (IPv4 in IPv6 as IPv4), or null where `text` is none. */
export function canonicalAddress(text: string): string | null {
  if (!ipaddr.IPv4.isValidFourPartDecimal(text) && !ipaddr.IPv6.isValid(text)) return null;
  const address = ipaddr.process(text);
  return address.kind() === 'ipv6' ? ipaddr.IPv6.parse(address.toString()).toRFC5952String() : address.toString();
}

/** What counts as one host for limits: the IPv4 address, or the IPv6 /64. */
export function hostOf(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address;
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/${IPV6_HOST_BITS}`).toString()}/${IPV6_HOST_BITS}`;
}
