import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant } from '../../src/base/units.js';
import { addressWords } from '../../src/radius/address.js';
import { DelayedReplies, dueAt } from '../../src/radius/delayed-replies.js';
import { EventThrottle } from '../../src/radius/door-event.js';
import {
  DuplicateCache,
  type DuplicateEntry,
  type RequestOrigin,
  type Seen,
} from '../../src/radius/duplicate-cache.js';
import { LIMITS } from '../../src/radius/limits.js';
import { until } from './harness.js';

/** A request with Identifier 0 and an authenticator of these octets. */
const request = (fill: number) => Buffer.concat([Buffer.from([1, 0, 0, 20]), Buffer.alloc(16, fill)]);

interface Place {
  readonly address?: string;
  readonly port?: number;
  readonly socket?: number;
}
const origin = ({ address = '192.0.2.1', port = 1024, socket = 0 }: Place): RequestOrigin => ({
  source: { words: addressWords(address) },
  remote: { port },
  from: { id: socket },
});
const a = origin({ port: 1 });
const b = origin({ port: 2 });
const c = origin({ port: 3 });
const d = origin({ port: 4 });
const e = origin({ port: 5 });

const kindOf = (seen: Seen): string => (typeof seen === 'number' ? 'new' : seen === 'working' ? seen : 'answered');

function seeNew(cache: DuplicateCache, from: RequestOrigin, octets: Buffer, now: number): DuplicateEntry {
  const seen = cache.see(from, octets, instant(now));
  if (typeof seen !== 'number') throw new Error(kindOf(seen));
  return seen;
}

