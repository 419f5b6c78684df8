import { describe, expect, test } from 'vitest';
import { inHours, isTimeZone } from '../../src/access/hours.js';
import { LIMITS } from '../../src/access/limits.js';
import type { AccessHours, Weekday } from '../../src/access/ports.js';
import { instant } from '../../src/base/units.js';

const hours = (days: Weekday[], from: string, to: string, timeZone = 'UTC'): AccessHours => ({
  days,
  from,
  to,
  timeZone,
});
const at = (iso: string) => instant(Date.parse(iso));
const WORKDAYS: Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri'];

describe('a range within a day', () => {
  test.each([
    ['2026-11-23T07:59:59Z', false],
    ['2026-11-23T08:00:00Z', true],
    ['2026-11-23T17:59:59Z', true],
    ['2026-11-23T18:00:00Z', false],
    ['2026-11-22T12:00:00Z', false],
    ['2026-11-27T12:00:00Z', true],
    ['2026-11-28T12:00:00Z', false],
  ])('from 08:00 to 18:00 on workdays is, at %s, open: %s', (time, open) => {
    expect(inHours([hours(WORKDAYS, '08:00', '18:00')], at(time))).toBe(open);
  });

  test('until 24:00 lasts to the end of the day', () => {
    expect(inHours([hours(['mon'], '00:00', '24:00')], at('2026-11-23T23:59:59Z'))).toBe(true);
    expect(inHours([hours(['mon'], '00:00', '24:00')], at('2026-11-24T00:00:00Z'))).toBe(false);
  });
});

describe('a range across midnight belongs to the day on which it begins', () => {
  test.each([
    ['2026-11-22T23:00:00Z', true],
    ['2026-11-23T05:59:59Z', true],
    ['2026-11-23T06:00:00Z', false],
    ['2026-11-23T23:00:00Z', false],
    ['2026-11-22T05:00:00Z', false],
    ['2026-11-22T21:59:59Z', false],
  ])('Sunday 22:00 to 06:00 is, at %s, open: %s', (time, open) => {
    expect(inHours([hours(['sun'], '22:00', '06:00')], at(time))).toBe(open);
  });

  test('a range that ends where it begins is a whole day long', () => {
    expect(inHours([hours(['mon'], '08:00', '08:00')], at('2026-11-23T08:00:00Z'))).toBe(true);
    expect(inHours([hours(['mon'], '08:00', '08:00')], at('2026-11-24T07:59:00Z'))).toBe(true);
    expect(inHours([hours(['mon'], '08:00', '08:00')], at('2026-11-24T08:00:00Z'))).toBe(false);
    expect(inHours([hours(['mon'], '08:00', '08:00')], at('2026-11-23T07:59:00Z'))).toBe(false);
  });
});

describe('the clock on the wall there decides', () => {
  test.each([
    // Summer time begins in Berlin on 2026-03-29 at 01:00 UTC and ends on 2026-10-25 at 01:00 UTC.
    ['Europe/Berlin', '2026-03-29T00:59:59Z', '01:00', '02:00', true],
    ['Europe/Berlin', '2026-03-29T01:00:00Z', '02:00', '03:00', false],
    ['Europe/Berlin', '2026-03-29T01:00:00Z', '03:00', '04:00', true],
    ['Europe/Berlin', '2026-10-25T00:30:00Z', '02:00', '03:00', true],
    ['Europe/Berlin', '2026-10-25T01:30:00Z', '02:00', '03:00', true],
    ['Europe/Berlin', '2026-10-25T02:00:00Z', '02:00', '03:00', false],
    ['Asia/Kathmandu', '2026-11-29T02:14:00Z', '08:00', '09:00', false],
    ['Asia/Kathmandu', '2026-11-29T02:15:00Z', '08:00', '09:00', true],
  ])('in %s at %s it is within %s to %s: %s', (timeZone, time, from, to, open) => {
    expect(inHours([hours(['sun'], from, to, timeZone)], at(time))).toBe(open);
  });

  test('the day is the one there: Monday in Auckland while it is Sunday in Honolulu', () => {
    const time = at('2026-11-22T20:00:00Z');
    expect(inHours([hours(['mon'], '00:00', '24:00', 'Pacific/Auckland')], time)).toBe(true);
    expect(inHours([hours(['sun'], '00:00', '24:00', 'Pacific/Honolulu')], time)).toBe(true);
    expect(inHours([hours(['mon'], '00:00', '24:00', 'Pacific/Honolulu')], time)).toBe(false);
  });

  test('midnight is 00:00, not 24:00', () => {
    expect(inHours([hours(['mon'], '00:00', '00:01')], at('2026-11-23T00:00:00Z'))).toBe(true);
  });
});

test('one open range of several is enough, and none means closed', () => {
  const lists = [hours(['mon'], '08:00', '09:00'), hours(['tue'], '08:00', '09:00')];
  expect(inHours(lists, at('2026-11-24T08:30:00Z'))).toBe(true);
  expect(inHours([], at('2026-11-24T08:30:00Z'))).toBe(false);
});

test('a zone that does not exist is never open', () => {
  expect(isTimeZone('Europe/Berlin')).toBe(true);
  expect(isTimeZone('Europe/Bielefeld')).toBe(false);
  expect(inHours([hours([...WORKDAYS], '00:00', '24:00', 'Europe/Bielefeld')], at('2026-11-23T12:00:00Z'))).toBe(false);
});

test('more zones than are kept still give the right time', () => {
  const zones = Intl.supportedValuesOf('timeZone').slice(0, LIMITS.timeZones + 5);
  for (const zone of zones) expect(isTimeZone(zone)).toBe(true);
  expect(inHours([hours(['mon'], '12:00', '13:00', 'UTC')], at('2026-11-23T12:30:00Z'))).toBe(true);
});
