/** `sallyport ldap-application`: the applications that bind users over LDAP. */
import { ldapApplicationCreate, ldapApplicationPatch } from '../records/ldap-application.js';
import { commandGroup } from './command.js';
import { findNamed, recordCommands } from './record-commands.js';

export const ldapApplicationCommand = commandGroup(
  'ldap-application',
  'LDAP applications: where users bind, and what that guards',
  recordCommands({
    word: 'ldap-application',
    noun: 'LDAP application',
    key: 'name',
    keyFirst: true,
    create: ldapApplicationCreate,
    patch: ldapApplicationPatch,
    help: {
      name: 'Another name',
      baseDn: 'Users are uid=LOGIN,ou=users below it',
      resource: 'What it guards, by name or id',
      serviceAccounts: 'Accounts that may search and need no code',
      sourceNetworks: 'A network that the application asks from',
      domains: 'A domain that may stand with a login and is left out',
      active: 'Whether it may ask',
    },
    list: (records, query) => records.ldapApplications.list(query),
    find: (records, reference) => findNamed(records.ldapApplications, reference),
    make: (records, input, by) => records.ldapApplications.create(input, by),
    change: (records, id, patch, by) => records.ldapApplications.update(id, patch, by),
    remove: (records, id, by) => records.ldapApplications.remove(id, by),
    called: ({ name }) => name,
    heads: ['NAME', 'BASE DN', 'RESOURCE', 'ACTIVE', 'ID'],
    cells: (application) => [
      application.name,
      application.baseDn,
      application.resource,
      application.active ? 'yes' : 'no',
      application.id,
    ],
    examples: {
      create: [['ldap-application create wiki --base-dn dc=example,dc=org --resource wiki', 'from anywhere']],
      set: [
        [
          'ldap-application set wiki --service-accounts "[{ dn: \'cn=wiki,dc=example,dc=org\', password: … }]"',
          'one that searches before it binds the user',
        ],
      ],
    },
  }),
);
