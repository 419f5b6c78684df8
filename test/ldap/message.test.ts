import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { element, integerContent, TAG, textElement } from '../../src/ldap/ber.js';
import type { Filter } from '../../src/ldap/filter.js';
import { LIMITS } from '../../src/ldap/limits.js';
import { type Decoded, decodeMessage } from '../../src/ldap/message.js';

/** What a filter would be in a search URL, near enough to compare. */
function filterText(filter: Filter): string {
  switch (filter.kind) {
    case 'and':
      return `(&${filter.parts.map(filterText).join('')})`;
    case 'or':
      return `(|${filter.parts.map(filterText).join('')})`;
    case 'not':
      return `(!${filterText(filter.part)})`;
    case 'present':
      return `(${filter.attribute}=*)`;
    case 'substrings':
      return `(${filter.attribute}=${[filter.initial ?? '', ...filter.any, filter.final ?? ''].join('*')})`;
    case 'extensible':
      return `(${filter.attribute ?? ''}${filter.dnAttributes ? ':dn' : ''}:${filter.rule ?? ''}:=${filter.value})`;
    default:
      return `(${filter.attribute}${{ equal: '=', greaterOrEqual: '>=', lessOrEqual: '<=', approx: '~=' }[filter.kind]}${filter.value})`;
  }
}

function describeMessage(decoded: Decoded): string {
  if (decoded.kind === 'unreadable') return 'unreadable';
  if (decoded.kind === 'broken') return `broken id=${decoded.id} ${decoded.code}`;
  const { id, request } = decoded;
  const critical = decoded.criticalUnknown ? ' critical' : '';
  switch (request.kind) {
    case 'bind': {
      const choice = request.password === null ? 'other' : `password="${request.password}"`;
      return `bind id=${id} v${request.version} name="${request.name}" ${choice}${critical}`;
    }
    case 'search': {
      const limits = `size=${request.sizeLimit} time=${request.timeLimit}`;
      const tail = `${request.typesOnly ? ' typesOnly' : ''}${critical}`;
      return `search id=${id} base="${request.base}" scope=${request.scope} ${limits} ${filterText(request.filter)} [${request.attributes}]${tail}`;
    }
    case 'compare':
      return `compare id=${id} dn="${request.dn}" ${request.attribute}=${request.value}`;
    case 'extended':
      return `extended id=${id} ${request.oid}${request.value === null ? '' : ` value=${request.value.toString('hex')}`}`;
    case 'abandon':
      return `abandon id=${id} target=${request.target}`;
    default:
      return `${request.kind} id=${id}`;
  }
}

const vectors = readFileSync(new URL('../vectors/ldap/messages.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [hex = '', meaning = ''] = line.split(' → ');
    return { octets: Buffer.from(hex.replaceAll(' ', ''), 'hex'), meaning };
  });

/** A search request around `filter`. */
const searchWith = (filter: Buffer): Buffer =>
  element(
    TAG.sequence,
    element(TAG.integer, integerContent(1)),
    element(
      0x63,
      textElement(TAG.octetString, ''),
      element(TAG.enumerated, integerContent(2)),
      element(TAG.enumerated, integerContent(0)),
      element(TAG.integer, integerContent(0)),
      element(TAG.integer, integerContent(0)),
      element(TAG.boolean, Buffer.from([0])),
      filter,
      element(TAG.sequence),
    ),
  );
const PRESENT = textElement(0x87, 'cn');
const nested = (depth: number): Buffer => {
  let filter = PRESENT;
  for (let level = 1; level < depth; level += 1) filter = element(0xa2, filter);
  return filter;
};

