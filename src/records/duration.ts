/** Spans of time as people write them in files and API bodies: `500ms`, `30s`, `15m`, `12h`, `30d`. */
import { type Millis, millis } from '../base/units.js';

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof UNITS;

const isUnit = (text: string): text is Unit => Object.hasOwn(UNITS, text);

/** The span that `text` writes, or null where it writes none (a sign, a fraction, no unit, more than 12 digits). */
export function parseDuration(text: string): Millis | null {
  const match = /^(\d{1,12})(ms|s|m|h|d)$/.exec(text);
  const unit = match?.[2];
  return unit === undefined || !isUnit(unit) ? null : millis(Number(match?.[1]) * UNITS[unit]);
}
