import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLogin, nameCandidates, nameKey, shortenedLogin } from '../../src/access/names.js';

describe('a login', () => {
  test.each(['a', 'alice', 'A1_-@~!#%+.$', 'bob@corp.example', 'x'.repeat(255)])('%s is one', (text) => {
    expect(isLogin(text)).toBe(true);
  });

  test.each(['', ' ', 'al ice', 'älice', 'CORP\\alice', 'a/b', 'a:b', 'a\n', 'alice\0', 'a\ufffd', 'x'.repeat(256)])(
    '%j is none',
    (text) => {
      expect(isLogin(text)).toBe(false);
    },
  );

  test('is found without regard to case', () => {
    expect(nameKey('AliceÄ@Corp')).toBe(nameKey('aliceÄ@cORP'));
  });
});

describe('what a name may mean', () => {
  const domains = ['CORP', 'corp.example'];

  test.each<[string, readonly string[]]>([
    ['Alice', ['alice']],
    ['CORP\\Alice', ['alice']],
    ['corp\\alice', ['alice']],
    ['alice@corp.example', ['alice@corp.example', 'alice']],
    ['alice@CORP.EXAMPLE', ['alice@corp.example', 'alice']],
    ['bob@home@corp.example', ['bob@home@corp.example', 'bob@home']],
    ['alice@other.example', ['alice@other.example']],
    ['OTHER\\alice', []],
    ['CORP\\', []],
    ['CORP\\al ice', []],
    ['@corp.example', ['@corp.example']],
    ['al ice', []],
  ])('with CORP and corp.example listed, %s may mean %j', (sent, candidates) => {
    expect(nameCandidates(sent, domains)).toEqual(candidates);
  });

  test('without listed domains a name means itself alone', () => {
    expect(nameCandidates('alice@corp.example', [])).toEqual(['alice@corp.example']);
    expect(nameCandidates('CORP\\alice', [])).toEqual([]);
  });

  test('every candidate is a login in lower case, and the name as sent comes first', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (sent, listed) => {
        const candidates = nameCandidates(sent, listed);
        for (const candidate of candidates) {
          expect(isLogin(candidate)).toBe(true);
          expect(candidate).toBe(candidate.toLowerCase());
        }
        if (isLogin(sent)) expect(candidates[0]).toBe(nameKey(sent));
      }),
    );
  });
});

test.each([
  ['correct horse', 'co…(13)'],
  ['ab', 'ab…(2)'],
  ['😀😀😀', '😀😀…(3)'],
])('%s, which names nobody, is stored as %s', (sent, stored) => {
  expect(shortenedLogin(sent)).toBe(stored);
});
