import { describe, expect, test } from 'vitest';
import { ldapApplications } from '../../src/ldap/applications.js';
import { element, textElement } from '../../src/ldap/ber.js';
import { ldapDirectory } from '../../src/ldap/directory.js';
import { decodeMessage } from '../../src/ldap/message.js';
import { WIKI } from './door.js';
import { compare, search } from './requests.js';

const directory = ldapDirectory({
  applications: () => ldapApplications([WIKI]),
  startTls: () => true,
  vendorVersion: '9.9.9',
});

function ask(octets: Buffer) {
  const decoded = decodeMessage(octets);
  if (decoded.kind !== 'request') throw new Error(decoded.kind);
  const { request } = decoded;
  if (request.kind === 'search') return directory.search(request, '192.0.2.1');
  if (request.kind === 'compare') return directory.compare(request, '192.0.2.1');
  throw new Error(request.kind);
}
function find(octets: Buffer) {
  const found = ask(octets);
  if (typeof found === 'number') throw new Error('a comparison');
  return found;
}
const names = (octets: Buffer) => find(octets).entries[0]?.attributes.map(({ name }) => name);

describe('LDAP-52: the root DSE', () => {
  test('says what works now', () => {
    const [entry] = find(search(1, '')).entries;
    expect(entry?.dn).toBe('');
    expect(Object.fromEntries(entry?.attributes.map(({ name, values }) => [name, values]) ?? [])).toEqual({
      objectClass: ['top'],
      namingContexts: ['dc=example,dc=org'],
      subschemaSubentry: ['cn=Subschema'],
      supportedLDAPVersion: ['3'],
      supportedExtension: ['1.3.6.1.4.1.1466.20037', '1.3.6.1.4.1.4203.1.11.3'],
      supportedFeatures: ['1.3.6.1.4.1.4203.1.5.1', '1.3.6.1.4.1.4203.1.5.3'],
      vendorName: ['Sallyport'],
      vendorVersion: ['9.9.9'],
    });
  });

  test('does not speak of StartTLS without a certificate, nor of naming contexts where there are none', () => {
    const bare = ldapDirectory({ applications: () => ldapApplications([]), startTls: () => false, vendorVersion: '1' });
    const decoded = decodeMessage(search(1, '', 0, ['supportedExtension', 'namingContexts']));
    if (decoded.kind !== 'request' || decoded.request.kind !== 'search') throw new Error(decoded.kind);
    expect(bare.search(decoded.request, '192.0.2.1').entries[0]?.attributes).toEqual([
      { name: 'supportedExtension', values: ['1.3.6.1.4.1.4203.1.11.3'] },
    ]);
  });

  test('LDAP-43: shows what is asked for, by any spelling; 1.1 is nothing; typesOnly has no values', () => {
    expect(names(search(1, '', 0, ['NAMINGCONTEXTS', 'nonsense']))).toEqual(['namingContexts']);
    expect(names(search(1, '', 0, ['1.1']))).toEqual([]);
    expect(names(search(1, '', 0, ['*', '+']))).toContain('vendorName');
    const only = find(search(1, '', 0, ['vendorName'], textElement(0x87, 'objectClass'), true));
    expect(only.entries[0]?.attributes).toEqual([{ name: 'vendorName', values: [] }]);
  });

  const equal = (name: string, value: string) => element(0xa3, textElement(4, name), textElement(4, value));
  const part = (tag: number, text: string) => textElement(tag, text);
  const parts = (name: string, ...each: Buffer[]) => element(0xa4, textElement(4, name), element(0x30, ...each));
  test.each([
    ['(vendorName=sallyport)', equal('vendorName', ' SallyPort '), true],
    ['(vendorName=x)', equal('vendorName', 'x'), false],
    ['(nonsense=x)', equal('nonsense', 'x'), false],
    ['(!(nonsense=x))', element(0xa2, equal('nonsense', 'x')), false],
    ['(!(vendorName=x))', element(0xa2, equal('vendorName', 'x')), true],
    ['(&)', element(0xa0), true],
    ['(|)', element(0xa1), false],
    ['(!(|))', element(0xa2, element(0xa1)), true],
    [
      '(&(nonsense=x)(vendorName=x))',
      element(0xa2, element(0xa0, equal('nonsense', 'x'), equal('vendorName', 'x'))),
      true,
    ],
    ['(|(nonsense=x)(vendorName=*))', element(0xa1, equal('nonsense', 'x'), part(0x87, 'vendorName')), true],
    [
      '(!(|(nonsense=x)(vendorName=x)))',
      element(0xa2, element(0xa1, equal('nonsense', 'x'), equal('vendorName', 'x'))),
      false,
    ],
    ['(vendorName=sal*port)', parts('vendorName', part(0x80, 'sal'), part(0x82, 'port')), true],
    ['(vendorName=*lly*or*)', parts('vendorName', part(0x81, 'lly'), part(0x81, 'or')), true],
    ['(vendorName=sally*lyport)', parts('vendorName', part(0x80, 'sally'), part(0x82, 'lyport')), false],
    ['(vendorName=*port*sal*)', parts('vendorName', part(0x81, 'port'), part(0x81, 'sal')), false],
    ['(vendorName>=a)', element(0xa5, textElement(4, 'vendorName'), textElement(4, 'a')), false],
    ['(notHere=*)', part(0x87, 'notHere'), false],
  ])('LDAP-45: %s', (_, filter, found) => {
    expect(find(search(1, '', 0, [], filter)).entries.length).toBe(found ? 1 : 0);
    expect(find(search(1, '', 0, [], filter)).code).toBe(0);
  });
});

describe('LDAP-52: cn=Subschema', () => {
  test('lists what entries are made of when that is asked for', () => {
    expect(names(search(1, 'CN=subschema'))).toEqual(['objectClass', 'cn']);
    expect(names(search(1, 'cn=Subschema', 0, ['+']))).toEqual(['objectClasses', 'attributeTypes']);
    expect(names(search(1, 'cn=Subschema', 2, ['attributeTypes']))).toEqual(['attributeTypes']);
    expect(find(search(1, 'cn=Subschema', 1)).entries).toEqual([]);
  });
});

describe('LDAP-42, 40: the rest', () => {
  test.each([
    ['', 1, 50],
    ['', 2, 50],
    ['dc=example,dc=org', 2, 50],
    ['uid=alice,ou=users,dc=example,dc=org', 0, 50],
    ['dc=nowhere', 0, 50],
    ['no name', 0, 34],
  ])('a search below "%s", scope %i: %i and no entry', (base, scope, code) => {
    expect(find(search(1, base, scope))).toEqual({ entries: [], code });
  });

  test.each([
    ['', 'supportedLDAPVersion', '3', 6],
    ['', 'supportedLDAPVersion', '2', 5],
    ['', 'nonsense', '3', 16],
    ['cn=Subschema', 'CN', 'subschema', 6],
    ['uid=alice,ou=users,dc=example,dc=org', 'userPassword', 'x', 50],
    ['dc=nowhere', 'dc', 'nowhere', 32],
    ['no name', 'dc', 'x', 34],
  ])('LDAP-10: compare "%s" %s=%s: %i', (dn, attribute, value, code) => {
    expect(ask(compare(1, dn, attribute, value))).toBe(code);
  });
});
