/**
 * What happens at the door before, or instead of, a decision. The rules write their own events; these are the ones that only
 * this door can tell. Each kind, client, address and name at most once a minute (RAD-41), and only so many in all: whoever can
 * make events can fill the log.
 */
import type { Instant } from '../base/units.js';
import type { RadiusClient } from './clients.js';
import { LIMITS } from './limits.js';
import type { CarriedMethod } from './methods/method.js';

/** An event of the door; `reason` is the one of product.md or of protocol.md §7. */
export interface DoorEvent {
  readonly reason: 'unknown_client' | 'bad_authenticator' | 'malformed' | 'method_not_allowed' | 'wrong_otp';
  /** More exactly, for the event log: which rule of the wire was broken. */
  readonly detail: string | null;
  readonly receivedAt: Instant;
  /** The address that the packet came from. */
  readonly peer: string;
  /** Null where the client is not known. */
  readonly clientId: string | null;
  readonly client: string | null;
  readonly resourceId: string | null;
  /** As it was sent; null where the packet could not be trusted or names nobody. */
  readonly login: string | null;
  /** Null where that was not told. */
  readonly method: CarriedMethod | null;
  readonly source: string | null;
  readonly station: string | null;
  /** How many like it were left out since the last one. */
  readonly suppressed: number;
}

const FULL_MILLIS = 1000;

/** Lets an event through once in a while. `now` is passed in. */
export class EventThrottle {
  readonly #last = new Map<string, { at: Instant; suppressed: number }>();
  #fullSince = Number.NEGATIVE_INFINITY;

  /** Null: not now. Else how many like it were held back since the last that passed. */
  pass(key: string, now: Instant): number | null {
    const last = this.#last.get(key);
    if (last !== undefined && now - last.at < LIMITS.eventMillis && now >= last.at) {
      last.suppressed++;
      return null;
    }
    if (last === undefined && this.#last.size >= LIMITS.eventKeys) {
      // Looked through once a second at most: this is reached when packets flood in.
      if (Math.abs(now - this.#fullSince) < FULL_MILLIS) return null;
      this.#fullSince = now;
      this.#dropOld(now);
      if (this.#last.size >= LIMITS.eventKeys) return null;
    }
    this.#last.set(key, { at: now, suppressed: 0 });
    return last?.suppressed ?? 0;
  }

  #dropOld(now: Instant): void {
    for (const [key, { at }] of this.#last) {
      if (now - at >= LIMITS.eventMillis || at > now) this.#last.delete(key);
    }
  }
}

/** What a refusal at the door knows of the user. */
export type RefusedUser = Pick<DoorEvent, 'reason' | 'detail' | 'login' | 'method' | 'source' | 'station'>;

const NOBODY = { login: null, method: null, source: null, station: null } as const;

/** Makes the events and hands them on, through the throttle. */
export class DoorEvents {
  readonly #throttle = new EventThrottle();
  readonly #sink: (event: DoorEvent) => void;

  constructor(sink: (event: DoorEvent) => void) {
    this.#sink = sink;
  }

  /** A packet from an address that no client has. */
  unknownClient(peer: string, receivedAt: Instant): void {
    const told = { reason: 'unknown_client', detail: null, ...NOBODY } as const;
    this.#pass(`unknown_client ${peer}`, told, null, peer, receivedAt);
  }

  /** A packet of a client that names nobody, or that cannot be believed. */
  ofClient(
    reason: 'bad_authenticator' | 'malformed',
    detail: string | null,
    client: RadiusClient,
    peer: string,
    receivedAt: Instant,
  ): void {
    this.#pass(`${reason} ${client.id}`, { reason, detail, ...NOBODY }, client, peer, receivedAt);
  }

  /** A sign-in that the door itself refused. */
  ofUser(refused: RefusedUser, client: RadiusClient, peer: string, receivedAt: Instant): void {
    this.#pass(`${refused.reason} ${client.id} ${refused.login ?? ''}`, refused, client, peer, receivedAt);
  }

  #pass(key: string, told: RefusedUser, client: RadiusClient | null, peer: string, receivedAt: Instant): void {
    const suppressed = this.#throttle.pass(key, receivedAt);
    if (suppressed === null) return;
    this.#sink({
      reason: told.reason,
      detail: told.detail,
      receivedAt,
      peer,
      clientId: client?.id ?? null,
      client: client?.name ?? null,
      resourceId: client?.resourceId ?? null,
      login: told.login,
      method: told.method,
      source: told.source,
      station: told.station,
      suppressed,
    });
  }
}
