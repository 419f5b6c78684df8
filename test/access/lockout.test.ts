import { describe, expect, test } from 'vitest';
import {
  type LockoutInput,
  lockedUntil,
  lockoutChanges,
  OVERALL,
  otpKey,
  passwordKey,
} from '../../src/access/lockout.js';
import type { LockoutPolicy, LockoutState } from '../../src/access/ports.js';
import { instant, millis } from '../../src/base/units.js';

const POLICY: LockoutPolicy = { failures: 3, window: millis(1000), duration: millis(500) };
const HERE = '192.0.2.1';
const THERE = '203.0.113.9';

/** The counters of one user, moved as a ledger moves them. */
class Counters {
  states: ReadonlyMap<string, LockoutState> = new Map();

  tell(input: LockoutInput, now: number, from = HERE): string[] {
    const changes = lockoutChanges(this.states, from, POLICY, instant(now), input);
    const next = new Map(this.states);
    for (const change of changes) {
      expect(change.before).toBe(this.states.get(change.source) ?? null);
      next.set(change.source, change.after);
    }
    this.states = next;
    return changes.map((change) => change.source);
  }

  code(hash: string, now: number, from = HERE): string[] {
    return this.tell({ kind: 'wrongOtp', hash }, now, from);
  }

  password(hash: string, now: number, from = HERE): string[] {
    return this.tell({ kind: 'wrongPassword', hash }, now, from);
  }

  failures(key: string): number {
    return this.states.get(key)?.failures ?? 0;
  }

  locked(now: number, from = HERE): number {
    return lockedUntil(this.states, from, instant(now));
  }
}

describe('counting', () => {
  test('OTP-4 a wrong code counts for its source and over all', () => {
    const counters = new Counters();
    expect(counters.code('a', 0)).toEqual([otpKey(HERE), OVERALL]);
    expect(counters.failures(otpKey(HERE))).toBe(1);
    expect(counters.failures(OVERALL)).toBe(1);
  });

  test('a wrong first factor counts for its source alone, and never against the codes', () => {
    const counters = new Counters();
    expect(counters.password('a', 0)).toEqual([passwordKey(HERE)]);
    expect(counters.failures(otpKey(HERE))).toBe(0);
  });

  test('the same wrong code again counts once, also with another between', () => {
    const counters = new Counters();
    counters.code('a', 0);
    counters.code('b', 1);
    expect(counters.code('a', 2)).toEqual([]);
    expect(counters.failures(otpKey(HERE))).toBe(2);
  });

  test('five wrong codes are remembered, the sixth pushes out the first', () => {
    const policy: LockoutPolicy = { ...POLICY, failures: 100 };
    let states: ReadonlyMap<string, LockoutState> = new Map();
    for (const hash of ['a', 'b', 'c', 'd', 'e', 'f']) {
      const changes = lockoutChanges(states, HERE, policy, instant(0), { kind: 'wrongOtp', hash });
      states = new Map(changes.map((change) => [change.source, change.after]));
    }
    expect(states.get(otpKey(HERE))?.recent).toEqual(['b', 'c', 'd', 'e', 'f']);
  });

  test('a window that is over begins anew, and forgets which codes were wrong', () => {
    const counters = new Counters();
    counters.code('a', 0);
    counters.code('b', 999);
    expect(counters.code('a', 1000)).toEqual([otpKey(HERE), OVERALL]);
    expect(counters.states.get(otpKey(HERE))).toEqual({
      failures: 1,
      windowStart: 1000,
      lockedUntil: 0,
      recent: ['a'],
    });
  });
});

