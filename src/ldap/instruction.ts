/** What a connection (connection.ts) wants done, and what it is told of it. */
import type { Instant, Millis } from '../base/units.js';
import type { FramingError } from './framing.js';
import type { ResultCode } from './result-code.js';

/** Why a connection ended; the `cause` of its metric. */
export type CloseCause =
  | FramingError
  | 'starttls_injection'
  | 'tls_failed'
  | 'timeout'
  | 'unbind'
  | 'peer'
  | 'shutdown'
  | 'connections';

/** What became of a bind with a name and a password. */
export type Verdict =
  /** `dn` is how we write the name that is bound now. */
  | { readonly kind: 'accepted'; readonly dn: string }
  | { readonly kind: 'refused' }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'busy' }
  | { readonly kind: 'failed' };

/** Something that no decision stands behind, for the event log. */
export interface Report {
  readonly reason: 'malformed' | 'method_not_allowed';
  readonly detail: 'unauthenticated_bind' | 'protocol_version' | 'sasl' | 'cleartext_password';
  /** The DN as it was sent; empty where none was. */
  readonly name: string;
}

export type Instruction =
  | { readonly do: 'send'; readonly octets: Buffer }
  /** Ask whether `password` is right for `name`; the answer comes by `settle`. */
  | { readonly do: 'ask'; readonly name: string; readonly password: Buffer; readonly receivedAt: Instant }
  /** Call `wake` after so long. */
  | { readonly do: 'wait'; readonly span: Millis }
  /** Send `octets` in the clear, then do the handshake, then call `secured`. */
  | { readonly do: 'startTls'; readonly octets: Buffer }
  | { readonly do: 'pause' }
  | { readonly do: 'resume' }
  | { readonly do: 'report'; readonly report: Report }
  /** Tell the metrics: somebody bound as nobody, or tried to. */
  | { readonly do: 'anonymous' }
  /** Tell the metrics: a result code other than success. */
  | { readonly do: 'count'; readonly code: ResultCode }
  /** Nothing is sent or read any more. */
  | { readonly do: 'close'; readonly cause: CloseCause };
