/** Addresses as this door compares them: canonical, IPv4-mapped IPv6 folded to IPv4, without a zone. */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** The canonical text (RFC 5952 for IPv6) of an address, or null where `text` is none. */
export function canonicalAddress(text: string): string | null {
  const kind = isIP(text);
  // What isIP takes for IPv4 has one spelling only.
  if (kind === 4) return text;
  if (kind === 0) return null;
  const zone = text.indexOf('%');
  const address = ipaddr.process(zone === -1 ? text : text.slice(0, zone));
  return address.kind() === 'ipv6' && 'toRFC5952String' in address ? address.toRFC5952String() : address.toString();
}

/** An address as four words, the first octets first; IPv4 is ::ffff:0:0 with its own word at the end [RFC 4291 §2.5.5.2]. */
export type AddressWords = Int32Array;

/** The words of a canonical address; those of :: where it is none. */
export function addressWords(address: string): AddressWords {
  const words = new Int32Array(4);
  if (isIP(address) === 0) return words;
  const parsed = ipaddr.parse(address);
  const octets = ('toIPv4MappedAddress' in parsed ? parsed.toIPv4MappedAddress() : parsed).toByteArray();
  for (const [at, octet] of octets.entries()) words[at >> 2] = ((words[at >> 2] ?? 0) << 8) | octet;
  return words;
}

/** Whether these are the words of an IPv4 address. */
export function isIpv4(words: AddressWords): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
}

/**
 * The address that a Calling-Station-Id names, canonical, or null where it names none (a MAC address, a telephone number).
 * strongSwan writes `address[port]` (RAD-73).
 */
export function stationAddress(station: string): string | null {
  const port = station.indexOf('[');
  return canonicalAddress(port > 0 && /^\[\d{1,5}\]$/.test(station.slice(port)) ? station.slice(0, port) : station);
}

/** A place to listen at, as `sallyport.yaml` writes it: `0.0.0.0:1812`, `[::1]:1812`. */
export interface Endpoint {
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
}

/** Reads `address:port`, or null where it is not one. */
export function parseEndpoint(text: string): Endpoint | null {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const address = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (address === undefined || isIP(address) === 0 || port > 65_535) return null;
  return { address, port };
}

/** `address:port` as one writes it, IPv6 in brackets. */
export function formatEndpoint({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
