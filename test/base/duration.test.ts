import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../src/base/duration.js';

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['15m', 900_000],
  ['12h', 43_200_000],
  ['30d', 2_592_000_000],
  ['0s', 0],
])('%s is %d milliseconds, and is written so again', (text, span) => {
  const parsed = parseDuration(text);
  expect(parsed).toBe(span);
  expect(parsed !== null && formatDuration(parsed)).toBe(text);
});

test.each(['', '15', '1.5h', '-1s', '1w', '15 m', '1h30m', '9999999999s', '15M'])('%j is not a duration', (text) => {
  expect(parseDuration(text)).toBeNull();
});

test('a span is written in the largest unit that divides it', () => {
  expect(['90s', '60s', '24h', '1500ms'].map((text) => formatDuration(parseDuration(text) ?? expect.fail()))).toEqual([
    '90s',
    '1m',
    '1d',
    '1500ms',
  ]);
});
