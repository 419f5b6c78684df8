/**
 * Accounting-Request [RFC 2866]: what a NAS tells about its sessions, as a record for the store. It is answered only when it is
 * stored (RAD-61).
 */
import { type Instant, instant, type Seconds, seconds } from '../base/units.js';
import { canonicalAddress, stationAddress } from './address.js';
import { ATTRIBUTE } from './attributes.js';
import type { Authentic } from './authenticator.js';
import type { KnownClient } from './clients.js';
import { AT, nasIdentifierOf, type Packet } from './packet.js';

/** What happened [RFC 2866 §5.1]. `on` and `off` end every session of that NAS; the rest is `other` (RAD-62). */
export type AccountingStatus = 'start' | 'stop' | 'interim' | 'on' | 'off' | 'other';

/** One line of accounting. Null where the NAS did not say. */
export interface AccountingRecord {
  readonly clientId: string;
  readonly client: string;
  readonly resourceId: string;
  /** The address that it came from. */
  readonly peer: string;
  readonly receivedAt: Instant;
  /** When it happened: receivedAt less Acct-Delay-Time. */
  readonly occurredAt: Instant;
  readonly status: AccountingStatus;
  /** Acct-Status-Type as it was sent. */
  readonly statusType: number;
  /** Empty only for `on` and `off`, which name no session. */
  readonly sessionId: string;
  /**
   * Equal for the same line sent again with another Acct-Delay-Time, which is one record [RFC 2866 §5.2]: client, status,
   * session; an interim update also has its session time, since one session has many.
   */
  readonly duplicateKey: string;
  readonly multiSessionId: string | null;
  readonly login: string | null;
  readonly nasIdentifier: string | null;
  /** NAS-IP-Address or NAS-IPv6-Address, as the NAS says; `peer` is where it came from. */
  readonly nasAddress: string | null;
  readonly nasPort: number | null;
  readonly framedAddress: string | null;
  readonly station: string | null;
  /** The address in `station`, where it is one. */
  readonly source: string | null;
  readonly calledStation: string | null;
  readonly sessionTime: Seconds | null;
  /** Octets from and to the user, gigawords included. */
  readonly inputOctets: number | null;
  readonly outputOctets: number | null;
  /** Acct-Terminate-Cause as it was sent [RFC 2866 §5.10]. */
  readonly terminateCause: number | null;
}

const STATUS = new Map<number, AccountingStatus>([
  [1, 'start'],
  [2, 'stop'],
  [3, 'interim'],
  [7, 'on'],
  [8, 'off'],
]);
const GIGAWORD = 2 ** 32;

/** Where it came from, beside its octets. */
export interface AccountingArrival {
  readonly client: KnownClient;
  readonly peer: string;
  readonly receivedAt: Instant;
}

/** The record in an authentic Accounting-Request, or what is wrong with it. */
export function readAccounting(
  packet: Authentic<Packet>,
  { client, peer, receivedAt }: AccountingArrival,
): AccountingRecord | { readonly malformed: string } {
  const values = new AccountingValues(packet.octets);
  if (values.badLength !== 0) return { malformed: `length of attribute ${values.badLength}` };
  const statusType = values.integer(ATTRIBUTE.acctStatusType);
  if (statusType === null) return { malformed: 'no Acct-Status-Type' };
  const status = STATUS.get(statusType) ?? 'other';
  const sessionId = values.text(ATTRIBUTE.acctSessionId);
  if (sessionId === null && status !== 'on' && status !== 'off') return { malformed: 'no Acct-Session-Id' };
  const sessionTime = values.integer(ATTRIBUTE.acctSessionTime);
  const station = values.text(ATTRIBUTE.callingStationId);
  const { record } = client;
  // On and Off name no session: two of them are told apart by when they happened, to the second.
  const occurredAt = instant(receivedAt - (values.integer(ATTRIBUTE.acctDelayTime) ?? 0) * 1000);
  const which =
    status === 'interim' ? (sessionTime ?? occurredAt) : sessionId === null ? Math.floor(occurredAt / 1000) : '';
  return {
    clientId: record.id,
    client: record.name,
    resourceId: record.resourceId,
    peer,
    receivedAt,
    occurredAt,
    status,
    statusType,
    sessionId: sessionId ?? '',
    duplicateKey: `${record.id}/${statusType}/${which}/${sessionId ?? ''}`,
    multiSessionId: values.text(ATTRIBUTE.acctMultiSessionId),
    login: values.text(ATTRIBUTE.userName),
    nasIdentifier: nasIdentifierOf(packet),
    nasAddress: values.address(ATTRIBUTE.nasIpAddress) ?? values.address(ATTRIBUTE.nasIpv6Address),
    nasPort: values.integer(ATTRIBUTE.nasPort),
    framedAddress: values.address(ATTRIBUTE.framedIpAddress),
    station,
    source: station === null ? null : stationAddress(station),
    calledStation: values.text(ATTRIBUTE.calledStationId),
    sessionTime: sessionTime === null ? null : seconds(sessionTime),
    inputOctets: values.octetCount(ATTRIBUTE.acctInputOctets, ATTRIBUTE.acctInputGigawords),
    outputOctets: values.octetCount(ATTRIBUTE.acctOutputOctets, ATTRIBUTE.acctOutputGigawords),
    terminateCause: values.integer(ATTRIBUTE.acctTerminateCause),
  };
}

/** Types with a fixed length, and that length. */
const LENGTHS = new Map<number, number>([
  [ATTRIBUTE.nasIpAddress, 4],
  [ATTRIBUTE.nasPort, 4],
  [ATTRIBUTE.framedIpAddress, 4],
  [ATTRIBUTE.acctStatusType, 4],
  [ATTRIBUTE.acctDelayTime, 4],
  [ATTRIBUTE.acctInputOctets, 4],
  [ATTRIBUTE.acctOutputOctets, 4],
  [ATTRIBUTE.acctSessionTime, 4],
  [ATTRIBUTE.acctTerminateCause, 4],
  [ATTRIBUTE.acctInputGigawords, 4],
  [ATTRIBUTE.acctOutputGigawords, 4],
  [ATTRIBUTE.nasIpv6Address, 16],
]);

/** The first attribute of each type. */
class AccountingValues {
  readonly badLength: number;
  readonly #values = new Map<number, Buffer>();

  constructor(octets: Buffer) {
    let badLength = 0;
    for (let at: number = AT.attributes; at < octets.length; ) {
      const type = octets[at] ?? 0;
      const end = at + (octets[at + 1] ?? 0);
      const length = LENGTHS.get(type);
      if (length !== undefined && end - at - 2 !== length) badLength ||= type;
      if (!this.#values.has(type) && end - at > 2) this.#values.set(type, octets.subarray(at + 2, end));
      at = end;
    }
    this.badLength = badLength;
  }

  text(type: number): string | null {
    return this.#values.get(type)?.toString('utf8') ?? null;
  }

  integer(type: number): number | null {
    return this.#values.get(type)?.readUInt32BE(0) ?? null;
  }

  address(type: number): string | null {
    const value = this.#values.get(type);
    if (value === undefined) return null;
    if (value.length === 4) return value.join('.');
    return canonicalAddress(value.toString('hex').replace(/(.{4})(?=.)/g, '$1:'));
  }

  /** The counter of 32 bits, and the one that counts its overflows [RFC 2869 §5.1]. */
  octetCount(low: number, high: number): number | null {
    const octets = this.integer(low);
    return octets === null ? null : (this.integer(high) ?? 0) * GIGAWORD + octets;
  }
}
