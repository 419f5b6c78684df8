import { describe, expect, test } from 'vitest';
import { instant, millis } from '../../src/base/units.js';
import { BriefCache } from '../../src/http/brief-cache.js';
import { Budget } from '../../src/http/budget.js';
import { nesting } from '../../src/http/json-body.js';
import { canonicalAddress, hostOf } from '../../src/http/peer.js';
import { Places } from '../../src/http/places.js';
import { refusalWait } from '../../src/http/routes/authenticate.js';

const at = (seconds: number) => instant(1_000_000 + seconds * 1_000);

describe('a budget', () => {
  const limits = { burst: 3, perMinute: 6, peers: 2 };

  test('is spent, says how many seconds to wait, and comes back steadily', () => {
    const budget = new Budget(limits);
    for (let i = 0; i < 3; i++) {
      expect(budget.wait('a', at(0))).toBe(0);
      budget.spend('a', at(0));
    }
    expect(budget.wait('a', at(0))).toBe(10);
    expect(budget.wait('a', at(9))).toBe(1);
    expect(budget.wait('a', at(10))).toBe(0);
    expect(budget.wait('b', at(0))).toBe(0);
  });

  test('takes back what was no failure', () => {
    const budget = new Budget({ ...limits, burst: 1 });
    budget.spend('a', at(0));
    expect(budget.wait('a', at(0))).toBe(10);
    budget.refund('a', at(0));
    expect(budget.wait('a', at(0))).toBe(0);
  });

  test('is not refilled by a clock that is set back', () => {
    const budget = new Budget({ ...limits, burst: 1 });
    budget.spend('a', at(100));
    expect(budget.wait('a', at(0))).toBe(10);
    expect(budget.wait('a', at(10))).toBe(0);
  });

  test('forgets the name that was quiet the longest, and no more names are kept than the limit', () => {
    const budget = new Budget({ ...limits, burst: 1 });
    for (const name of ['a', 'b', 'c']) budget.spend(name, at(0));
    expect(['a', 'b', 'c'].map((name) => budget.wait(name, at(0)))).toEqual([0, 10, 10]);
  });
});

describe('places in flight', () => {
  test('are bounded in all and for one host, and come back once', () => {
    const places = new Places({ inFlight: 3, inFlightPerPeer: 2 });
    const first = places.take('a');
    expect(first).not.toBeNull();
    expect(places.take('a')).not.toBeNull();
    expect(places.take('a')).toBeNull();
    expect(places.take('b')).not.toBeNull();
    expect(places.take('c')).toBeNull();
    first?.release();
    first?.release();
    expect(places.taken).toBe(2);
    expect(places.take('c')).not.toBeNull();
    expect(places.take('a')).toBeNull();
  });
});

describe('what was found a moment ago', () => {
  test('is kept for its time, and not longer when the clock is set back', async () => {
    let now = at(0);
    let asked = 0;
    const cache = new BriefCache<number>({ entries: 10, millis: 5_000 }, () => now);
    const find = async () => ++asked;
    expect(await cache.getOr('a', find)).toBe(1);
    now = at(4);
    expect(await cache.getOr('a', find)).toBe(1);
    now = at(5);
    expect(await cache.getOr('a', find)).toBe(2);
    now = at(-3_600);
    expect(await cache.getOr('a', find)).toBe(3);
  });

  test('is not kept where it was not found, or where the fill began before an invalidation', async () => {
    const cache = new BriefCache<number>({ entries: 10, millis: 5_000 }, () => at(0));
    expect(await cache.getOr('a', async () => null)).toBeNull();
    expect(cache.get('a')).toBeUndefined();
    const filled = cache.getOr('b', async () => {
      cache.invalidate();
      return 1;
    });
    expect(await filled).toBe(1);
    expect(cache.get('b')).toBeUndefined();
  });
});

test.each([
  ['1', 0],
  ['{}', 1],
  ['[[{"a":[]}]]', 4],
  [String.raw`{"[[[\"[[":"{{{\\"}`, 1],
  ['[[[[[[[[', 4],
])('HTTP-11: the nesting of %s is %i, counted to one past the bound', (text, depth) => {
  expect(nesting(text, text.startsWith('[[[[') ? 3 : 10)).toBe(depth);
});

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:DB8:0:0::1', '2001:db8::1'],
  ['127.1', null],
  ['192.0.2.7/32', null],
  ['vpn.example.org', null],
  ['', null],
])('the canonical text of address %s is %s', (text, canonical) => {
  expect(canonicalAddress(text)).toBe(canonical);
});

test('an IPv6 host is its /64, an IPv4 host its address', () => {
  expect(hostOf('2001:db8:1:2:3:4:5:6')).toBe(hostOf('2001:db8:1:2:ffff::'));
  expect(hostOf('2001:db8:1:2::')).not.toBe(hostOf('2001:db8:1:3::'));
  expect(hostOf('192.0.2.7')).toBe('192.0.2.7');
});

test.each([
  [0, 250],
  [100, 150],
  [250, 0],
  [251, 249],
  [-60_000, 250],
])('a refusal %i ms after the request came waits %i ms', (passed, wait) => {
  expect(refusalWait(at(0), instant(at(0) + passed), millis(250))).toBe(wait);
});

test('without a delay a refusal leaves at once', () => {
  expect(refusalWait(at(0), at(3), millis(0))).toBe(0);
});
