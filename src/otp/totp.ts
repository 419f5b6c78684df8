/** TOTP (RFC 6238): HOTP whose counter is the time. T0 is 0, the step is the token's own period. */
import { type Instant, type Seconds, seconds } from '../base/units.js';
import { hotp, type OtpAlgorithm, type OtpDigits } from './hotp.js';

/** What most apps use, and what some use whatever a URI says (RFC 6238 §5.2). */
export const DEFAULT_PERIOD: Seconds = seconds(30);
/** Steps that a code may be early or late: a clock half a minute off, or a slow typist (RFC 6238 §5.2 allows one). */
export const TOTP_WINDOW = 1;

/** The step that `now` lies in (RFC 6238 §4.2); 64 bits wide, as far as a number is exact. */
export const totpStep = (now: Instant, period: Seconds): number => Math.floor(now / 1000 / period);

/** The code that is shown at `now`, left zeros kept. */
export const totp = (
  algorithm: OtpAlgorithm,
  key: Buffer,
  digits: OtpDigits,
  now: Instant,
  period: Seconds = DEFAULT_PERIOD,
): string => hotp(algorithm, key, digits, totpStep(now, period));
