import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bindName, userDn } from '../../src/ldap/bind-name.js';
import { type Dn, dnKey, parseDn, writeDn } from '../../src/ldap/dn.js';

const parsed = (text: string): Dn => {
  const dn = parseDn(text);
  if (dn === null) throw new Error(`no DN: ${text}`);
  return dn;
};
const firstValue = (text: string) => parsed(text)[0]?.[0]?.value;

describe('LDAP-60: names are read', () => {
  test.each([
    ['UID=jsmith,DC=example,DC=net', 'uid=JSmith, dc=Example , dc=NET'],
    ['OU=Sales+CN=J.  Smith,DC=example,DC=net', 'cn=j. smith+ou=sales,dc=example,dc=net'],
    ['userid=a,0.9.2342.19200300.100.1.25=b', 'uid=a,dc=b'],
    ['cn=Lu\\C4\\8Di\\C4\\87', 'CN=LUČIĆ'],
    ['cn=a\\,b', 'cn=a\\2Cb'],
  ])('%s equals %s', (one, other) => {
    expect(dnKey(parsed(one))).toBe(dnKey(parsed(other)));
  });

  test.each([
    ['cn=a,dc=b', 'cn=a\\,dc=b'],
    ['cn=a+ou=b', 'cn=a\\+ou=b'],
    ['cn=a', 'ou=a'],
    ['cn=#0402', 'cn=\\#0402'],
    ['cn=a,dc=b', 'dc=b,cn=a'],
  ])('%s does not equal %s', (one, other) => {
    expect(dnKey(parsed(one))).not.toBe(dnKey(parsed(other)));
  });

  test.each([
    ['CN=James \\"Jim\\" Smith\\, III,DC=example,DC=net', 'James "Jim" Smith, III'],
    ['CN=Before\\0dAfter,DC=example,DC=net', 'Before\rAfter'],
    ['CN=Lu\\C4\\8Di\\C4\\87', 'Lučić'],
    ['1.3.6.1.4.1.1466.0=#04024869', 'Hi'],
    ['cn=\\ a\\ ', ' a '],
    ['cn=\\#x', '#x'],
    ['cn=a\\2Cb', 'a,b'],
    ['cn=  a b  , dc=x', 'a b'],
    ['cn=a=b', 'a=b'],
    ['cn=', ''],
  ])('%s means "%s"', (text, value) => {
    expect(firstValue(text)).toBe(value);
  });

  test('a value in hex that is no plain string stays octets', () => {
    expect(firstValue('cn=#02020102')).toEqual(Buffer.from('02020102', 'hex'));
    expect(firstValue('cn=#0402ff')).toEqual(Buffer.from('0402ff', 'hex'));
  });

  test('the empty string is the root', () => {
    expect(parseDn('')).toEqual([]);
    expect(writeDn([])).toBe('');
  });

  test.each([
    'cn=a;dc=b',
    'cn="a,b"',
    'cn',
    '=a',
    'cn=a,',
    'cn=a\\',
    'cn=a\\zz',
    'cn=#0',
    'cn=#',
    'cn=a"b',
    'cn=a,,dc=b',
    ' ',
    ',',
    'cn=a+',
    'cn=a<b',
    'cn=\\ff',
    'cn=\\c4x',
    'c n=a',
    '1.=a',
    'cn=\0',
    'alice',
  ])('%j is no name', (text) => {
    expect(parseDn(text)).toBeNull();
  });
});

describe('LDAP-60: names are written', () => {
  test.each([
    ['"+,;<>\\', '\\"\\+\\,\\;\\<\\>\\\\'],
    [' a', '\\ a'],
    ['#a#', '\\#a#'],
    ['a ', 'a\\ '],
    [' ', '\\ '],
    ['  ', '\\ \\ '],
    ['a\0b', 'a\\00b'],
    ['x\\ ', 'x\\\\\\ '],
  ])('%j is written as cn=%s', (value, text) => {
    expect(writeDn([[{ type: 'cn', value }]])).toBe(`cn=${text}`);
  });

  const type = fc.constantFrom('cn', 'uid', 'OU', 'dc', 'x-1', '1.3.6.1.4.1.1466.0');
  const assertion = fc.record({ type, value: fc.string({ unit: 'binary', maxLength: 12 }) });
  const special = fc.record({ type, value: fc.string({ unit: fc.constantFrom(...' #,+"\\;<>=\0aé'), maxLength: 6 }) });
  const rdn = fc.array(fc.oneof(assertion, special), { minLength: 1, maxLength: 3 });

  test('parse(write(x)) is x for every x', () => {
    fc.assert(
      fc.property(fc.array(rdn, { maxLength: 5 }), (dn) => {
        expect(parseDn(writeDn(dn))).toEqual(dn);
      }),
      { numRuns: 2000 },
    );
  });

  test('any text is a name or none, and what is a name keeps its key when it is written anew', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'cn=,+\\ #"0a') }));
    fc.assert(
      fc.property(text, (each) => {
        const dn = parseDn(each);
        if (dn !== null) expect(dnKey(parsed(writeDn(dn)))).toBe(dnKey(dn));
      }),
      { numRuns: 5000 },
    );
  });
});

describe('LDAP-27: a name says which user binds', () => {
  const base = parsed('dc=example,dc=org');
  test.each([
    ['uid=alice,ou=users,dc=example,dc=org', 'alice'],
    ['UID=Alice , OU=Users, DC=Example,DC=org', 'Alice'],
    ['cn=alice,ou=users,dc=example,dc=org', 'alice'],
    ['uid=alice,dc=example,dc=org', 'alice'],
    ['cn=alice,dc=example,dc=org', 'alice'],
    ['uid=a\\+b,dc=example,dc=org', 'a+b'],
    ['uid=CORP\\\\alice,dc=example,dc=org', 'CORP\\alice'],
    ['uid=al\\C4\\8D,dc=example,dc=org', 'alč'],
    ['ou=alice,dc=example,dc=org', null],
    ['uid=alice,ou=groups,dc=example,dc=org', null],
    ['uid=alice,ou=users,ou=users,dc=example,dc=org', null],
    ['uid=alice+cn=bob,dc=example,dc=org', null],
    ['uid=,dc=example,dc=org', null],
    ['dc=example,dc=org', null],
  ])('%s: %s', (text, name) => {
    expect(bindName(parsed(text), base.length)).toBe(name);
  });

  test('a user has one name, whatever the login holds', () => {
    expect(userDn('alice', base)).toBe('uid=alice,ou=users,dc=example,dc=org');
    expect(userDn('a+b', base)).toBe('uid=a\\+b,ou=users,dc=example,dc=org');
  });
});
