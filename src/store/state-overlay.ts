/**
 * What use has changed and the tables do not say yet (SQLite only): token floors and lockouts, by pk. It is ahead of the tables
 * by the tail of the event log behind the fold's mark; every read of a user goes through it.
 */
import type { LockoutState, TokenState, UserFacts } from '../access/ports.js';

/** Lockout states of a user by source key. */
export type Lockouts = ReadonlyMap<string, LockoutState>;

export class StateOverlay {
  readonly tokens = new Map<number, TokenState>();
  /** When each was last used, for who looks at the record; no decision reads it. Milliseconds since the epoch. */
  readonly usedAt = new Map<number, number>();
  readonly lockouts = new Map<number, Lockouts>();
}

/** Finds the facts of a user that are in the directory's cache, so that a commit reaches them too. */
export type CachedUser = (userPk: number) => UserFacts | null;
