/**
 * An authentication as a row of the event log, in the one order that both ledgers' statements use. Arrays, not objects: a batch
 * is one JSON text, and its keys would be most of it.
 */
import type { LedgerEntry, LockoutChange } from '../access/ports.js';
import { userKey } from './user-key.js';

/** Columns of `events` in the order of `eventRow`; `kind` and `writer` are the statement's own. */
export const EVENT_COLUMNS = [
  'id',
  'seq',
  'time',
  'outcome',
  'reason',
  'login',
  'user_id',
  'user_key',
  'resource',
  'client',
  'door',
  'source',
  'method',
  'duration',
  'token_pk',
  'step',
  'datagram',
  'lockouts',
  'trace',
  'detail',
] as const;

/** The row for `entry`, numbered `seq`. */
export function eventRow(entry: LedgerEntry, seq: number): readonly (string | number | null)[] {
  const { event, consumption, user } = entry;
  return [
    event.id,
    seq,
    event.time,
    event.outcome,
    event.reason,
    event.login,
    event.userId,
    event.userId === null ? null : userKey(event.userId),
    event.resource,
    event.client,
    event.door,
    event.source,
    event.method,
    event.durationMicros,
    consumption === null ? null : consumption.token.pk,
    consumption === null ? null : consumption.at,
    consumption === null ? null : consumption.datagram,
    user === null || entry.lockouts.length === 0 ? null : lockoutColumn(user.pk, entry.lockouts),
    event.trace,
    event.detail === null ? null : JSON.stringify(event.detail),
  ];
}

/**
 * What an event says of lockouts: `[user pk, [source, failures, windowStart, lockedUntil, recent], …]`, the states after it.
 * A user pk alone says that all were forgotten (an administrator unlocked).
 */
export type LockoutColumn = readonly [number, ...(readonly [string, number, number, number, readonly string[]])[]];

function lockoutColumn(userPk: number, changes: readonly LockoutChange[]): string {
  const column: LockoutColumn = [
    userPk,
    ...changes.map(
      ({ source, after }) => [source, after.failures, after.windowStart, after.lockedUntil, after.recent] as const,
    ),
  ];
  return JSON.stringify(column);
}