describe('the duplicate cache', () => {
  test('RAD-50: knows a request while it is decided and after its answer', () => {
    const cache = new DuplicateCache();
    const entry = seeNew(cache, a, request(1), 0);
    expect(cache.see(a, request(1), instant(5))).toBe('working');
    expect(cache.answer(entry, a, request(1), Buffer.from('reply'))).toBe(true);
    expect(cache.see(a, request(1), instant(29_999))).toEqual(Buffer.from('reply'));
  });

  test.each([
    ['port', { port: 1025 }],
    ['socket', { socket: 1 }],
    ['address', { address: '192.0.2.2' }],
    ['IPv6 address', { address: '2001:db8::c000:201' }],
    ['IPv6 network', { address: '2001:db8:0:1::c000:201' }],
    ['IPv6 interface', { address: '2001:db8::1:0:c000:201' }],
  ])('RAD-50: the same octets from another %s are another request', (_what, place) => {
    const cache = new DuplicateCache();
    seeNew(cache, origin({ address: '::' }), request(1), 0);
    seeNew(cache, origin({}), request(1), 0);
    seeNew(cache, origin(place), request(1), 0);
    expect(cache.see(origin(place), request(1), instant(1))).toBe('working');
    expect(cache.size).toBe(3);
  });

  test('RAD-50: so are those with another Identifier', () => {
    const cache = new DuplicateCache();
    const other = request(1);
    other[1] = 255;
    seeNew(cache, a, request(1), 0);
    seeNew(cache, a, other, 0);
    expect(cache.size).toBe(2);
  });

  test.each([4, 8, 12, 16, 19])('RAD-51: an authenticator that differs in octet %i is another one', (at) => {
    const cache = new DuplicateCache();
    const other = request(1);
    other[at] = 2;
    seeNew(cache, a, request(1), 0);
    seeNew(cache, a, other, 0);
    expect(cache.size).toBe(1);
  });

  test('RAD-51: another authenticator takes the place, and the old answer is not wanted any more', () => {
    const cache = new DuplicateCache();
    const old = seeNew(cache, a, request(1), 0);
    const entry = seeNew(cache, a, request(2), 1);
    expect(cache.answer(old, a, request(1), Buffer.from('old'))).toBe(false);
    cache.forget(old);
    expect(cache.answer(entry, a, request(2), Buffer.from('new'))).toBe(true);
    expect(cache.see(a, request(2), instant(2))).toEqual(Buffer.from('new'));
  });

  test('RAD-51: an answer whose place another source has taken meanwhile is sent, and not kept for that one', () => {
    const cache = new DuplicateCache({ millis: 30_000, entries: 2, octets: 10_000 });
    const old = seeNew(cache, a, request(1), 0);
    seeNew(cache, b, request(1), 1);
    const successor = seeNew(cache, c, request(1), 2);
    expect(cache.answer(old, a, request(1), Buffer.from('old'))).toBe(true);
    cache.forget(old);
    expect(cache.see(c, request(1), instant(3))).toBe('working');
    expect(cache.answer(successor, c, request(1), Buffer.from('new'))).toBe(true);
    expect(cache.see(c, request(1), instant(4))).toEqual(Buffer.from('new'));
  });

  test('RAD-51: an answer that fell to a bound is not sent once its key has another request', () => {
    const cache = new DuplicateCache({ millis: 30_000, entries: 2, octets: 10_000 });
    const old = seeNew(cache, a, request(1), 0);
    for (const from of [b, c, d]) seeNew(cache, from, request(1), 1);
    seeNew(cache, a, request(2), 2);
    expect(cache.answer(old, a, request(1), Buffer.from('old'))).toBe(false);
  });

  test('RAD-52: entries live 30 s', () => {
    const cache = new DuplicateCache();
    seeNew(cache, a, request(1), 0);
    seeNew(cache, b, request(1), 10_000);
    expect(kindOf(cache.see(a, request(1), instant(30_000)))).toBe('new');
    expect(cache.see(b, request(1), instant(39_999))).toBe('working');
    expect(cache.size).toBe(2);
  });

  test('RAD-52: is bounded in count and in octets, the oldest go first, and their answers are still sent', () => {
    const cache = new DuplicateCache({ millis: 30_000, entries: 3, octets: 10_000 });
    const entries = [a, b, c, d, e].map((from, now) => seeNew(cache, from, request(1), now));
    expect(cache.size).toBe(3);
    expect(kindOf(cache.see(e, request(1), instant(9)))).not.toBe('new');
    const [first] = entries;
    expect(first === undefined ? null : cache.answer(first, a, request(1), Buffer.alloc(1))).toBe(true);

    const heavy = new DuplicateCache({ millis: 30_000, entries: 1000, octets: 1000 });
    for (let port = 0; port < 50; port++) {
      const from = origin({ port });
      heavy.answer(seeNew(heavy, from, request(1), port), from, request(1), Buffer.alloc(100));
    }
    expect(heavy.octets).toBeLessThanOrEqual(1200);
  });

  test.each([0, 1, LIMITS.duplicateSlotOctets, LIMITS.duplicateSlotOctets + 1, LIMITS.packetOctets])(
    'a reply of %i octets comes back as it was, also when its neighbours have theirs',
    (length) => {
      const cache = new DuplicateCache();
      const replies = [a, b, c].map((from, fill) => {
        const reply = Buffer.alloc(length + 1, fill);
        cache.answer(seeNew(cache, from, request(1), 0), from, request(1), reply);
        return reply;
      });
      expect([a, b, c].map((from) => cache.see(from, request(1), instant(1)))).toEqual(replies);
      expect(cache.octets).toBe(3 * (16 + length + 1));
    },
  );

  test('a reply that was handed out stays as it is when another takes its slot', () => {
    const cache = new DuplicateCache();
    cache.answer(seeNew(cache, a, request(1), 0), a, request(1), Buffer.from('one'));
    const reply = cache.see(a, request(1), instant(1));
    cache.answer(seeNew(cache, a, request(2), 2), a, request(2), Buffer.from('two'));
    expect(reply).toEqual(Buffer.from('one'));
  });

  test('a clock that is set back does not keep anything longer than it lives', () => {
    const cache = new DuplicateCache();
    seeNew(cache, a, request(1), 1_000_000);
    seeNew(cache, b, request(1), 0);
    expect(cache.size).toBe(1);
  });

  test('whatever happens in whatever order, it says what a plain list would say, and octets and count add up', () => {
    const step = fc.record({
      key: fc.integer({ min: 0, max: 8 }),
      fill: fc.integer({ min: 0, max: 2 }),
      pass: fc.integer({ min: 0, max: 40 }),
      next: fc.constantFrom('answer', 'answer long', 'forget', 'leave', 'answer an old one'),
    });
    const limits = { millis: 100, entries: 6, octets: 450 };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const cache = new DuplicateCache(limits);
        let list: { key: number; fill: number; expires: number; entry: DuplicateEntry; reply: Buffer | null }[] = [];
        const asked: { key: number; fill: number; entry: DuplicateEntry }[] = [];
        const octets = () => list.reduce((sum, { reply }) => sum + 16 + (reply?.length ?? 0), 0);
        let now = 0;
        for (const [at, { key, fill, pass, next }] of steps.entries()) {
          now += pass;
          list = list.filter(({ expires }) => expires > now);
          while (list.length >= limits.entries || octets() >= limits.octets) list.shift();
          const known = list.find((each) => each.key === key);
          const seen = cache.see(origin({ port: key }), request(fill), instant(now));
          if (known?.fill === fill) expect(seen).toEqual(known.reply ?? 'working');
          else {
            expect(kindOf(seen)).toBe('new');
            if (typeof seen !== 'number') continue;
            const added = { key, fill, expires: now + limits.millis, entry: seen, reply: null };
            list = [...list.filter((each) => each !== known), added];
            asked.push(added);
          }
          const chosen = next === 'answer an old one' ? asked[at % Math.max(1, asked.length)] : asked.at(-1);
          const held = list.find(({ entry }) => entry === chosen?.entry);
          if (chosen === undefined || next === 'leave' || (held?.reply ?? null) !== null) continue;
          if (next === 'forget') {
            cache.forget(chosen.entry);
            list = list.filter((each) => each !== held);
            continue;
          }
          const reply = Buffer.alloc(next === 'answer long' ? 140 : 20, at);
          const wanted = held !== undefined || list.every((each) => each.key !== chosen.key);
          const from = origin({ port: chosen.key });
          expect(cache.answer(chosen.entry, from, request(chosen.fill), reply)).toBe(wanted);
          if (held !== undefined) held.reply = reply;
          expect([cache.size, cache.octets]).toEqual([list.length, octets()]);
        }
        cache.see(origin({ port: 9 }), request(9), instant(now + 1000));
        expect([cache.size, cache.octets]).toEqual([1, 16]);
      }),
    );
  });

  test('holds its bound of entries over a long run, and knows each of them', () => {
    const entries = 5000;
    const cache = new DuplicateCache({ millis: 30_000, entries, octets: LIMITS.duplicateOctets });
    const reply = Buffer.alloc(20);
    for (let port = 0; port < 50_000; port++) {
      const from = origin({ port });
      reply.writeUInt32BE(port);
      cache.answer(seeNew(cache, from, request(1), 0), from, request(1), reply);
    }
    expect(cache.size).toBe(entries);
    // The first look makes room for the next request, so the oldest is gone.
    for (let port = 50_000 - entries + 1; port < 50_000; port++) {
      reply.writeUInt32BE(port);
      expect(cache.see(origin({ port }), request(1), instant(1))).toEqual(reply);
    }
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
