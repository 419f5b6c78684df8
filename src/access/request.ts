/** What a front door asks, and what it learns. A door turns bytes into the first and the second into bytes; it knows no rule. */
import type { Instant } from '../base/units.js';
import type { Committed, ResourceFacts } from './ports.js';
import type { Reason } from './rules.js';

export type Door = 'radius' | 'ldap' | 'http';
/** How the credential travelled. CHAP, MS-CHAP and EAP take their place here when their doors can speak them. */
export type Method = 'pap' | 'bind' | 'api';

export type Credential =
  /** One field as it was typed: an OTP, a password with an OTP, SCRV1:… */
  | { readonly kind: 'text'; readonly text: string }
  /** Not UTF-8 or not printable: over RADIUS most likely a wrong shared secret. Refused; nobody's counter moves. */
  | { readonly kind: 'undecodable' };

export interface AccessRequest {
  readonly door: Door;
  readonly method: Method;
  /** The name of the RADIUS client, LDAP application or API key, for the event. */
  readonly client: string;
  /** Domains that the client lists: `CORP\alice`, `alice@corp.example` then mean alice. */
  readonly domains: readonly string[];
  /** The id of the resource that the client guards. */
  readonly resourceId: string;
  /** As it was sent, never empty; invalid UTF-8 has become U+FFFD and names nobody. */
  readonly login: string;
  readonly credential: Credential;
  /** Where the user comes from: a canonical IP address, or null where the door was not told. */
  readonly source: string | null;
  /** Any text that the NAS gave for it (a MAC address, a telephone number), for the event. */
  readonly station: string | null;
  /** The address that the request came from: the NAS, the application's host, the HTTP peer. */
  readonly peer: string;
  /** base64url of a hash of the very datagram (source, identifier, authenticator); null over TCP. */
  readonly datagram: string | null;
  readonly receivedAt: Instant;
}

/** `reason` is for metrics and the event log; no door lets it out. */
export type Decision =
  | {
      readonly outcome: 'accepted';
      readonly proof: Committed;
      readonly userId: string;
      /** The user's own login, whatever name was sent. */
      readonly login: string;
      readonly resource: ResourceFacts;
    }
  | { readonly outcome: 'refused'; readonly reason: Reason; readonly eventId: string }
  /** Nothing may be said about the user: no answer over RADIUS, 52 or 51 over LDAP, 503 over HTTP. */
  | {
      readonly outcome: 'unavailable';
      readonly cause: 'store' | 'overload' | 'upstream';
      readonly eventId: string | null;
    };

/** The one decision behind every door. Never rejects. */
export type Authenticate = (request: AccessRequest) => Promise<Decision>;
