import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant, seconds } from '../../src/base/units.js';
import { hotp } from '../../src/otp/hotp.js';
import { HOTP_LOOK_AHEAD, HOTP_LOOK_BACK, matchOtp, type OtpToken } from '../../src/otp/match.js';

const KEY = Buffer.from('12345678901234567890');
const NONE = { kind: 'none' };
const token = (change: Partial<OtpToken> & { floor?: number }): OtpToken => ({
  type: change.type ?? 'totp',
  key: KEY,
  algorithm: 'SHA1',
  digits: change.digits ?? 6,
  period: seconds(30),
  state: { floor: change.floor ?? 0 },
});
const codeAt = (counter: number) => hotp('SHA1', KEY, 6, counter);
/** In the middle of a step. */
const during = (step: number) => instant(step * 30_000 + 15_000);

describe('a TOTP token', () => {
  test.each([
    [98, NONE],
    [99, { kind: 'fresh', at: 99 }],
    [100, { kind: 'fresh', at: 100 }],
    [101, { kind: 'fresh', at: 101 }],
    [102, NONE],
  ])('OTP-5 in step 100 the code of step %d gives %j', (step, match) => {
    expect(matchOtp(token({}), codeAt(step), during(100))).toEqual(match);
  });

  test.each([
    [99, { kind: 'spent', at: 99 }],
    [100, { kind: 'spent', at: 100 }],
    [101, { kind: 'fresh', at: 101 }],
  ])('OTP-6 with step 100 accepted last, the code of step %d gives %j', (step, match) => {
    expect(matchOtp(token({ floor: 101 }), codeAt(step), during(100))).toEqual(match);
  });

  test('a code spent so long ago that it has left the window is wrong', () => {
    expect(matchOtp(token({ floor: 101 }), codeAt(98), during(100))).toEqual(NONE);
  });

  test('before the first step there is no candidate below zero', () => {
    expect(matchOtp(token({}), codeAt(0), during(0))).toEqual({ kind: 'fresh', at: 0 });
  });
});

describe('a HOTP token', () => {
  test.each([
    [39, NONE],
    [40, { kind: 'spent', at: 40 }],
    [49, { kind: 'spent', at: 49 }],
    [50, { kind: 'fresh', at: 50 }],
    [60, { kind: 'fresh', at: 60 }],
    [61, NONE],
  ])('OTP-2 with 50 the next counter, the code of counter %d gives %j', (counter, match) => {
    expect(matchOtp(token({ type: 'hotp', floor: 50 }), codeAt(counter), instant(0))).toEqual(match);
  });

  test('OTP-2 a new token knows no counter below zero', () => {
    expect(matchOtp(token({ type: 'hotp' }), codeAt(0), instant(0))).toEqual({ kind: 'fresh', at: 0 });
  });

  test('what matches is within the look-ahead or the look-back, for any floor', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 40 }), fc.integer({ min: -15, max: 15 }), (base, offset) => {
        const floor = base + 20;
        const match = matchOtp(token({ type: 'hotp', floor }), codeAt(floor + offset), instant(0));
        // One code in a hundred thousand looks like another candidate's; then only its counter differs.
        if (offset >= 0 && offset <= HOTP_LOOK_AHEAD) expect(match.kind).toBe('fresh');
        else if (offset < 0 && -offset <= HOTP_LOOK_BACK) expect(match.kind).not.toBe('none');
        else expect(codeAt(match.kind === 'none' ? floor + offset : match.at)).toBe(codeAt(floor + offset));
      }),
    );
  });
});

describe('a code that cannot match', () => {
  test.each([
    ['null', null],
    ['five digits', '28708'],
    ['seven digits', '0287082'],
    ['the code without its left zeros', '3784'],
    ['nothing', ''],
  ])('OTP-10 %s matches nothing, though the number may be right', (_, code) => {
    expect(matchOtp(token({ type: 'hotp', floor: 1 }), code, instant(0))).toEqual(NONE);
    expect(matchOtp(token({ type: 'hotp', floor: 36 }), code, instant(0))).toEqual(NONE);
  });

  test('a code of eight digits matches a token of eight', () => {
    expect(matchOtp(token({ digits: 8 }), '94287082', instant(59_000))).toEqual({ kind: 'fresh', at: 1 });
    expect(matchOtp(token({ digits: 8 }), '287082', instant(59_000))).toEqual(NONE);
  });
});

describe('two candidates that show the same code', () => {
  /** The first two counters within `distance` of each other with one code; they exist in any long enough run. */
  const twins = (distance: number): readonly [number, number] => {
    const seen = new Map<string, number>();
    for (let counter = 0; ; counter++) {
      const code = codeAt(counter);
      const before = seen.get(code);
      if (before !== undefined && counter - before <= distance) return [before, counter];
      seen.set(code, counter);
    }
  };
  const [first, second] = twins(HOTP_LOOK_AHEAD);

  test('count as the lower one while both are fresh, so that the counter does not run ahead', () => {
    expect(matchOtp(token({ type: 'hotp', floor: first }), codeAt(first), instant(0))).toEqual({
      kind: 'fresh',
      at: first,
    });
  });

  test('count as the fresh one where the other is spent', () => {
    expect(matchOtp(token({ type: 'hotp', floor: second }), codeAt(first), instant(0))).toEqual({
      kind: 'fresh',
      at: second,
    });
  });

  test('count as the later one where both are spent', () => {
    expect(matchOtp(token({ type: 'hotp', floor: second + 1 }), codeAt(first), instant(0)).kind).toBe('spent');
  });
});
