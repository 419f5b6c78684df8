/** The entry that a decision leaves in the ledger: its event, what it consumes, and which counters move. */
import type { Instant } from '../base/units.js';
import type { Evaluation } from './evaluate.js';
import type { DecisionEvent } from './event.js';
import type { Facts } from './facts.js';
import { type Grace, graceMark } from './grace.js';
import { type LockoutInput, lockoutChanges } from './lockout.js';
import { shortenedLogin } from './names.js';
import type { Committed, Consumption, FeedPosition, LedgerEntry, LockoutChange } from './ports.js';
import type { Reading } from './reading.js';
import type { AccessRequest, Decision } from './request.js';
import { encodeTrace } from './trace.js';

/** How a name that named nobody goes into the event: it may be a password typed in the wrong field. */
export type UnknownLogins = 'shortened' | 'full';

export interface EntryInput {
  readonly id: string;
  readonly request: AccessRequest;
  readonly facts: Facts;
  readonly evaluation: Evaluation;
  readonly reading: Reading;
  /** What the same request may be accepted again by; null where the resource has no grace for the door. */
  readonly grace: Grace | null;
  readonly position: FeedPosition;
  readonly durationMicros: number;
  readonly unknownLogins: UnknownLogins;
  /** A keyed hash of a wrong code or password, so that the same one sent again counts once and none is stored. */
  readonly hashWrong: (text: string) => string;
}

const NOT_PRINTABLE = 'password is not printable: is the shared secret right?';
const NO_CHANGES: readonly LockoutChange[] = [];

/** Builds the entry; pure but for `hashWrong`. */
export function ledgerEntry(input: EntryInput): LedgerEntry {
  const { facts, evaluation, request } = input;
  const accepted = evaluation.reason === null;
  const event: DecisionEvent = {
    id: input.id,
    time: facts.now,
    outcome: accepted ? 'accepted' : evaluation.reason === 'upstream_unavailable' ? 'unavailable' : 'refused',
    reason: evaluation.reason,
    login: facts.user !== null || input.unknownLogins === 'full' ? request.login : shortenedLogin(request.login),
    userId: facts.user?.id ?? null,
    resource: facts.resource?.name ?? null,
    client: request.client,
    door: request.door,
    method: request.method,
    source: request.source ?? request.peer,
    durationMicros: input.durationMicros,
    trace: encodeTrace(evaluation.verdicts),
    detail: detailOf(input),
  };
  return {
    event,
    user: facts.user,
    resource: facts.resource,
    position: input.position,
    consumption: accepted ? consumptionOf(input) : null,
    lockouts: changesOf(input),
  };
}

/** What the door learns of a decision that is on disk. Throws where no rule failed though user or resource are missing: a bug. */
export function decisionOf({ reason }: Evaluation, { user, resource }: Facts, proof: Committed): Decision {
  if (reason === 'upstream_unavailable') return { outcome: 'unavailable', cause: 'upstream', eventId: proof.eventId };
  if (reason !== null) return { outcome: 'refused', reason, eventId: proof.eventId };
  if (user === null || resource === null) throw new Error('accepted without a user or a resource');
  return { outcome: 'accepted', proof, userId: user.id, login: user.login, resource };
}

function changesOf({ facts, evaluation, reading, request, hashWrong }: EntryInput): readonly LockoutChange[] {
  if (facts.user === null || facts.resource === null) return NO_CHANGES;
  const input = lockoutInput(evaluation, reading, request, hashWrong);
  if (input === null) return NO_CHANGES;
  return lockoutChanges(facts.user.lockouts, request.source ?? request.peer, facts.resource.lockout, facts.now, input);
}

function consumptionOf({ facts, reading, request, grace }: EntryInput): Consumption | null {
  if (reading.otp !== 'fresh') return null;
  const mark = grace === null ? null : graceMark(grace, facts.now);
  return { token: reading.token, at: reading.at, datagram: request.datagram, grace: mark };
}

/** What counters have to learn; null for all that counts nowhere. */
function lockoutInput(
  { reason }: Evaluation,
  { split }: Reading,
  { credential }: AccessRequest,
  hashWrong: (text: string) => string,
): LockoutInput | null {
  if (reason === null) return { kind: 'accepted' };
  if (credential.kind === 'undecodable') return null;
  if (reason === 'wrong_password') return { kind: 'wrongPassword', hash: hashWrong(split.password) };
  if (reason === 'wrong_otp') return { kind: 'wrongOtp', hash: hashWrong(split.code ?? credential.text) };
  return null;
}

type Detail = Record<string, string | number | boolean>;

function detailOf({ facts, evaluation, reading, request }: EntryInput): Detail | null {
  const detail: Detail = {};
  if (request.credential.kind === 'undecodable') detail['note'] = NOT_PRINTABLE;
  if (request.station !== null && request.station !== request.source) detail['station'] = request.station;
  if (facts.user !== null && facts.user.login !== request.login) detail['user'] = facts.user.login;
  if (evaluation.reason === null && reading.otp === 'repeat') detail['repeat'] = reading.repeat;
  if (evaluation.reason === 'locked') detail['lockedUntil'] = isoTime(facts.lockedUntil);
  if (evaluation.reason === 'upstream_unavailable' && facts.resource !== null) {
    detail['upstream'] = facts.resource.firstFactor;
  }
  return Object.keys(detail).length === 0 ? null : detail;
}

const isoTime = (time: Instant): string => new Date(time).toISOString();
