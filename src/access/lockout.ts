/**
 * Lockout: failures count by user and source, with a larger budget for the user over all sources, so that a stranger locks out
 * himself and not her. One counter, of which a user has up to three for a source, is this machine; time is an argument:
 *
 *                    wrong, new                  wrong, new, and the budget is reached
 *   ┌───────┐ ───────────────────────▶ ┌──────────┐ ───────────────────────────────▶ ┌────────┐
 *   │ clear │                          │ counting │ ──┐ wrong: failures + 1          │ locked │ ──┐ anything: nothing
 *   └───────┘ ◀─────────────────────── └──────────┘ ◀─┘ wrong as before: nothing     └────────┘ ◀─┘ counts or prolongs
 *       ▲       accepted; window over                                                     │
 *       └─────────────────────────────────────────────────────────────────────────────────┘  duration over
 *
 *   key             counts                     budget
 *   otp:<source>    wrong codes from there     failures
 *   otp:*           wrong codes from anywhere  failures × 10
 *   pw:<source>     wrong first factors        failures: never against a token, so never over all sources
 *
 * Nothing else counts: a code that was right a moment ago, a password that did not decode (a wrong shared secret), a method that
 * is off, an upstream that is away.
 */
import { type Instant, instant } from '../base/units.js';
import { LIMITS } from './limits.js';
import { sourceKey } from './networks.js';
import type { LockoutChange, LockoutPolicy, LockoutState } from './ports.js';

/** The key of the counter over all sources. */
export const OVERALL = 'otp:*';

/** What a decision did that counters may have to learn. `hash`: a keyed hash of the wrong code or password. */
export type LockoutInput =
  | { readonly kind: 'wrongOtp'; readonly hash: string }
  | { readonly kind: 'wrongPassword'; readonly hash: string }
  | { readonly kind: 'accepted' };

type States = ReadonlyMap<string, LockoutState>;

const UNCHANGED: readonly LockoutChange[] = [];

/** The key of the counter of wrong codes from `address` (canonical). */
export const otpKey = (address: string): string => `otp:${sourceKey(address)}`;
/** The key of the counter of wrong first factors from `address` (canonical). */
export const passwordKey = (address: string): string => `pw:${sourceKey(address)}`;

/** When the last of the locks that hold for `address` ends; 0 where none is on. */
export function lockedUntil(states: States, address: string, now: Instant): Instant {
  let until = 0;
  if (states.size === 0) return instant(until);
  for (const key of [otpKey(address), OVERALL, passwordKey(address)]) {
    const state = states.get(key);
    if (state !== undefined && state.lockedUntil > now) until = Math.max(until, state.lockedUntil);
  }
  return instant(until);
}

/** The counters that `input`, from `address` at `now`, changes, with what they were; empty where it changes none. */
export function lockoutChanges(
  states: States,
  address: string,
  policy: LockoutPolicy,
  now: Instant,
  input: LockoutInput,
): readonly LockoutChange[] {
  if (lockedUntil(states, address, now) > now) return UNCHANGED;
  switch (input.kind) {
    case 'accepted':
      if (states.size === 0) return UNCHANGED;
      return [otpKey(address), passwordKey(address)].flatMap((key) => cleared(states, key, now));
    case 'wrongPassword':
      return failed(states, passwordKey(address), policy, policy.failures, now, input.hash);
    case 'wrongOtp':
      return [
        ...failed(states, otpKey(address), policy, policy.failures, now, input.hash),
        ...failed(states, OVERALL, policy, policy.failures * LIMITS.overallFactor, now, input.hash),
      ];
  }
}

function failed(
  states: States,
  source: string,
  policy: LockoutPolicy,
  budget: number,
  now: Instant,
  hash: string,
): readonly LockoutChange[] {
  const before = states.get(source) ?? null;
  const counting =
    before !== null && before.lockedUntil === 0 && now < before.windowStart + policy.window ? before : null;
  const recent = counting?.recent ?? [];
  if (recent.includes(hash)) return UNCHANGED;
  const failures = (counting?.failures ?? 0) + 1;
  const after: LockoutState = {
    failures,
    windowStart: counting?.windowStart ?? now,
    lockedUntil: instant(failures >= budget ? now + policy.duration : 0),
    recent: [...recent, hash].slice(-LIMITS.recentWrong),
  };
  return [{ source, before, after }];
}

function cleared(states: States, source: string, now: Instant): readonly LockoutChange[] {
  const before = states.get(source);
  if (before === undefined || (before.failures === 0 && before.lockedUntil === 0)) return UNCHANGED;
  return [{ source, before, after: { failures: 0, windowStart: now, lockedUntil: instant(0), recent: [] } }];
}
