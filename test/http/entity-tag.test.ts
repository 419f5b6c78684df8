import { describe, expect, test } from 'vitest';
import { alreadyHas, entityTag, ifMatch } from '../../src/http/entity-tag.js';

describe('HTTP-3: entity tags (RFC 9110 §8.8.3, §13)', () => {
  test('a tag is strong and differs with the revision and with what is shown', () => {
    const tag = entityTag({ revision: 3 });
    expect(tag).toMatch(/^"3\.[\w-]{11}"$/);
    expect(entityTag({ revision: 4 })).not.toBe(tag);
    expect(entityTag({ ...{ name: 'renamed' }, revision: 3 })).not.toBe(tag);
    expect(entityTag({ revision: 3 })).toBe(tag);
  });

  test.each<[string | undefined, readonly number[] | null]>([
    [undefined, null],
    ['*', null],
    ['"3.abcdefghijk"', [3]],
    ['"3"', [3]],
    ['"3", "4.x"', [3, 4]],
    [' ,, "3" ,', [3]],
    ['W/"3"', []],
    ['"three"', []],
    ['3', []],
    ['"3', []],
    ['', []],
  ])('If-Match: %s lets pass %j', (header, revisions) => {
    expect(ifMatch(header)).toEqual(revisions);
  });

  test.each([
    [undefined, false],
    ['*', true],
    ['"3.a"', true],
    ['W/"3.a"', true],
    ['"1.b", "3.a"', true],
    ['"3.b"', false],
    ['"3"', false],
    ['broken', false],
  ])('If-None-Match: %s has "3.a": %s', (header, has) => {
    expect(alreadyHas(header, '"3.a"')).toBe(has);
  });

  test('a long header of separators is read in linear time', () => {
    expect(ifMatch(`${', '.repeat(8_000)}x`)).toEqual([]);
  });
});
