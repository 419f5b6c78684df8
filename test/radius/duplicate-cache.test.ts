import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant } from '../../src/base/units.js';
import { DelayedReplies, dueAt } from '../../src/radius/delayed-replies.js';
import { EventThrottle } from '../../src/radius/door-event.js';
import { DuplicateCache, type DuplicateEntry } from '../../src/radius/duplicate-cache.js';
import { LIMITS } from '../../src/radius/limits.js';
import { until } from './harness.js';

const request = (fill: number, length = 40) => Buffer.alloc(length, fill);

function seeNew(cache: DuplicateCache, key: string, octets: Buffer, now: number): DuplicateEntry {
  const seen = cache.see(key, octets, instant(now));
  if (seen.kind !== 'new') throw new Error(seen.kind);
  return seen.entry;
}

describe('the duplicate cache', () => {
  test('RAD-50: knows a request while it is decided and after its answer', () => {
    const cache = new DuplicateCache();
    const entry = seeNew(cache, 'a', request(1), 0);
    expect(cache.see('a', request(1), instant(5)).kind).toBe('working');
    expect(cache.answer(entry, Buffer.from('reply'))).toBe(true);
    expect(cache.see('a', request(1), instant(29_999))).toEqual({ kind: 'answered', reply: Buffer.from('reply') });
  });

  test('RAD-51: another authenticator takes the place, and the old answer is not wanted any more', () => {
    const cache = new DuplicateCache();
    const old = seeNew(cache, 'a', request(1), 0);
    const entry = seeNew(cache, 'a', request(2), 1);
    expect(cache.answer(old, Buffer.from('old'))).toBe(false);
    cache.forget(old);
    expect(cache.answer(entry, Buffer.from('new'))).toBe(true);
    expect(cache.see('a', request(2), instant(2)).kind).toBe('answered');
  });

  test('RAD-52: entries live 30 s', () => {
    const cache = new DuplicateCache();
    seeNew(cache, 'a', request(1), 0);
    seeNew(cache, 'b', request(1), 10_000);
    expect(cache.see('a', request(1), instant(30_000)).kind).toBe('new');
    expect(cache.see('b', request(1), instant(39_999)).kind).toBe('working');
    expect(cache.size).toBe(2);
  });

  test('RAD-52: is bounded in count and in octets, the oldest go first, and their answers are still sent', () => {
    const cache = new DuplicateCache({ millis: 30_000, entries: 3, octets: 10_000 });
    const entries = ['a', 'b', 'c', 'd', 'e'].map((key, now) => seeNew(cache, key, request(1), now));
    expect(cache.size).toBe(3);
    expect(cache.see('e', request(1), instant(9)).kind).not.toBe('new');
    const [first] = entries;
    expect(first === undefined ? null : cache.answer(first, Buffer.alloc(1))).toBe(true);

    const heavy = new DuplicateCache({ millis: 30_000, entries: 1000, octets: 1000 });
    for (let i = 0; i < 50; i++) heavy.answer(seeNew(heavy, `${i}`, request(1, 100), i), Buffer.alloc(100));
    expect(heavy.octets).toBeLessThanOrEqual(1200);
  });

  test('a clock that is set back does not keep anything longer than it lives', () => {
    const cache = new DuplicateCache();
    seeNew(cache, 'a', request(1), 1_000_000);
    seeNew(cache, 'b', request(1), 0);
    expect(cache.size).toBe(1);
  });

  test('whatever happens in whatever order, octets and count add up and bounds hold', () => {
    const step = fc.record({
      key: fc.integer({ min: 0, max: 8 }),
      fill: fc.integer({ min: 0, max: 2 }),
      pass: fc.integer({ min: 0, max: 40 }),
      next: fc.constantFrom('answer', 'forget', 'leave'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const cache = new DuplicateCache({ millis: 100, entries: 6, octets: 150 });
        let now = 0;
        for (const { key, fill, pass, next } of steps) {
          now += pass;
          const seen = cache.see(`${key}`, request(fill), instant(now));
          if (seen.kind === 'new' && next === 'answer') cache.answer(seen.entry, Buffer.alloc(20));
          if (seen.kind === 'new' && next === 'forget') cache.forget(seen.entry);
          expect(cache.size).toBeLessThanOrEqual(6);
          expect(cache.octets).toBeLessThanOrEqual(186);
          expect(cache.octets).toBeGreaterThanOrEqual(cache.size * 16);
        }
        cache.see('last', request(9), instant(now + 1000));
        expect([cache.size, cache.octets]).toEqual([1, 16]);
      }),
    );
  });

  test('holds its bound of entries over a long run, and its queue does not grow', () => {
    const cache = new DuplicateCache({ millis: 30_000, entries: 5000, octets: LIMITS.duplicateOctets });
    for (let i = 0; i < 50_000; i++) cache.answer(seeNew(cache, `${i}`, request(1), i), Buffer.alloc(20));
    expect(cache.size).toBe(5000);
    expect(cache.see('49999', request(1), instant(50_000)).kind).toBe('answered');
  });
});

describe('RAD-25: a refusal', () => {
  test.each([
    [1000, 1000, 250, 1250],
    [1000, 1001, 250, 1250],
    [1000, 1250, 250, 1250],
    [1000, 1251, 250, 1500],
    [1000, 1999, 250, 2000],
    [1000, 1007, 0, 1007],
  ])('that came at %i and was decided at %i leaves, with a delay of %i, at %i', (arrived, now, delay, expected) => {
    expect(dueAt(arrived, now, delay)).toBe(expected);
  });

  test('leaves in the order of its time, never before it, and too many are not taken', async () => {
    const delayed = new DelayedReplies(() => performance.now());
    const sent: string[] = [];
    const begun = performance.now();
    const early: boolean[] = [];
    for (const [name, after] of [
      ['late', 60],
      ['soon', 20],
      ['now', 0],
      ['also', 20],
    ] as const) {
      delayed.add(begun + after, {
        send: () => {
          sent.push(name);
          early.push(performance.now() < begun + after);
        },
      });
    }
    await until(() => delayed.size === 0);
    expect(sent).toEqual(['now', 'soon', 'also', 'late']);
    expect(early).not.toContain(true);
    const later = performance.now() + 60_000;
    for (let i = 0; i < LIMITS.delayedRejects; i++) delayed.add(later, { send: () => {} });
    expect(delayed.add(later, { send: () => {} })).toBe(false);
    delayed.clear();
    expect(delayed.size).toBe(0);
  });
});

describe('RAD-41: the event throttle', () => {
  test('lets one through a minute and counts the others', () => {
    const throttle = new EventThrottle();
    expect(throttle.pass('a', instant(0))).toBe(0);
    expect(throttle.pass('a', instant(1))).toBeNull();
    expect(throttle.pass('b', instant(1))).toBe(0);
    expect(throttle.pass('a', instant(59_999))).toBeNull();
    expect(throttle.pass('a', instant(60_000))).toBe(2);
  });

  test('lets only so many different ones through, until the minute is over', () => {
    const throttle = new EventThrottle();
    let passed = 0;
    for (let i = 0; i < 5000; i++) if (throttle.pass(`${i}`, instant(i)) !== null) passed++;
    expect(passed).toBe(LIMITS.eventKeys);
    expect(throttle.pass('later', instant(70_000))).toBe(0);
  });
});
