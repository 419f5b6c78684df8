/**
 * Which of a token's candidates a code is. All of them are computed and compared, hit or not, and the comparison does not branch
 * (OTP-9), so that time tells neither whether nor where a code matched.
 *
 *   TOTP   now−1   now   now+1                      a step below the floor is spent
 *   HOTP   floor−10 … floor−1 │ floor … floor+10    the left half is spent, the right half may match
 */
import type { Instant, Seconds } from '../base/units.js';
import { hotpRun, type OtpAlgorithm, type OtpDigits } from './hotp.js';
import { TOTP_WINDOW, totpStep } from './totp.js';

/** RFC 4226 §7.4: where the next counter does not match, the next s after it are tried: presses that nobody sent. */
export const HOTP_LOOK_AHEAD = 10;
/** Spent counters that are still known as such, so that a code sent twice is called replayed and not wrong. */
export const HOTP_LOOK_BACK = 10;

/** What a match needs to know of a token. */
export interface OtpToken {
  readonly type: 'totp' | 'hotp';
  readonly key: Buffer;
  readonly algorithm: OtpAlgorithm;
  readonly digits: OtpDigits;
  /** Of a TOTP token. */
  readonly period: Seconds;
  /** `floor`: the lowest step or counter that may still match. */
  readonly state: { readonly floor: number };
}

/** `at` is the TOTP step or HOTP counter. `spent`: right, but below the floor, so it was (or may have been) used. */
export type Match =
  | { readonly kind: 'fresh'; readonly at: number }
  | { readonly kind: 'spent'; readonly at: number }
  | { readonly kind: 'none' };

const NONE: Match = { kind: 'none' };
const run: number[] = [];

/**
 * Compares `code` (normalised digits, or null where it was none) with every candidate of `token` at `now`. Where two are alike the
 * lowest fresh one counts, so that a HOTP counter never runs ahead of its token.
 */
export function matchOtp(token: OtpToken, code: string | null, now: Instant): Match {
  const floor = token.state.floor;
  const centre = token.type === 'totp' ? totpStep(now, token.period) : floor;
  const back = token.type === 'totp' ? TOTP_WINDOW : HOTP_LOOK_BACK;
  const ahead = token.type === 'totp' ? TOTP_WINDOW : HOTP_LOOK_AHEAD;
  const first = Math.max(0, centre - back);
  const count = centre + ahead - first + 1;
  run.length = 0;
  hotpRun(token.algorithm, token.key, token.digits, first, count, run);
  // −1 is no candidate: a code of another length costs the same and never matches (OTP-10).
  const entered = code !== null && code.length === token.digits ? Number(code) : -1;
  return pick(run, entered, first, floor);
}

/** Offsets count from 1, so that 0 means none; a hit is 1 and a miss 0, multiplied in rather than branched on. */
function pick(candidates: readonly number[], entered: number, first: number, floor: number): Match {
  let fresh = 0;
  let spent = 0;
  let offset = 0;
  for (const candidate of candidates) {
    offset += 1;
    const difference = candidate ^ entered;
    const hit = 1 ^ ((difference | -difference) >>> 31);
    const usable = Number(first + offset > floor);
    const unset = 1 ^ ((fresh | -fresh) >>> 31);
    fresh += offset * hit * usable * unset;
    spent += (offset - spent) * hit * (1 - usable);
  }
  if (fresh > 0) return { kind: 'fresh', at: first + fresh - 1 };
  if (spent > 0) return { kind: 'spent', at: first + spent - 1 };
  return NONE;
}
