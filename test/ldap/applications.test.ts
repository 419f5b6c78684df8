import { describe, expect, test } from 'vitest';
import { type LdapApplication, ldapApplications } from '../../src/ldap/applications.js';
import { parseDn } from '../../src/ldap/dn.js';

const app = (name: string, baseDn: string, more: Partial<LdapApplication> = {}): LdapApplication => ({
  id: name,
  name,
  baseDn,
  resourceId: 'r',
  serviceAccounts: [],
  sourceNetworks: [],
  domains: [],
  active: true,
  ...more,
});
const PEER = '192.0.2.7';
const find = (applications: readonly LdapApplication[], dn: string, peer = PEER) => {
  const fit = ldapApplications(applications).find(parseDn(dn) ?? [], peer);
  return fit === null ? null : `${fit.application.name}${fit.account === null ? '' : ` account ${fit.account.dn}`}`;
};
const account = (dn: string) => ({ dn, verify: async () => 'right' as const });

describe('which application a name belongs to', () => {
  const general = app('general', 'dc=example,dc=org');
  const wiki = app('wiki', 'ou=wiki,dc=example,dc=org');

  test.each([
    ['uid=a,ou=users,dc=example,dc=org', 'general'],
    ['uid=a,OU=Wiki, DC=Example,dc=org', 'wiki'],
    ['uid=a,ou=users,ou=wiki,dc=example,dc=org', 'wiki'],
    ['dc=example,dc=org', 'general'],
    ['dc=org', null],
    ['uid=a,dc=example,dc=com', null],
    ['uid=a\\,dc=example,dc=org', null],
    ['', null],
  ])('%s: %s', (dn, name) => {
    expect(find([general, wiki], dn)).toBe(name);
    expect(find([wiki, general], dn)).toBe(name);
  });

  test('one that is not for this peer does not count, nor does one that is inactive', () => {
    const far = app('far', 'ou=wiki,dc=example,dc=org', { sourceNetworks: ['10.0.0.0/8'] });
    expect(find([general, far], 'uid=a,ou=wiki,dc=example,dc=org')).toBe('general');
    expect(find([general, far], 'uid=a,ou=wiki,dc=example,dc=org', '10.1.2.3')).toBe('far');
    expect(find([far], 'uid=a,ou=wiki,dc=example,dc=org')).toBeNull();
    expect(find([app('off', 'dc=org', { active: false })], 'uid=a,dc=org')).toBeNull();
  });

  test('of two with one base, the one tied to the network of the peer wins', () => {
    const near = app('near', 'dc=example,dc=org', { sourceNetworks: ['192.0.2.0/24'] });
    const far = app('far', 'dc=example,dc=org', { sourceNetworks: ['10.0.0.0/8'] });
    for (const list of [
      [general, near, far],
      [far, near, general],
    ]) {
      expect(find(list, 'uid=a,dc=example,dc=org')).toBe('near');
      expect(find(list, 'uid=a,dc=example,dc=org', '198.51.100.1')).toBe('general');
    }
  });

  test('the root as a base holds every name, after all others', () => {
    const root = app('root', '');
    expect(find([root, general], 'uid=a,dc=example,dc=org')).toBe('general');
    expect(find([root, general], 'uid=a,dc=test')).toBe('root');
  });

  test('a base that is no name belongs to nobody', () => {
    expect(find([app('broken', 'dc=a;dc=b')], 'dc=b')).toBeNull();
  });

  test('LDAP-25: a service account belongs to its application, inside the base and outside, and to its networks', () => {
    const dn = 'cn=svc,ou=services,dc=elsewhere';
    const tied = app('tied', 'dc=example,dc=org', {
      serviceAccounts: [account('cn=wiki,dc=example,dc=org'), account(dn)],
      sourceNetworks: ['192.0.2.0/24'],
    });
    expect(find([tied], 'CN=Wiki,dc=example,dc=org')).toBe('tied account cn=wiki,dc=example,dc=org');
    expect(find([tied], dn)).toBe(`tied account ${dn}`);
    expect(find([tied], dn, '10.0.0.1')).toBeNull();
  });

  test('LDAP-52: the naming contexts are the bases for this peer, each once', () => {
    const near = app('near', 'dc=example,dc=org', { sourceNetworks: ['192.0.2.0/24'] });
    const far = app('far', 'dc=far', { sourceNetworks: ['10.0.0.0/8'] });
    const applications = ldapApplications([general, near, far, wiki]);
    expect(applications.namingContexts(PEER)).toEqual(['dc=example,dc=org', 'ou=wiki,dc=example,dc=org']);
    expect(applications.namingContexts('10.0.0.1')).toContain('dc=far');
  });
});
