/**
 * What happens at the door before, or instead of, a decision. The rules write their own events; these are the ones that only
 * this door can tell. A peer may cause so many a minute: whoever can make events can fill the log.
 */
import type { Instant } from '../base/units.js';
import { LIMITS } from './limits.js';
import type { Peer } from './peers.js';

export interface DoorEvent {
  readonly reason: 'unknown_client' | 'malformed' | 'method_not_allowed' | 'unknown_user' | 'wrong_password';
  /**
   * `unauthenticated_bind`, `protocol_version`, `sasl`, `cleartext_password`, `invalid_dn`, `no_application`, `not_a_user_dn`,
   * `service_account`.
   */
  readonly detail: string;
  readonly receivedAt: Instant;
  /** The address that the connection came from, canonical. */
  readonly peer: string;
  /** Null where no application fits. */
  readonly clientId: string | null;
  readonly client: string | null;
  readonly resourceId: string | null;
  /** The DN as we write it; null where what came is none (it may be a password typed in the wrong field). */
  readonly login: string | null;
  readonly method: 'bind';
}

const MINUTE = 60_000;

/** True where `peer` may cause one more event; counts it. */
export function mayReport(peer: Peer, now: Instant): boolean {
  const minute = Math.floor(now / MINUTE);
  if (peer.minute !== minute) {
    peer.minute = minute;
    peer.events = 0;
  }
  peer.events += 1;
  return peer.events <= LIMITS.doorEventsPerMinute;
}
