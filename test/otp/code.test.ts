import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normaliseCode } from '../../src/otp/code.js';

test.each([
  ['492039', '492039'],
  ['492 039', '492039'],
  ['492-039', '492039'],
  [' 49 20-39 ', '492039'],
  ['003784', '003784'],
])('OTP-10 %j is the code %s', (text, code) => {
  expect(normaliseCode(text)).toBe(code);
});

test.each([
  '',
  ' ',
  '-',
  '49203a',
  '٤٩٢٠٣٩',
  '\uff14\uff19\uff12\uff10\uff13\uff19',
  '492\t039',
  '+492039',
  '4.9e5',
  '0x1234',
  '492039\0',
])('OTP-10 %j is no code: only ASCII digits count', (text) => {
  expect(normaliseCode(text)).toBeNull();
});

test('OTP-10 spaces and dashes anywhere change nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...'0123456789 -'), { maxLength: 20 }), (characters) => {
      const digits = characters.filter((character) => character !== ' ' && character !== '-').join('');
      expect(normaliseCode(characters.join(''))).toBe(digits === '' ? null : digits);
    }),
  );
});
