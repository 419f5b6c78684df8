/**
 * A RADIUS packet: Code, Identifier, Length, Authenticator, attributes [RFC 2865 §3]. decode() checks what makes it one and
 * looks once at every attribute; the octets stay where they are. Whether it is authentic is another file's question
 * (authenticator.ts): nothing here may be acted on before that.
 */
import { ATTRIBUTE } from './attributes.js';
import { LIMITS } from './limits.js';

/** Codes by name [RFC 2865 §3, 2866 §3, 5997 §3, 5176 §2.3]. */
export const CODE = {
  accessRequest: 1,
  accessAccept: 2,
  accessReject: 3,
  accountingRequest: 4,
  accountingResponse: 5,
  accessChallenge: 11,
  statusServer: 12,
} as const;

/** Offsets into every packet. */
export const AT = { code: 0, identifier: 1, length: 2, authenticator: 4, attributes: LIMITS.headerOctets } as const;
export const AUTHENTICATOR_OCTETS = 16;

/** A packet whose lengths add up. */
export interface Packet {
  readonly code: number;
  readonly identifier: number;
  /** Exactly Length octets: padding behind them is cut off (RAD-3). */
  readonly octets: Buffer;
  /** Where the value of Message-Authenticator begins; 0 where there is none, -1 where there are two or its length is wrong. */
  readonly messageAuthenticator: number;
  /** There is an EAP-Message. */
  readonly eap: boolean;
  /** Octets that all Proxy-State attributes take, heads included; 0 where there are none. */
  readonly proxyStateOctets: number;
  /** Where the first NAS-Identifier begins (its type octet); 0 where there is none. */
  readonly nasIdentifier: number;
}

/** Why octets are no packet. `offset` counts from the first octet of the datagram. */
export type DecodeError =
  /** Fewer octets came than a header has, or than Length announces. */
  | { readonly kind: 'short'; readonly need: number; readonly got: number }
  /** Length is below 20 or above 4096. */
  | { readonly kind: 'badLength'; readonly value: number }
  /** An attribute's length is 0 or 1, or leads past the end. */
  | { readonly kind: 'badAttribute'; readonly offset: number; readonly length: number };

/** Reads a datagram. The packet shares its octets, so the caller leaves them alone. */
export function decode(datagram: Buffer): Packet | DecodeError {
  const got = datagram.length;
  if (got < LIMITS.headerOctets) return { kind: 'short', need: LIMITS.headerOctets, got };
  const length = datagram.readUInt16BE(AT.length);
  if (length < LIMITS.headerOctets || length > LIMITS.packetOctets) return { kind: 'badLength', value: length };
  if (length > got) return { kind: 'short', need: length, got };
  const octets = length === got ? datagram : datagram.subarray(0, length);

  let messageAuthenticator = 0;
  let eap = false;
  let proxyStateOctets = 0;
  let nasIdentifier = 0;
  for (let at = LIMITS.headerOctets; at < length; ) {
    const size = at + 1 < length ? (octets[at + 1] ?? 0) : 0;
    if (size < 2 || at + size > length) return { kind: 'badAttribute', offset: at, length: size };
    switch (octets[at]) {
      case ATTRIBUTE.messageAuthenticator:
        messageAuthenticator = messageAuthenticator === 0 && size === 2 + AUTHENTICATOR_OCTETS ? at + 2 : -1;
        break;
      case ATTRIBUTE.eapMessage:
        eap = true;
        break;
      case ATTRIBUTE.proxyState:
        proxyStateOctets += size;
        break;
      case ATTRIBUTE.nasIdentifier:
        if (nasIdentifier === 0 && size > 2) nasIdentifier = at;
        break;
      default:
    }
    at += size;
  }
  return {
    code: octets[AT.code] ?? 0,
    identifier: octets[AT.identifier] ?? 0,
    octets,
    messageAuthenticator,
    eap,
    proxyStateOctets,
    nasIdentifier,
  };
}

/** NAS-Identifier as text, or null where the packet has none. */
export function nasIdentifierOf(packet: Packet): string | null {
  const at = packet.nasIdentifier;
  return at === 0 ? null : packet.octets.toString('utf8', at + 2, at + (packet.octets[at + 1] ?? 0));
}
