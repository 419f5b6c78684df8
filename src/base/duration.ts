/** Durations as operators write them: `500ms`, `30s`, `15m`, `12h`, `30d`; a whole number and one unit. */
import { type Millis, millis } from './units.js';

const UNIT_MILLIS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/;

/** The span that `text` means, or null where it is not a duration. `0s` is one. */
export function parseDuration(text: string): Millis | null {
  const match = DURATION.exec(text);
  if (match === null) return null;
  const unit = match[2];
  if (unit !== 'ms' && unit !== 's' && unit !== 'm' && unit !== 'h' && unit !== 'd') return null;
  return millis(Number(match[1]) * UNIT_MILLIS[unit]);
}

/** The shortest text that `parseDuration` reads as `span`: `90s`, `15m`, `1d`; `0s` for none. */
export function formatDuration(span: Millis): string {
  if (span === 0) return '0s';
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (span % UNIT_MILLIS[unit] === 0) return `${span / UNIT_MILLIS[unit]}${unit}`;
  }
  return `${span}ms`;
}
