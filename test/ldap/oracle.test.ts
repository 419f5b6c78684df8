/** An independent implementation reads what we write, and writes what we read. */
import { once } from 'node:events';
import fc from 'fast-check';
import ldapjs from 'ldapjs';
import { afterEach, describe, expect, test } from 'vitest';
import { millis } from '../../src/base/units.js';
import { BerReader } from '../../src/ldap/ber.js';
import { dnKey, parseDn, writeDn } from '../../src/ldap/dn.js';
import { decodeFilter } from '../../src/ldap/filter.js';
import { type Door, openDoor } from './door.js';

const USER = 'uid=alice,ou=users,dc=example,dc=org';

let door: Door | null = null;
let client: ldapjs.Client | null = null;
async function connected(): Promise<ldapjs.Client> {
  door = await openDoor();
  client = ldapjs.createClient({ url: door.url });
  client.on('error', () => undefined);
  await once(client, 'connect');
  return client;
}
afterEach(async () => {
  client?.destroy();
  client = null;
  await door?.server.stop(millis(2_000));
  door = null;
});

/** The result code of a callback's error; 0 where there is none. */
const codeOf = (start: (done: (error: ldapjs.Error | null) => void) => void): Promise<number | string> =>
  new Promise((resolve) => start((error) => resolve(error === null ? 0 : error.code)));

describe('ldapjs as the client', () => {
  test('binds, is refused, binds again on the same connection', async () => {
    const ldap = await connected();
    expect(await codeOf((done) => ldap.bind(USER, '755224', done))).toBe(0);
    expect(await codeOf((done) => ldap.bind(USER, '000000', done))).toBe(49);
    expect(await codeOf((done) => ldap.bind('uid=a b\\, c,dc=example,dc=org', 'x', done))).toBe(49);
    expect(await codeOf((done) => ldap.bind('cn=wiki,dc=example,dc=org', 'service', done))).toBe(0);
  });

  test('LDAP-54: asks who it is', async () => {
    const ldap = await connected();
    await codeOf((done) => ldap.bind(USER, '755224', done));
    const value = await new Promise((resolve, reject) => {
      const done = (error: unknown, answer: unknown) => (error ? reject(error) : resolve(answer));
      // Its types want a value, which this request must not have.
      Reflect.apply(ldap.exop, ldap, ['1.3.6.1.4.1.4203.1.11.3', done]);
    });
    expect(value).toBe(`dn:${USER}`);
  });

  test('LDAP-52: reads the root DSE', async () => {
    const ldap = await connected();
    const entries: Record<string, readonly string[]>[] = [];
    const status = await new Promise<number>((resolve, reject) => {
      ldap.search('', { scope: 'base', attributes: ['namingContexts', 'supportedExtension'] }, (error, answer) => {
        if (error) return reject(error);
        answer.on('searchEntry', (entry) => {
          entries.push(Object.fromEntries(entry.attributes.map(({ type, values }) => [type, [...values]])));
        });
        answer.on('error', reject);
        answer.on('end', (end) => resolve(end?.status ?? -1));
        return undefined;
      });
    });
    expect(status).toBe(0);
    expect(entries).toEqual([
      { namingContexts: ['dc=example,dc=org'], supportedExtension: ['1.3.6.1.4.1.4203.1.11.3'] },
    ]);
  });

  test('LDAP-9: may write nothing', async () => {
    const ldap = await connected();
    expect(await codeOf((done) => ldap.add(USER, { cn: 'x' }, done))).toBe(53);
    expect(await codeOf((done) => ldap.del(USER, done))).toBe(53);
    expect(await codeOf((done) => ldap.modifyDN(USER, 'uid=bob,dc=example,dc=org', done))).toBe(53);
  });
});

describe('LDAP-61: filters that ldapjs writes are read', () => {
  test.each([
    ['(cn=Babs Jensen)', { kind: 'equal', attribute: 'cn', value: Buffer.from('Babs Jensen') }],
    ['(!(cn=Tim Howes))', { kind: 'not', part: { kind: 'equal', attribute: 'cn', value: Buffer.from('Tim Howes') } }],
    [
      '(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))',
      {
        kind: 'and',
        parts: [
          { kind: 'equal', attribute: 'objectClass' },
          {
            kind: 'or',
            parts: [
              { kind: 'equal', attribute: 'sn' },
              { kind: 'substrings', attribute: 'cn', initial: Buffer.from('Babs J'), any: [], final: null },
            ],
          },
        ],
      },
    ],
    [
      '(o=univ*of*mich*)',
      { kind: 'substrings', initial: Buffer.from('univ'), any: [Buffer.from('of'), Buffer.from('mich')], final: null },
    ],
    ['(uid=*)', { kind: 'present', attribute: 'uid' }],
    ['(age>=5)', { kind: 'greaterOrEqual', attribute: 'age', value: Buffer.from('5') }],
    ['(age<=5)', { kind: 'lessOrEqual', attribute: 'age', value: Buffer.from('5') }],
    ['(cn~=x)', { kind: 'approx', attribute: 'cn', value: Buffer.from('x') }],
    [
      '(cn:caseExactMatch:=Fred Flintstone)',
      {
        kind: 'extensible',
        rule: 'caseExactMatch',
        attribute: 'cn',
        value: Buffer.from('Fred Flintstone'),
        dnAttributes: false,
      },
    ],
    [
      '(sn:dn:2.4.6.8.10:=Barney Rubble)',
      { kind: 'extensible', rule: '2.4.6.8.10', attribute: 'sn', dnAttributes: true },
    ],
  ])('%s', (text, expected) => {
    const filter: object = ldapjs.parseFilter(text);
    // The types of ldapjs do not know this method.
    const octets = 'toBer' in filter && typeof filter.toBer === 'function' ? filter.toBer().buffer : null;
    expect(decodeFilter(new BerReader(octets))).toMatchObject(expected);
  });
});

describe('LDAP-60: names mean the same to both', () => {
  /** No backslash and no `#`: ldapjs writes both without escaping them, which makes another name. */
  const value = fc.string({
    unit: fc.constantFrom('a', 'B', 'č', ' ', ',', '+', '"', '=', '<', ';'),
    minLength: 1,
    maxLength: 8,
  });
  const type = fc.constantFrom('cn', 'uid', 'ou');

  test('ldapjs finds as many parts in a name that we write as we do', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(type, value), { minLength: 1, maxLength: 3 }), (rdns) => {
        const dn = rdns.map(([name, text]) => [{ type: name, value: text }]);
        // Only how many there are: it loses a value that begins with an escape.
        expect(ldapjs.parseDN(writeDn(dn)).length).toBe(rdns.length);
      }),
    );
  });

  test('what ldapjs writes, we read', () => {
    fc.assert(
      fc.property(type, value, (name, text) => {
        const rdn = new ldapjs.RDN({ [name]: text });
        const read = parseDn(rdn.toString());
        expect(read === null ? null : dnKey(read)).toBe(dnKey([[{ type: name, value: text }]]));
      }),
      { numRuns: 1000 },
    );
  });
});
