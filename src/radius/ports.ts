/** What the RADIUS server needs from the process that runs it, and what it tells that process. */
import type { Authenticate } from '../access/request.js';
import type { Clock, Millis } from '../base/units.js';
import type { AccountingRecord } from './accounting.js';
import type { NotAuthentic } from './authenticator.js';
import type { RadiusClients } from './clients.js';
import type { Uptime } from './delayed-replies.js';
import type { DoorEvent } from './door-event.js';

/** Why a packet was dropped without an answer: the label of `radius_dropped`. */
export type DropCause =
  | 'unknown_client'
  | 'malformed'
  | NotAuthentic
  | 'unexpected_code'
  | 'overload'
  | 'store_unavailable'
  | 'upstream_unavailable';

/** What the server counts. */
export interface RadiusMetrics {
  dropped(cause: DropCause): void;
  duplicate(kind: 'resent' | 'dropped'): void;
  /** `code` is the reply's [RFC 2865 §3]: 2, 3 or 5. */
  answered(code: number): void;
  internalError(): void;
}

/** Where the server writes what is no event. */
export interface RadiusLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What the server needs from the process. */
export interface RadiusServerDeps {
  /** `address:port` each, as in sallyport.yaml; port 0 takes any free one. */
  readonly listen: readonly string[];
  readonly accounting: readonly string[];
  readonly authenticate: Authenticate;
  /** Asked for each packet, so that a reload is seen at once. */
  readonly clients: () => RadiusClients;
  readonly rejectDelay: Millis;
  readonly clock: Clock;
  readonly uptime: Uptime;
  recordAccounting(record: AccountingRecord): Promise<'stored' | 'unavailable'>;
  /** Whether a decision could be written now; Status-Server is answered only then. */
  storeReady(): boolean;
  onDoorEvent(event: DoorEvent): void;
  /** A client under `auto` sent its first Message-Authenticator: keep that, for every node (RAD-42). May come more than once. */
  messageAuthenticatorSeen(clientId: string): void;
  readonly metrics: RadiusMetrics;
  readonly log: RadiusLog;
  /** Requests whose decision may be under way at once. */
  readonly inFlight?: number;
}
