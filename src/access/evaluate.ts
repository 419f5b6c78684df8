/** Asks every rule, whichever fails, so that the work is the same; the first that fails is the reason. */
import type { Facts } from './facts.js';
import { type Reason, RULES, type Verdict } from './rules.js';

export interface Evaluation {
  /** Null where no rule fails: the decision may be accepted, once it is on disk. */
  readonly reason: Reason | null;
  /** In the order of RULES. */
  readonly verdicts: readonly Verdict[];
}

/** Pure: decisions, `simulate` and `explain` come through here. */
export function evaluate(facts: Facts): Evaluation {
  let reason: Reason | null = null;
  const verdicts: Verdict[] = [];
  for (const rule of RULES) {
    const verdict = rule.holds(facts);
    if (verdict === false && reason === null) reason = rule.reason;
    verdicts.push(verdict);
  }
  return { reason, verdicts };
}
