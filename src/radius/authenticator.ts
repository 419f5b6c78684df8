/**
 * What proves that a packet comes from who knows the secret: Request and Response Authenticator [RFC 2865 §3, 2866 §3] and
 * Message-Authenticator [RFC 3579 §3.2]. Only this file makes an Authentic<Packet>, and replies are built for nothing else.
 * MACs are compared as octets, all sixteen, whatever the first is.
 */
import type { Secret } from '../base/secret.js';
import { beginHmac, finishHmac, type HmacMd5Key, hmacMd5Key, Md5 } from './md5.js';
import { AT, AUTHENTICATOR_OCTETS, type Packet } from './packet.js';

declare const authentic: unique symbol;
/** A packet whose authenticity was checked, as far as its kind can prove it and its client demands it. */
export type Authentic<P> = P & { readonly [authentic]: true };
const proven = (packet: Packet): Authentic<Packet> => packet as Authentic<Packet>;

/** A shared secret, prepared: its octets for MD5, its pads for HMAC. Printing it shows no octet. */
export class SecretKey {
  readonly #octets: Buffer;
  readonly #hmac: HmacMd5Key;

  constructor(secret: Secret) {
    this.#octets = secret.reveal();
    this.#hmac = hmacMd5Key(this.#octets);
  }

  /** The secret's octets, for MD5 work inside radius/. */
  get octets(): Buffer {
    return this.#octets;
  }

  get hmac(): HmacMd5Key {
    return this.#hmac;
  }
}

/** Why a packet is dropped. The names are those of the `radius_dropped` metric. */
export type NotAuthentic = 'bad_authenticator' | 'no_message_authenticator' | 'proxy_state';

/** What a client's settings ask of its Access-Requests. */
export interface Demands {
  readonly messageAuthenticator: boolean;
  /** Proxy-State without Message-Authenticator is dropped: the lever of CVE-2024-3596 (RAD-43). */
  readonly limitProxyState: boolean;
}

const ZEROS = new Uint8Array(AUTHENTICATOR_OCTETS);
const computed = new Uint8Array(AUTHENTICATOR_OCTETS);
const md5 = new Md5();

/**
 * Checks an Access-Request. Its Request Authenticator is random and proves nothing; without Message-Authenticator any host that
 * can fake the source address could have sent it, which is why clients can be told to demand one.
 */
export function checkAccessRequest(packet: Packet, key: SecretKey, demands: Demands): Authentic<Packet> | NotAuthentic {
  if (packet.messageAuthenticator !== 0) return signatureHolds(packet, key) ? proven(packet) : 'bad_authenticator';
  // RFC 3579 §3.1: whatever the client's setting, EAP is signed (RAD-32).
  if (packet.eap || demands.messageAuthenticator) return 'no_message_authenticator';
  return packet.proxyStateOctets > 0 && demands.limitProxyState ? 'proxy_state' : proven(packet);
}

/** Checks a Status-Server: always signed, its Request Authenticator random on both ports [RFC 5997 §3]. */
export function checkStatusServer(packet: Packet, key: SecretKey): Authentic<Packet> | NotAuthentic {
  if (packet.messageAuthenticator === 0) return 'no_message_authenticator';
  return signatureHolds(packet, key) ? proven(packet) : 'bad_authenticator';
}

/** Checks an Accounting-Request: its authenticator is an MD5 over it; a Message-Authenticator, if present, too (RAD-60, RAD-64). */
export function checkAccountingRequest(packet: Packet, key: SecretKey): Authentic<Packet> | NotAuthentic {
  const { octets } = packet;
  md5.start().update(octets, 0, AT.authenticator).update(ZEROS).update(octets, AT.attributes).update(key.octets);
  md5.finish(computed);
  if (!equalAt(octets, AT.authenticator, computed)) return 'bad_authenticator';
  if (packet.messageAuthenticator === 0) return proven(packet);
  return signatureHolds(packet, key, ZEROS) ? proven(packet) : 'bad_authenticator';
}

/** HMAC over the packet, its own value taken as zeros, `authenticator` (if given) in place of its authenticator. */
function signatureHolds(packet: Packet, key: SecretKey, authenticator?: Uint8Array): boolean {
  const { octets, messageAuthenticator: at } = packet;
  if (at < 0) return false;
  const hmac = beginHmac(key.hmac);
  if (authenticator === undefined) hmac.update(octets, 0, at);
  else hmac.update(octets, 0, AT.authenticator).update(authenticator).update(octets, AT.attributes, at);
  hmac.update(ZEROS).update(octets, at + AUTHENTICATOR_OCTETS);
  finishHmac(key.hmac, computed, 0);
  return equalAt(octets, at, computed);
}

/**
 * Finishes a reply: `octets` hold the request's authenticator and, where `messageAuthenticator` is not 0, sixteen zeros there.
 * First the signature over the request's authenticator, then the Response Authenticator over all [RFC 3579 §3.2, 2865 §3].
 */
export function signReply(octets: Buffer, messageAuthenticator: number, key: SecretKey): void {
  if (messageAuthenticator !== 0) {
    beginHmac(key.hmac).update(octets);
    finishHmac(key.hmac, octets, messageAuthenticator);
  }
  md5.start().update(octets).update(key.octets).finish(octets, AT.authenticator);
}

/** Whether the sixteen octets at `at` are `expected`; every octet is looked at. */
function equalAt(octets: Uint8Array, at: number, expected: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < AUTHENTICATOR_OCTETS; i++) difference |= (octets[at + i] ?? 0) ^ (expected[i] ?? 0);
  return difference === 0;
}
