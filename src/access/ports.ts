/**
 * What a decision needs from outside, as this folder sees it: who is asked (facts), what must be on disk before the answer
 * leaves (ledger), and who checks a first factor. store/ and first-factor/ implement these; nothing here knows how.
 */
import type { Instant, Millis, Seconds } from '../base/units.js';
import type { DecisionEvent } from './event.js';

/** Where the change feed stood when records were read; it grows. A decision on several reads is made on the lowest of theirs. */
export type FeedPosition = number;

export type HashAlgorithm = 'SHA1' | 'SHA256' | 'SHA512';

/** What changes with use. One object per token and process: the ledger writes it once a commit is on disk, rules only read. */
export interface TokenState {
  /** The lowest TOTP step or HOTP counter that may still match; everything below is spent. */
  floor: number;
  /** The hash of the datagram that made the last consumption, or null; that very datagram may be accepted again. */
  lastDatagram: string | null;
  /** What the last consumption left for a grace (grace.ts), or null where the resource had none. */
  lastGrace: string | null;
}

/** A token as a decision sees it. */
export interface TokenFacts {
  readonly pk: number;
  readonly id: string;
  readonly type: 'totp' | 'hotp';
  /** The seed: 10 to 64 octets, unsealed. Lives in the bounded directory cache and nowhere else. */
  readonly key: Buffer;
  readonly algorithm: HashAlgorithm;
  readonly digits: 6 | 7 | 8;
  readonly period: Seconds;
  readonly active: boolean;
  /** Resource pks that it may open; empty: every resource that its user may enter. */
  readonly resources: readonly number[];
  readonly state: TokenState;
}

/** The failures of one user from one source (or over all sources); see lockout.ts, which alone computes it. */
export interface LockoutState {
  /** Failures in the current window. */
  readonly failures: number;
  readonly windowStart: Instant;
  /** 0 where not locked. */
  readonly lockedUntil: Instant;
  /** Keyed hashes of the wrong codes that were counted lately, newest last, so that a retry counts once. */
  readonly recent: readonly string[];
}

/** A user as a decision sees it: the record (immutable, replaced when it changes) and the state that use changes. */
export interface UserFacts {
  readonly pk: number;
  readonly id: string;
  readonly login: string;
  readonly active: boolean;
  readonly revision: number;
  /** PHC string, argon2id, or null. */
  readonly passwordHash: string | null;
  /** Resource pks that the user reaches directly. */
  readonly resources: readonly number[];
  /** Group pks; which resources a group opens is in ResourceFacts.groups. */
  readonly groups: readonly number[];
  readonly tokens: readonly TokenFacts[];
  /** By source key (see lockout.ts). Replaced as a whole by the ledger, after the commit. */
  lockouts: ReadonlyMap<string, LockoutState>;
}

export type CredentialForm = 'otp' | 'password+otp' | 'otp+password' | 'challenge';

export interface LockoutPolicy {
  readonly failures: number;
  readonly window: Millis;
  readonly duration: Millis;
}

export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';

export interface AccessHours {
  readonly days: readonly Weekday[];
  /** "HH:MM", inclusive. */
  readonly from: string;
  /** "HH:MM", exclusive; "24:00" is the end of the day; at or before `from` it is on the next day. */
  readonly to: string;
  /** IANA name. */
  readonly timeZone: string;
}

/** A resource with its policy, as a decision sees it. */
export interface ResourceFacts {
  readonly pk: number;
  readonly id: string;
  readonly name: string;
  readonly active: boolean;
  readonly revision: number;
  /** `none`, `local`, or the name of an upstream. */
  readonly firstFactor: string;
  readonly credentialForms: readonly CredentialForm[];
  readonly separator: string;
  /** Empty: each that fits the first factor. */
  readonly methods: readonly string[];
  readonly lockout: LockoutPolicy;
  /** CIDR texts as the record has them; empty: anywhere. */
  readonly sourceNetworks: readonly string[];
  readonly accessHours: readonly AccessHours[];
  readonly tokenTypes: readonly string[];
  readonly replyAttributes: Readonly<Record<string, string | number | readonly (string | number)[]>>;
  readonly rebindGrace: Millis;
  readonly reconnectGrace: Millis;
  /** Group pks whose members reach it. */
  readonly groups: readonly number[];
}

/** What was found for a name, and where the feed stood then. */
export interface Found<T> {
  readonly value: T | null;
  readonly position: FeedPosition;
}

/**
 * Records as decisions need them. `fresh` passes every cache by. What is at hand comes back at once, the rest as a promise;
 * a promise that rejects means that the store cannot be read.
 */
export interface Directory {
  /** By login or alias, lower case. */
  userByName(nameKey: string, fresh: boolean): Found<UserFacts> | Promise<Found<UserFacts>>;
  resourceById(resourceId: string, fresh: boolean): Found<ResourceFacts> | Promise<Found<ResourceFacts>>;
}

declare const committed: unique symbol;
/** Proof that a decision is on disk. Only a ledger makes one; an acceptance cannot be built without it. */
export interface Committed {
  readonly [committed]: true;
  readonly eventId: string;
}
/** For ledgers, after the commit: the proof for event `eventId`. */
export const committedProof = (eventId: string): Committed => ({ eventId }) as Committed;

/** The consumption of one code. */
export interface Consumption {
  readonly token: TokenFacts;
  /** The TOTP step or HOTP counter that matched; afterwards the token's floor is one more. */
  readonly at: number;
  readonly datagram: string | null;
  /** Kept with the consumption where the resource has a grace for the door (grace.ts), else null. */
  readonly grace: string | null;
}

/** A lockout state that this decision replaces: `before` is what the decision was made on (null: there was none). */
export interface LockoutChange {
  readonly source: string;
  readonly before: LockoutState | null;
  readonly after: LockoutState;
}

/** A decision on its way to disk. */
export interface LedgerEntry {
  readonly event: DecisionEvent;
  /** What the decision was made on; null where nobody was found. */
  readonly user: UserFacts | null;
  readonly resource: ResourceFacts | null;
  readonly position: FeedPosition;
  readonly consumption: Consumption | null;
  readonly lockouts: readonly LockoutChange[];
}

export type Commit =
  /** On disk. */
  | { readonly kind: 'committed'; readonly proof: Committed }
  /** Records or state were not, or are no longer, what the decision was made on: nothing was written; decide again, fresh. */
  | { readonly kind: 'stale' }
  /** Not written, or not known to be; nothing may be answered. `overload` where the ledger's own bound was reached. */
  | { readonly kind: 'unavailable'; readonly cause: 'store' | 'overload' };

export interface Ledger {
  /** Resolves once the entry's fate is known to be one of the three; never rejects. */
  commit(entry: LedgerEntry): Promise<Commit>;
  /** True where other processes decide on the same tokens: a refusal by state must be made on freshly read state. */
  readonly shared: boolean;
}

/** The answer of whoever checks passwords. */
export type FirstFactorResult = 'right' | 'wrong' | 'unavailable' | 'overload';

/** Checks a first factor. Never called with an empty password; takes as long for an unknown user as for a known one. */
export interface FirstFactors {
  check(firstFactor: string, user: UserFacts | null, login: string, password: string): Promise<FirstFactorResult>;
}
