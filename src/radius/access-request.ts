/**
 * An authentic Access-Request as a question to the rules, or the reason why it is refused without asking them: attributes whose
 * length their type forbids (RAD-7), no name, no credential or two, a method that this door does not speak (RAD-15).
 */
import type { AccessRequest, Credential } from '../access/request.js';
import type { Instant } from '../base/units.js';
import { type AddressWords, isIpv4, stationAddress } from './address.js';
import { ATTRIBUTE, isIpv6Prefix, MICROSOFT, VENDOR, vendorAttributesOf, vendorOf } from './attributes.js';
import type { Authentic } from './authenticator.js';
import type { KnownClient } from './clients.js';
import type { DoorEvent } from './door-event.js';
import type { Carried, CarriedMethod } from './methods/method.js';
import { papCredential } from './methods/pap.js';
import { AT, AUTHENTICATOR_OCTETS, type Packet } from './packet.js';

/** What is known of a request that the door itself refuses. */
export interface Refusal {
  readonly kind: 'refuse';
  readonly reason: DoorEvent['reason'];
  readonly detail: string;
  readonly login: string | null;
  readonly method: CarriedMethod | null;
  readonly source: string | null;
  readonly station: string | null;
}

/** Where a request came from, beside its octets. */
export interface Arrival {
  readonly client: KnownClient;
  readonly source: { readonly address: string; readonly words: AddressWords };
  readonly remote: { readonly port: number };
  readonly receivedAt: Instant;
}

/** Values that ask for something other than a sign-in [RFC 2865 §5.6, RFC 5176 §3.2]. */
const CALL_CHECK = 10;
const AUTHORIZE_ONLY = 17;
const INTEGER_OCTETS = 4;

/** Reads the request. Nothing is decided here: who may enter is for the rules. */
export function readAccessRequest(
  packet: Authentic<Packet>,
  arrival: Arrival,
): { readonly kind: 'ask'; readonly request: AccessRequest } | Refusal {
  const { octets } = packet;
  const { record, key } = arrival.client;
  const found = walk(octets);
  const { login, station, carried } = found;
  const source = station === null ? null : stationAddress(station);
  if (found.badLength !== 0) return refuse(found, source, 'malformed', `length of attribute ${found.badLength}`);
  if (login === null) return refuse(found, source, 'malformed', 'no User-Name');
  if (found.serviceType === CALL_CHECK || found.serviceType === AUTHORIZE_ONLY) {
    return refuse(found, source, 'malformed', `Service-Type ${found.serviceType}`);
  }
  // Nothing that this door sends brings a State back, so whatever comes is unknown (RAD-18).
  if (found.state) return refuse(found, source, 'wrong_otp', 'state_invalid');
  let credential: Credential | null;
  switch (carried.kind) {
    case 'none':
      return refuse(found, source, 'malformed', 'no credential');
    case 'several':
      return refuse(found, source, 'malformed', 'more than one credential');
    case 'pap':
      credential = papCredential(octets, carried.start, carried.end, key);
      break;
    default:
      return refuse(found, source, 'method_not_allowed', carried.kind);
  }
  if (credential === null) return refuse(found, source, 'malformed', `length of attribute ${ATTRIBUTE.userPassword}`);
  return {
    kind: 'ask',
    request: {
      door: 'radius',
      method: 'pap',
      client: record.name,
      domains: record.domains,
      resourceId: record.resourceId,
      login,
      credential,
      source,
      station,
      peer: arrival.source.address,
      datagram: datagramKey(octets, arrival.source.words, arrival.remote.port),
      receivedAt: arrival.receivedAt,
    },
  };
}

function refuse(
  { login, station, carried }: Found,
  source: string | null,
  reason: DoorEvent['reason'],
  detail: string,
): Refusal {
  const method = carried.kind === 'none' || carried.kind === 'several' ? null : carried.kind;
  return { kind: 'refuse', reason, detail, login, method, source, station };
}

interface Found {
  login: string | null;
  station: string | null;
  carried: Carried;
  serviceType: number;
  state: boolean;
  /** The type of the first attribute whose length its type forbids; 0: none. */
  badLength: number;
}

const NONE: Carried = { kind: 'none' };
const SEVERAL: Carried = { kind: 'several' };
const CHAP: Carried = { kind: 'chap' };
const EAP: Carried = { kind: 'eap' };

