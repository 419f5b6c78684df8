import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Split, splits } from '../../src/access/credential.js';
import type { CredentialForm } from '../../src/access/ports.js';

const policy = (credentialForms: CredentialForm[], separator = '') => ({ credentialForms, separator });
const SIX = [{ digits: 6 as const }];
const read = (
  text: string,
  forms: CredentialForm[],
  tokens: { digits: 6 | 7 | 8 }[] = SIX,
  separator = '',
): Split[] => [...splits(text, policy(forms, separator), tokens)];
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('otp', () => {
  test.each([
    ['492039', '492039'],
    ['492 039', '492039'],
    ['correct horse492039', null],
    ['', null],
  ])('%j is the code %j', (text, code) => {
    expect(read(text, ['otp'])).toEqual([{ password: '', code }]);
  });

  test('SCRV1 is not understood there', () => {
    expect(read(`SCRV1:${base64('x')}:${base64('492039')}`, ['otp'])).toEqual([{ password: '', code: null }]);
  });
});

describe('password+otp', () => {
  test.each([
    ['correct horse492039', 'correct horse', '492039'],
    ['correct horse 492039', 'correct horse ', '492039'],
    ['123456492039', '123456', '492039'],
    ['492039', '', '492039'],
    ['correct horse', 'correct', null],
    ['pässwörd😀492039', 'pässwörd😀', '492039'],
  ])('%j is the password %j and the code %j', (text, password, code) => {
    expect(read(text, ['password+otp'])).toEqual([{ password, code }]);
  });

  test('what is too short for a code is a password without one', () => {
    expect(read('horse', ['password+otp'])).toEqual([{ password: 'horse', code: null }]);
    expect(read('', ['password+otp'])).toEqual([{ password: '', code: null }]);
  });

  test('every length that the tokens have is a split, the first token’s first, each once', () => {
    expect(read('horse12345678', ['password+otp'], [{ digits: 8 }, { digits: 6 }, { digits: 8 }])).toEqual([
      { password: 'horse', code: '12345678' },
      { password: 'horse12', code: '345678' },
    ]);
  });

  test('without a token six digits are taken off', () => {
    expect(read('horse492039', ['password+otp'], [])).toEqual([{ password: 'horse', code: '492039' }]);
  });

  test.each([
    ['horse,492039', 'horse', '492039'],
    ['a,b,492039', 'a,b', '492039'],
    [',492039', '', '492039'],
    ['horse492039', 'horse492039', null],
    ['492039', '492039', null],
  ])('with the separator "," %j is %j and %j', (text, password, code) => {
    expect(read(text, ['password+otp'], SIX, ',')).toEqual([{ password, code }]);
  });
});

describe('otp+password', () => {
  test.each([
    ['492039correct horse', '', 'correct horse', '492039'],
    ['492039', '', '', '492039'],
    ['correct horse', '', 't horse', null],
    ['492039:horse', ':', 'horse', '492039'],
    ['492039horse', ':', '492039horse', null],
    ['4920', '', '4920', null],
  ])('%j with separator %j is %j and %j', (text, separator, password, code) => {
    expect(read(text, ['otp+password'], SIX, separator)).toEqual([{ password, code }]);
  });

  test('beside password+otp both ways are offered', () => {
    expect(read('492039horse123456', ['password+otp', 'otp+password'])).toEqual([
      { password: '492039horse', code: '123456' },
      { password: 'horse123456', code: '492039' },
    ]);
  });
});

test('otp beside another form leaves an empty password, which is never right', () => {
  expect(read('492039', ['otp', 'challenge'])).toEqual([{ password: '', code: '492039' }]);
  expect(read('horse492039', ['password+otp', 'otp'])).toEqual([
    { password: 'horse', code: '492039' },
    { password: '', code: null },
  ]);
});

describe('SCRV1', () => {
  test.each<CredentialForm>(['password+otp', 'challenge'])('is understood where %s is allowed', (form) => {
    expect(read(`SCRV1:${base64('correct: hörse')}:${base64('492 039')}`, [form])).toEqual([
      { password: 'correct: hörse', code: '492039' },
    ]);
  });

  test('with an empty half keeps that half empty', () => {
    expect(read(`SCRV1::${base64('492039')}`, ['challenge'])).toEqual([{ password: '', code: '492039' }]);
    expect(read(`SCRV1:${base64('horse')}:`, ['challenge'])).toEqual([{ password: 'horse', code: null }]);
  });

  test.each(['SCRV1:aG9yc2U=', 'scrv1:aG9yc2U=:NDkyMDM5', 'SCRV1:!:NDkyMDM5', 'SCRV1:a:b:c'])(
    '%s is not SCRV1, so it is a password as any other',
    (text) => {
      expect(read(text, ['challenge'])).toEqual([{ password: text, code: null }]);
    },
  );
});

describe('properties', () => {
  const digits = fc.constantFrom<6 | 7 | 8>(6, 7, 8);
  const code = (length: number) => fc.stringMatching(new RegExp(`^[0-9]{${length}}$`));
  const separator = fc.constantFrom('', ',', ':', '--');

  test('the split that was meant is among those offered, whichever token made the code', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.array(digits, { minLength: 1, maxLength: 3 }).chain((lengths) =>
          fc.nat({ max: lengths.length - 1 }).chain((chosen) => {
            const length = lengths[chosen] ?? 6;
            return fc.record({ lengths: fc.constant(lengths), code: code(length) });
          }),
        ),
        separator,
        fc.boolean(),
        (password, { lengths, code: typed }, between, last) => {
          const text = last ? `${password}${between}${typed}` : `${typed}${between}${password}`;
          const form = last ? 'password+otp' : 'otp+password';
          fc.pre(!text.startsWith('SCRV1:'));
          const tokens = lengths.map((length) => ({ digits: length }));
          expect(splits(text, policy([form], between), tokens)).toContainEqual({ password, code: typed });
        },
      ),
    );
  });

  test('no split invents or loses a character of the password', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 30 }),
        fc.array(digits, { maxLength: 3 }),
        separator,
        (text, lengths, between) => {
          fc.pre(!text.startsWith('SCRV1:'));
          const tokens = lengths.map((length) => ({ digits: length }));
          for (const split of splits(text, policy(['password+otp'], between), tokens)) {
            expect(text.startsWith(split.password)).toBe(true);
          }
        },
      ),
    );
  });
});
