/** Addresses and networks as records write them: CIDR or a bare address, IPv4 and IPv6. */
import ipaddr from 'ipaddr.js';

/**
 * The one text that all spellings of the same network share: the network's first address and a prefix length. Null where
 * `text` is neither an address nor a network. IPv4 has four decimal parts; older spellings (`127.1`, octal) are refused.
 */
export function canonicalNetwork(text: string): string | null {
  const [address = '', length, ...rest] = text.split('/');
  if (rest.length > 0 || address.includes('%')) return null;
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) return null;
  const parsed = ipaddr.parse(address);
  const bits = parsed.kind() === 'ipv4' ? 32 : 128;
  const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  if (!(prefix <= bits)) return null;
  const octets = parsed
    .toByteArray()
    .map((octet, i) => octet & (0xff << Math.max(0, Math.min(8, (i + 1) * 8 - prefix))));
  return `${ipaddr.fromByteArray(octets.map((octet) => octet & 0xff)).toString()}/${prefix}`;
}