/** One walk over all attributes. */
function walk(octets: Buffer): Found {
  const found: Found = { login: null, station: null, carried: NONE, serviceType: 0, state: false, badLength: 0 };
  for (let at: number = AT.attributes; at < octets.length; ) {
    const start = at + 2;
    const end = at + (octets[at + 1] ?? 0);
    const type = octets[at] ?? 0;
    at = end;
    switch (type) {
      case ATTRIBUTE.userName:
        // An empty text is ignored (RAD-8); invalid UTF-8 becomes U+FFFD, which is in no login (RAD-13).
        if (end > start) found.login ??= octets.toString('utf8', start, end);
        break;
      case ATTRIBUTE.callingStationId:
        if (end > start) found.station ??= octets.toString('utf8', start, end);
        break;
      case ATTRIBUTE.userPassword:
        if (end > start) found.carried = carry(found.carried, { kind: 'pap', start, end });
        break;
      case ATTRIBUTE.chapPassword:
        found.carried = carry(found.carried, CHAP);
        if (end - start !== 17) found.badLength ||= type;
        break;
      case ATTRIBUTE.eapMessage:
        // Long EAP packets come in several of these, and are one credential [RFC 3579 §3.1].
        if (found.carried.kind !== 'eap') found.carried = carry(found.carried, EAP);
        break;
      case ATTRIBUTE.state:
        if (end > start) found.state = true;
        break;
      case ATTRIBUTE.vendorSpecific:
        found.carried = carryMicrosoft(found.carried, octets, start, end);
        break;
      default:
        if (!fits(type, octets, start, end)) found.badLength ||= type;
        else if (type === ATTRIBUTE.serviceType) found.serviceType = octets.readUInt32BE(start);
    }
  }
  return found;
}

/** Whether an attribute of a fixed-length type has that length; others may have any. */
function fits(type: number, octets: Buffer, start: number, end: number): boolean {
  switch (type) {
    case ATTRIBUTE.nasIpAddress:
    case ATTRIBUTE.nasPort:
    case ATTRIBUTE.serviceType:
    case ATTRIBUTE.framedIpAddress:
    case ATTRIBUTE.nasPortType:
    case ATTRIBUTE.eventTimestamp:
      return end - start === INTEGER_OCTETS;
    case ATTRIBUTE.nasIpv6Address:
      return end - start === 16;
    case ATTRIBUTE.framedIpv6Prefix:
      return isIpv6Prefix(octets, start, end);
    default:
      return true;
  }
}

const carry = (before: Carried, now: Carried): Carried => (before.kind === 'none' ? now : SEVERAL);

function carryMicrosoft(before: Carried, octets: Buffer, start: number, end: number): Carried {
  if (vendorOf(octets, start, end) !== VENDOR.microsoft) return before;
  let carried = before;
  for (const { type } of vendorAttributesOf(octets, start, end) ?? []) {
    if (type === MICROSOFT.chap2Response) carried = carry(carried, { kind: 'mschapv2' });
    else if (type === MICROSOFT.chapResponse) carried = carry(carried, { kind: 'mschapv1' });
  }
  return carried;
}

/** Longest: Identifier, port, authenticator, and an IPv6 address. */
const scratch = Buffer.alloc(1 + 2 + AUTHENTICATOR_OCTETS + 16);

/**
 * What names this very datagram: Identifier, authenticator, source port and address. A packing and no hash: nothing that a NAS
 * could choose makes two of them equal.
 */
function datagramKey(octets: Buffer, address: AddressWords, port: number): string {
  let at = 0;
  while (at < AUTHENTICATOR_OCTETS) scratch[at] = octets[AT.authenticator + at++] ?? 0;
  scratch[at++] = octets[AT.identifier] ?? 0;
  scratch[at++] = port >>> 8;
  scratch[at++] = port;
  // Of an IPv4 address only its own word: the length tells it from one of IPv6.
  for (let word = isIpv4(address) ? 3 : 0; word < 4; word++) {
    const value = address[word] ?? 0;
    scratch[at++] = value >>> 24;
    scratch[at++] = value >>> 16;
    scratch[at++] = value >>> 8;
    scratch[at++] = value;
  }
  return scratch.toString('base64url', 0, at);
}
