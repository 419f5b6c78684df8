import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RULES, type Verdict } from '../../src/access/rules.js';
import { decodeTrace, encodeTrace } from '../../src/access/trace.js';

test('a trace is a version and a character a rule', () => {
  const verdicts = RULES.map((_, index): Verdict => (index === 4 ? false : index > 4 ? null : true));
  expect(encodeTrace(verdicts)).toBe('1:++++-.........');
});

test('version 1 means these rules in this order: a changed table needs a new version', () => {
  expect(decodeTrace('1:..............')?.map(({ rule }) => rule)).toEqual([
    'unknown_user',
    'user_inactive',
    'resource_inactive',
    'not_assigned',
    'method_not_allowed',
    'source_not_allowed',
    'outside_hours',
    'locked',
    'wrong_password',
    'upstream_unavailable',
    'no_token',
    'replayed_otp',
    'wrong_otp',
    'store_unavailable',
  ]);
});

test('what was written reads back, rule by rule', () => {
  const verdict = fc.constantFrom<Verdict>(true, false, null);
  fc.assert(
    fc.property(fc.array(verdict, { minLength: RULES.length, maxLength: RULES.length }), (verdicts) => {
      const decoded = decodeTrace(encodeTrace(verdicts));
      expect(decoded).toEqual(RULES.map((rule, index) => ({ rule: rule.reason, verdict: verdicts[index] })));
    }),
  );
});

test.each([
  '',
  ':',
  '0:..............',
  '2:..............',
  '1:',
  '1:+',
  '1:...............',
  '1:.............x',
  '..............',
])('%j is no trace that this release knows', (trace) => {
  expect(decodeTrace(trace)).toBeNull();
});

test('no text makes decoding fail otherwise', () => {
  fc.assert(fc.property(fc.string(), (text) => void decodeTrace(text)));
});
