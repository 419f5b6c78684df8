/**
 * Which user a bind means (LDAP-27): `uid=X,ou=users,<base>`, the same with `cn`, and both directly below the base. X is the
 * login or alias as it was sent, unescaped; whether it names anybody is not known here.
 */
import { type Dn, type Rdn, rdnKey, typeKey, writeDn } from './dn.js';

const USERS: Rdn = [{ type: 'ou', value: 'users' }];
const USERS_KEY = rdnKey(USERS);
const NAMING_TYPES = new Set(['uid', 'cn']);

/** The name in `dn`, whose last `baseLength` RDNs are the base; null where it is no user's. Never empty. */
export function bindName(dn: Dn, baseLength: number): string | null {
  const below = dn.length - baseLength;
  const [own, parent] = dn;
  const inUsers = below === 2 && parent !== undefined && rdnKey(parent) === USERS_KEY;
  if (own === undefined || own.length !== 1 || !(below === 1 || inUsers)) return null;
  const [assertion] = own;
  if (assertion === undefined || typeof assertion.value !== 'string' || assertion.value === '') return null;
  return NAMING_TYPES.has(typeKey(assertion.type)) ? assertion.value : null;
}

/** The name that a user has with us, whatever form the bind used. */
export const userDn = (login: string, base: Dn): string => writeDn([[{ type: 'uid', value: login }], USERS, ...base]);