describe('locking', () => {
  test('OTP-4 the failure that reaches the limit locks for the duration', () => {
    const counters = new Counters();
    counters.code('a', 0);
    counters.code('b', 1);
    expect(counters.locked(1)).toBe(0);
    counters.code('c', 2);
    expect(counters.locked(2)).toBe(502);
    expect(counters.locked(501)).toBe(502);
    expect(counters.locked(502)).toBe(0);
  });

  test('another source is not locked with it', () => {
    const counters = new Counters();
    for (const hash of ['a', 'b', 'c']) counters.code(hash, 0, THERE);
    expect(counters.locked(0, THERE)).toBe(500);
    expect(counters.locked(0, HERE)).toBe(0);
  });

  test('an attempt during a lock neither counts nor prolongs', () => {
    const counters = new Counters();
    for (const hash of ['a', 'b', 'c']) counters.code(hash, 0);
    expect(counters.code('d', 100)).toEqual([]);
    expect(counters.password('d', 100)).toEqual([]);
    expect(counters.locked(100)).toBe(500);
    expect(counters.failures(otpKey(HERE))).toBe(3);
  });

  test('after the lock the count begins anew, though the window may not be over', () => {
    const counters = new Counters();
    for (const hash of ['a', 'b', 'c']) counters.code(hash, 0);
    counters.code('a', 500);
    expect(counters.failures(otpKey(HERE))).toBe(1);
    expect(counters.locked(500)).toBe(0);
  });

  test('ten times the limit from many sources locks the user everywhere', () => {
    const counters = new Counters();
    for (let failure = 0; failure < 29; failure++) counters.code(`code ${failure}`, 0, `203.0.113.${failure}`);
    expect(counters.locked(0)).toBe(0);
    counters.code('the last', 0, '203.0.113.99');
    expect(counters.locked(0)).toBe(500);
  });

  test('wrong passwords lock their source alone, however many', () => {
    const counters = new Counters();
    for (let failure = 0; failure < 60; failure++) counters.password(`${failure}`, 0, `203.0.113.${failure % 20}`);
    expect(counters.locked(0, '203.0.113.1')).toBe(500);
    expect(counters.locked(0)).toBe(0);
  });

  test('of several locks the last to end counts', () => {
    const counters = new Counters();
    for (const hash of ['a', 'b', 'c']) counters.code(hash, 0);
    counters.states = new Map([
      ...counters.states,
      [passwordKey(HERE), { failures: 3, windowStart: instant(100), lockedUntil: instant(600), recent: [] }],
    ]);
    expect(counters.locked(100)).toBe(600);
  });

  test('neighbours in one IPv6 /64 are one source', () => {
    const counters = new Counters();
    for (const host of [1, 2, 3]) counters.code(`${host}`, 0, `2001:db8::${host}`);
    expect(counters.locked(0, '2001:db8::ffff')).toBe(500);
    expect(counters.locked(0, '2001:db8:0:1::1')).toBe(0);
  });
});

describe('an acceptance', () => {
  test('clears the counters of its own source and leaves the others', () => {
    const counters = new Counters();
    counters.code('a', 0);
    counters.password('a', 0);
    counters.code('b', 0, THERE);
    expect(counters.tell({ kind: 'accepted' }, 5)).toEqual([otpKey(HERE), passwordKey(HERE)]);
    expect(counters.failures(otpKey(HERE))).toBe(0);
    expect(counters.failures(passwordKey(HERE))).toBe(0);
    expect(counters.failures(otpKey(THERE))).toBe(1);
    expect(counters.failures(OVERALL)).toBe(2);
  });

  test('writes nothing where there is nothing to clear', () => {
    const counters = new Counters();
    expect(counters.tell({ kind: 'accepted' }, 0)).toEqual([]);
    counters.code('a', 0, THERE);
    expect(counters.tell({ kind: 'accepted' }, 1)).toEqual([]);
    counters.code('a', 2);
    expect(counters.tell({ kind: 'accepted' }, 3)).toEqual([otpKey(HERE)]);
    expect(counters.tell({ kind: 'accepted' }, 4)).toEqual([]);
  });

  test('after it a wrong code is the first again', () => {
    const counters = new Counters();
    counters.code('a', 0);
    counters.code('b', 0);
    counters.tell({ kind: 'accepted' }, 1);
    counters.code('a', 2);
    expect(counters.states.get(otpKey(HERE))?.failures).toBe(1);
  });
});
