/**
 * Replies: Message-Authenticator first (RAD-33), then what the reply says, then every Proxy-State of the request, unchanged and
 * in order (RAD-12). A reply that would be longer than a packet may be is not built: never truncated (RAD-24).
 */
import type { Committed } from '../access/ports.js';
import { ATTRIBUTE } from './attributes.js';
import { type Authentic, type SecretKey, signReply } from './authenticator.js';
import { LIMITS } from './limits.js';
import { AT, AUTHENTICATOR_OCTETS, CODE, type Packet } from './packet.js';

const NOTHING = Buffer.alloc(0);
const SIGNATURE_OCTETS = 2 + AUTHENTICATOR_OCTETS;

/** An Access-Accept with `attributes` (encoded), or null where it would be over 4096 octets. `_proof`: it is on disk. */
export function buildAccept(
  request: Authentic<Packet>,
  key: SecretKey,
  _proof: Committed,
  attributes: Buffer,
): Buffer | null {
  return build(CODE.accessAccept, request, key, true, attributes, true);
}

/** An Access-Reject with `message` (empty: none), or null where the request's Proxy-States leave no room for one. */
export function buildReject(request: Authentic<Packet>, key: SecretKey, message = NOTHING): Buffer | null {
  return build(CODE.accessReject, request, key, true, message, true);
}

/** An Accounting-Response: no Message-Authenticator, which no RFC defines for it (RAD-64). */
export function buildAccountingResponse(request: Authentic<Packet>, key: SecretKey): Buffer | null {
  return build(CODE.accountingResponse, request, key, false, NOTHING, true);
}

/** The answer to a Status-Server: Message-Authenticator and nothing else [RFC 5997 §3]. */
export function buildStatusReply(request: Authentic<Packet>, key: SecretKey, port: 'auth' | 'acct'): Buffer | null {
  return build(port === 'auth' ? CODE.accessAccept : CODE.accountingResponse, request, key, true, NOTHING, false);
}

function build(
  code: number,
  request: Authentic<Packet>,
  key: SecretKey,
  signed: boolean,
  attributes: Buffer,
  withProxyState: boolean,
): Buffer | null {
  const from = request.octets;
  const length =
    LIMITS.headerOctets +
    (signed ? SIGNATURE_OCTETS : 0) +
    attributes.length +
    (withProxyState ? request.proxyStateOctets : 0);
  if (length > LIMITS.packetOctets) return null;
  const reply = Buffer.allocUnsafe(length);
  reply[AT.code] = code;
  reply[AT.identifier] = request.identifier;
  reply[AT.length] = length >>> 8;
  reply[AT.length + 1] = length;
  let at: number = AT.authenticator;
  for (; at < AT.attributes; at++) reply[at] = from[at] ?? 0;
  if (signed) {
    reply[at++] = ATTRIBUTE.messageAuthenticator;
    reply[at++] = SIGNATURE_OCTETS;
    for (const end = at + AUTHENTICATOR_OCTETS; at < end; at++) reply[at] = 0;
  }
  if (attributes.length > 0) reply.set(attributes, at);
  at += attributes.length;
  if (withProxyState && request.proxyStateOctets > 0) copyProxyStates(from, reply, at);
  signReply(reply, signed ? AT.attributes + 2 : 0, key);
  return reply;
}

function copyProxyStates(from: Buffer, to: Buffer, at: number): void {
  let target = at;
  for (let source: number = AT.attributes; source < from.length; ) {
    const size = from[source + 1] ?? 0;
    if (from[source] === ATTRIBUTE.proxyState) {
      from.copy(to, target, source, source + size);
      target += size;
    }
    source += size;
  }
}

/** `text` as Reply-Message attributes of at most 253 octets each, split between characters, in order (RAD-21). */
export function replyMessages(text: string): Buffer {
  const octets = Buffer.from(text, 'utf8');
  const parts: Buffer[] = [];
  for (let at = 0; at < octets.length; ) {
    let end = Math.min(at + LIMITS.attributeOctets, octets.length);
    // 10xxxxxx continues a character [RFC 3629 §3]: step back to where one begins.
    while (end < octets.length && ((octets[end] ?? 0) & 0xc0) === 0x80) end--;
    parts.push(Buffer.from([ATTRIBUTE.replyMessage, 2 + end - at]), octets.subarray(at, end));
    at = end;
  }
  return Buffer.concat(parts);
}
