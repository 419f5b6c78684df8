/**
 * Status-Server [RFC 5997]: is anyone there? Answered only while the store can be written, so that a NAS that asks goes to the
 * next server when this one could not answer a sign-in either (RAD-67). No user, no event, no delay.
 */
import { type Authentic, checkStatusServer, type NotAuthentic, type SecretKey } from './authenticator.js';
import type { Packet } from './packet.js';
import { buildStatusReply } from './response.js';

/** The reply's octets, or why there is none. */
export function answerStatusServer(
  packet: Packet,
  key: SecretKey,
  port: 'auth' | 'acct',
  storeReady: boolean,
): Buffer | NotAuthentic | 'store_unavailable' {
  const checked: Authentic<Packet> | NotAuthentic = checkStatusServer(packet, key);
  if (typeof checked === 'string') return checked;
  if (!storeReady) return 'store_unavailable';
  // Twenty octets of header and eighteen of signature always fit.
  return buildStatusReply(checked, key, port) ?? 'store_unavailable';
}
