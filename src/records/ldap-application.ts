/** LDAP applications: a base DN under which users bind, and the resource that it guards. */
import { z } from 'zod';
import {
  dn,
  domain,
  LIMITS,
  list,
  name,
  nameKey,
  network,
  password,
  passwordHash,
  recordHead,
  reference,
} from './values.js';

/** An account that may search and needs no OTP. One that is there already keeps its password where none is given. */
export const serviceAccount = z.strictObject({
  dn,
  password: password.nullish(),
  passwordHash: passwordHash.nullish(),
});
export type ServiceAccount = z.output<typeof serviceAccount>;

const fields = {
  serviceAccounts: list(serviceAccount, LIMITS.serviceAccounts, (account) => nameKey(account.dn)).nullish(),
  sourceNetworks: list(network, LIMITS.networks, (value) => value).nullish(),
  domains: list(domain, LIMITS.domains, nameKey).nullish(),
  active: z.boolean().nullish(),
};

/** `POST /ldap-applications`. */
export const ldapApplicationCreate = z.strictObject({ name, baseDn: dn, resource: reference, ...fields });
export type LdapApplicationCreate = z.output<typeof ldapApplicationCreate>;
export const ldapApplicationPatch = z.strictObject({
  name: name.optional(),
  baseDn: dn.optional(),
  resource: reference.optional(),
  ...fields,
});
export type LdapApplicationPatch = z.output<typeof ldapApplicationPatch>;

/** `ldapApplications` of a records file: what an application that is there may leave out, a new one needs. */
export const ldapApplicationEntry = ldapApplicationPatch.extend({ name });

/** An application as the API shows it, without passwords. */
export const ldapApplicationRecord = z.object({
  ...recordHead,
  name: z.string(),
  baseDn: z.string(),
  resource: z.string(),
  resourceId: z.string(),
  serviceAccounts: z.array(z.object({ dn: z.string() })),
  sourceNetworks: z.array(z.string()),
  domains: z.array(z.string()),
  active: z.boolean(),
});
export type LdapApplicationRecord = z.output<typeof ldapApplicationRecord>;
