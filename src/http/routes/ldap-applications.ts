/** `/ldap-applications`: each base DN below which users bind, and the resource that it guards. */
import { ldapApplicationCreate, ldapApplicationPatch, ldapApplicationRecord } from '../../records/ldap-application.js';
import type { RecordStore } from '../../store/record-store.js';
import type { App } from '../app.js';
import { activeNameQuery } from '../schemas.js';
import { recordRoutes } from './records.js';

/** The routes below `/ldap-applications`. */
export function ldapApplicationRoutes(app: App, records: RecordStore): void {
  recordRoutes(app, {
    folder: 'ldap-applications',
    noun: 'LDAP application',
    operation: 'LdapApplication',
    shown: ldapApplicationRecord.meta({ id: 'LdapApplication' }),
    create: ldapApplicationCreate.meta({
      id: 'LdapApplicationCreate',
      examples: [{ name: 'wiki', baseDn: 'dc=example,dc=org', resource: 'wiki' }],
    }),
    patch: ldapApplicationPatch.meta({ id: 'LdapApplicationPatch', examples: [{ sourceNetworks: ['192.0.2.0/24'] }] }),
    query: activeNameQuery,
    store: records.ldapApplications,
    change: 'write',
  });
}