describe('LDAP messages are read', () => {
  test.each(vectors)('$meaning', ({ octets, meaning }) => {
    expect(describeMessage(decodeMessage(octets))).toBe(meaning);
  });

  test('every shorter beginning of a message is unreadable or broken, never something else', () => {
    for (const { octets, meaning } of vectors) {
      if (meaning === 'unreadable' || meaning.startsWith('broken')) continue;
      for (let length = 0; length < octets.length; length += 1) {
        const kind = decodeMessage(octets.subarray(0, length)).kind;
        expect(kind).not.toBe('request');
      }
    }
  });

  test('LDAP-46: a filter of 32 levels is read, one of 33 and one of 30,000 are refused with 53', () => {
    expect(decodeMessage(searchWith(nested(LIMITS.filterDepth)))).toMatchObject({ kind: 'request' });
    expect(decodeMessage(searchWith(nested(LIMITS.filterDepth + 1)))).toMatchObject({ kind: 'broken', code: 53 });
    expect(decodeMessage(searchWith(nested(30_000)))).toMatchObject({ kind: 'broken', code: 53 });
  });

  test('LDAP-46: a filter of 1,000 nodes is read, one more is refused with 53', () => {
    const wide = (nodes: number) => element(0xa1, ...Array.from({ length: nodes - 1 }, () => PRESENT));
    expect(decodeMessage(searchWith(wide(LIMITS.filterNodes)))).toMatchObject({ kind: 'request' });
    expect(decodeMessage(searchWith(wide(LIMITS.filterNodes + 1)))).toMatchObject({ kind: 'broken', code: 53 });
  });

  test('LDAP-45: an empty and, an empty or are filters; an empty not is none', () => {
    expect(decodeMessage(searchWith(element(0xa0)))).toMatchObject({ request: { filter: { kind: 'and', parts: [] } } });
    expect(decodeMessage(searchWith(element(0xa1)))).toMatchObject({ request: { filter: { kind: 'or', parts: [] } } });
    expect(decodeMessage(searchWith(element(0xa2)))).toMatchObject({ kind: 'broken', code: 2 });
    expect(decodeMessage(searchWith(element(0xa2, PRESENT, PRESENT)))).toMatchObject({ kind: 'broken', code: 2 });
  });

  test('any octets, and any change to a good message, are read to one of the three outcomes', () => {
    const kinds = ['request', 'broken', 'unreadable'];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        expect(kinds).toContain(decodeMessage(Buffer.from(octets)).kind);
      }),
      { numRuns: 2000 },
    );
    const change = fc.record({ at: fc.nat(200), to: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(fc.constantFrom(...vectors), fc.array(change, { minLength: 1, maxLength: 4 }), (vector, changes) => {
        const octets = Buffer.from(vector.octets);
        for (const { at, to } of changes) octets[at % octets.length] = to;
        expect(kinds).toContain(decodeMessage(octets).kind);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('filters travel', () => {
  const value = fc.string({ unit: fc.constantFrom('a', 'b', 'č', ' ', '(', '*'), minLength: 1, maxLength: 6 });
  const name = fc.constantFrom('cn', 'uid', 'mail', 'objectClass');
  const pair = (tag: number) =>
    fc.tuple(name, value).map(([attribute, text]) => element(tag, textElement(4, attribute), textElement(4, text)));
  const { filter } = fc.letrec<{ filter: Buffer }>((tie) => ({
    filter: fc.oneof(
      { depthSize: 'small', maxDepth: 8 },
      name.map((attribute) => textElement(0x87, attribute)),
      pair(0xa3),
      pair(0xa5),
      pair(0xa6),
      pair(0xa8),
      fc.array(tie('filter'), { maxLength: 4 }).map((parts) => element(0xa0, ...parts)),
      fc.array(tie('filter'), { maxLength: 4 }).map((parts) => element(0xa1, ...parts)),
      tie('filter').map((part) => element(0xa2, part)),
    ),
  }));

  /** Writes a filter of the kinds above. */
  const write = (read: Filter): Buffer => {
    switch (read.kind) {
      case 'and':
        return element(0xa0, ...read.parts.map(write));
      case 'or':
        return element(0xa1, ...read.parts.map(write));
      case 'not':
        return element(0xa2, write(read.part));
      case 'present':
        return textElement(0x87, read.attribute);
      case 'equal':
      case 'greaterOrEqual':
      case 'lessOrEqual':
      case 'approx': {
        const tag = { equal: 0xa3, greaterOrEqual: 0xa5, lessOrEqual: 0xa6, approx: 0xa8 }[read.kind];
        return element(tag, textElement(4, read.attribute), element(4, read.value));
      }
      default:
        throw new Error(`not written here: ${read.kind}`);
    }
  };

  test('what is read is what was written, whole and in order', () => {
    fc.assert(
      fc.property(filter, (octets) => {
        const decoded = decodeMessage(searchWith(octets));
        if (decoded.kind !== 'request' || decoded.request.kind !== 'search') throw new Error(decoded.kind);
        expect(write(decoded.request.filter)).toEqual(octets);
      }),
    );
  });
});
