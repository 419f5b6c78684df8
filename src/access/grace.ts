/**
 * The two graces, off unless a resource asks for one. Over LDAP an application binds again with the code that it was given
 * (LDAP-26), over RADIUS a NAS signs in again by itself (RAD-53): for so long after the acceptance the very same credential of the
 * same user, from the same client and place, is accepted again and consumes nothing. All rules still hold; only "used before" gives way.
 */
import type { Instant, Millis } from '../base/units.js';
import type { ResourceFacts, UserFacts } from './ports.js';
import type { AccessRequest } from './request.js';

/** What a request may be accepted again by: how long the resource allows it, and a keyed hash of who asks with what. */
export interface Grace {
  readonly span: Millis;
  readonly hash: string;
}

/**
 * The grace for `request`, or null where none is asked for; then nothing is hashed. The hash is over the whole credential, password
 * and all. A NAS that names no station (Calling-Station-Id) is one place.
 */
export function graceOf(
  { door, client, peer, station, credential }: AccessRequest,
  user: UserFacts | null,
  resource: ResourceFacts | null,
  hashGrace: (text: string) => string,
): Grace | null {
  if (door === 'http' || user === null || resource === null) return null;
  const span = door === 'ldap' ? resource.rebindGrace : resource.reconnectGrace;
  if (span <= 0 || credential.kind !== 'text') return null;
  const place = door === 'ldap' ? peer : station;
  // As JSON, so that no two requests have one text.
  return { span, hash: hashGrace(JSON.stringify([door, client, user.id, place, credential.text])) };
}

/** What an acceptance at `now` leaves with the code that it consumes. */
export const graceMark = ({ hash }: Grace, now: Instant): string => `${hash}:${now}`;

/** Whether `mark` was left by the same credential, not longer ago than the grace. The clock of another node may be a little ahead. */
export function isWithinGrace(mark: string | null, grace: Grace | null, now: Instant): boolean {
  if (mark === null || grace === null) return false;
  const [hash, acceptedAt] = mark.split(':');
  return hash === grace.hash && Math.abs(now - Number(acceptedAt)) < grace.span;
}
