import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameReader, type FramingError } from '../../src/ldap/framing.js';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const BIND = hex('300c 020101 6007 020103 0400 8000');
const UNBIND = hex('3005 020105 4200');
const LIMIT = 4096;

/** Everything that a reader makes of `chunks`. */
function readAll(chunks: readonly Buffer[], limit = LIMIT): (string | FramingError)[] {
  const reader = new FrameReader();
  const out: (string | FramingError)[] = [];
  for (const chunk of chunks) {
    reader.push(Buffer.from(chunk));
    for (;;) {
      const frame = reader.next(limit);
      if (frame === null) break;
      if (typeof frame === 'string') return [...out, frame];
      out.push(frame.toString('hex'));
    }
  }
  return out;
}

describe('messages are cut out of a stream', () => {
  const stream = Buffer.concat([BIND, UNBIND]);
  test('whole, octet by octet, and with octets behind', () => {
    const expected = [BIND.toString('hex'), UNBIND.toString('hex')];
    expect(readAll([stream])).toEqual(expected);
    expect(readAll([...stream].map((octet) => Buffer.from([octet])))).toEqual(expected);
    expect(readAll([Buffer.concat([stream, hex('3005 0201')])])).toEqual(expected);
  });

  test('any way of cutting the stream gives the same messages', () => {
    const many = Buffer.concat(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? BIND : UNBIND)));
    const expected = readAll([many]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 })), (lengths) => {
        const chunks: Buffer[] = [];
        let at = 0;
        for (const length of lengths) {
          chunks.push(many.subarray(at, at + length));
          at += length;
        }
        chunks.push(many.subarray(at));
        expect(readAll(chunks.filter((chunk) => chunk.length > 0))).toEqual(expected);
      }),
    );
  });

  test('a frame stays what it was while the next ones arrive', () => {
    const reader = new FrameReader();
    reader.push(Buffer.concat([BIND, UNBIND.subarray(0, 3)]));
    const first = reader.next(LIMIT);
    expect(reader.next(LIMIT)).toBeNull();
    reader.push(Buffer.concat([UNBIND.subarray(3), BIND]));
    const second = reader.next(LIMIT);
    const third = reader.next(LIMIT);
    expect([first, second, third]).toEqual([BIND, UNBIND, BIND]);
    expect(reader.waiting).toBe(0);
  });

  test.each([
    ['indefinite', '3080', 'protocol_error'],
    ['of five octets', '3085 0000000001', 'protocol_error'],
    ['of 4 GiB', '3084 ffffffff', 'too_large'],
    ['one over the limit', '3082 1001', 'too_large'],
  ])('LDAP-2: a length %s ends it before anything is kept', (_, octets, error) => {
    expect(readAll([hex(octets)])).toEqual([error]);
    expect(readAll([...hex(octets)].map((octet) => Buffer.from([octet])))).toEqual([error]);
  });

  test.each(['16030100', '474554202f', '04', '00', 'ff'])('LDAP-3: %s is no message', (octets) => {
    expect(readAll([hex(octets)])).toEqual(['protocol_error']);
  });

  test('LDAP-2: an announced length costs nothing until the octets come; then a large message octet by octet is linear', () => {
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 2000 }, () => {
      const reader = new FrameReader();
      reader.push(hex('3083 03ffff'));
      expect(reader.next(0x4_0000)).toBeNull();
      return reader;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2000 * 4096);
    const [reader] = readers;
    if (reader === undefined) throw new Error('no reader');
    const octet = Buffer.from([0]);
    for (let count = 0; count < 0x3_fffe; count += 1) {
      reader.push(octet);
      if (reader.next(0x4_0000) !== null) throw new Error('too early');
    }
    reader.push(octet);
    expect(reader.next(0x4_0000)).toHaveLength(0x3_ffff + 5);
  });

  test('any octets in any pieces: frames, an error, or more is needed', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 30 }), { maxLength: 20 }), (chunks) => {
        const whole = readAll([Buffer.concat(chunks)].filter((chunk) => chunk.length > 0));
        expect(readAll(chunks.map((chunk) => Buffer.from(chunk)))).toEqual(whole);
      }),
      { numRuns: 2000 },
    );
  });
});
