/** The line that a decision leaves in the event log. */
import type { Instant } from '../base/units.js';
import type { Door, Method } from './request.js';
import type { Reason } from './rules.js';

/** One authentication. The ledger adds `writer` and `seq` when it writes the batch. */
export interface DecisionEvent {
  readonly id: string;
  readonly time: Instant;
  readonly outcome: 'accepted' | 'refused' | 'unavailable';
  readonly reason: Reason | null;
  /** The name as it was sent; shortened where it named nobody (it may be a password typed in the wrong field). */
  readonly login: string;
  readonly userId: string | null;
  readonly resource: string | null;
  readonly client: string;
  readonly door: Door;
  readonly method: Method;
  /** Where the user came from, or the peer where that is not known. */
  readonly source: string;
  /** Microseconds from the request's arrival to the moment that the batch took it. */
  readonly durationMicros: number;
  /** One character a rule: see trace.ts. */
  readonly trace: string;
  /** Inputs that explain a verdict, by name; never a secret. Null where there are none. */
  readonly detail: Readonly<Record<string, string | number | boolean>> | null;
}
