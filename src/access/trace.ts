/**
 * The verdicts of a decision in a few octets, for the event: a version, a colon, a character a rule: `+` holds, `-` fails, `.` does
 * not apply or was not asked. The version says which rules, in which order; a changed table is a new version, old ones stay.
 */
import { type Reason, RULES, type Verdict } from './rules.js';

export interface TracedRule {
  readonly rule: Reason;
  readonly verdict: Verdict;
}

const VERSIONS: ReadonlyMap<string, readonly Reason[]> = new Map([['1', RULES.map((rule) => rule.reason)]]);
const PREFIX = '1:';
const VERDICTS: ReadonlyMap<string, Verdict> = new Map<string, Verdict>([
  ['+', true],
  ['-', false],
  ['.', null],
]);

/** The trace of `verdicts`, which are in the order of RULES. */
export function encodeTrace(verdicts: readonly Verdict[]): string {
  let trace = PREFIX;
  for (const verdict of verdicts) trace += verdict === null ? '.' : verdict ? '+' : '-';
  return trace;
}

/** Rule by rule, in order; null for a version that this release does not know and for what is no trace. */
export function decodeTrace(trace: string): readonly TracedRule[] | null {
  const colon = trace.indexOf(':');
  const rules = VERSIONS.get(trace.slice(0, Math.max(colon, 0)));
  const characters = trace.slice(colon + 1);
  if (rules === undefined || rules.length !== characters.length) return null;
  const decoded: TracedRule[] = [];
  for (const [index, rule] of rules.entries()) {
    const verdict = VERDICTS.get(characters.charAt(index));
    if (verdict === undefined) return null;
    decoded.push({ rule, verdict });
  }
  return decoded;
}
