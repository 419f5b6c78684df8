/**
 * Access hours: ranges of wall-clock time in a zone of their own. What a clock on the wall there shows decides, so summer time
 * needs no rule of its own: an hour that is skipped never was, one that comes twice is inside or outside both times.
 * `to` at or before `from` is on the next day; a range belongs to the day on which it begins.
 */
import type { Instant } from '../base/units.js';
import { LIMITS } from './limits.js';
import type { AccessHours, Weekday } from './ports.js';

const DAYS: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const MINUTES_PER_HOUR = 60;

/** True where one of `hours` is open at `now`; a range whose zone is unknown never is. */
export const inHours = (hours: readonly AccessHours[], now: Instant): boolean =>
  hours.some((each) => isOpen(each, now));

/** True where `name` is a time zone that this process knows. */
export const isTimeZone = (name: string): boolean => formatterOf(name) !== null;

function isOpen(hours: AccessHours, now: Instant): boolean {
  const wall = wallClock(hours.timeZone, now);
  if (wall === null) return false;
  const from = minutesOf(hours.from);
  const to = minutesOf(hours.to);
  const today = includesDay(hours.days, wall.day);
  if (from < to) return today && wall.minutes >= from && wall.minutes < to;
  const yesterday = includesDay(hours.days, (wall.day + DAYS.length - 1) % DAYS.length);
  return (today && wall.minutes >= from) || (yesterday && wall.minutes < to);
}

const includesDay = (days: readonly Weekday[], index: number): boolean =>
  days.some((day) => DAYS.indexOf(day) === index);

/** "HH:MM" as minutes from midnight. */
const minutesOf = (text: string): number => Number(text.slice(0, 2)) * MINUTES_PER_HOUR + Number(text.slice(3));

interface WallClock {
  /** 0 is Monday. */
  readonly day: number;
  /** From midnight. */
  readonly minutes: number;
}

function wallClock(timeZone: string, now: Instant): WallClock | null {
  const formatter = formatterOf(timeZone);
  if (formatter === null) return null;
  // "Mon 08:05"; taken apart by what it holds, not by its punctuation, which differs among ICU versions.
  const text = formatter.format(now).toLowerCase();
  const [hour, minute] = text.replace(/^\D+/, '').split(/\D+/);
  return {
    day: DAYS.findIndex((day) => text.includes(day)),
    minutes: Number(hour) * MINUTES_PER_HOUR + Number(minute),
  };
}

const formatters = new Map<string, Intl.DateTimeFormat | null>();

/** A formatter takes 50 µs to make, so it is kept; null for a zone that does not exist. */
function formatterOf(timeZone: string): Intl.DateTimeFormat | null {
  let formatter = formatters.get(timeZone);
  if (formatter === undefined) {
    if (formatters.size >= LIMITS.timeZones) formatters.clear();
    formatter = makeFormatter(timeZone);
    formatters.set(timeZone, formatter);
  }
  return formatter;
}

function makeFormatter(timeZone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
  } catch {
    // A RangeError is the only way to learn that ICU does not know the zone.
    return null;
  }
}
