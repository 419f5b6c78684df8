/** The records over knex: every kind behind the one interface, for SQLite and PostgreSQL alike. */
import type { AdministratorCreate, AdministratorPatch } from '../../records/administrator.js';
import type { GroupCreate, GroupPatch } from '../../records/group.js';
import type { LdapApplicationCreate, LdapApplicationPatch } from '../../records/ldap-application.js';
import { done } from '../../records/problem.js';
import type { RadiusClientCreate, RadiusClientPatch } from '../../records/radius-client.js';
import type { ResourceCreate, ResourcePatch } from '../../records/resource.js';
import { getEvent, listEvents } from '../events-query.js';
import { noteMessageAuthenticator } from '../front-doors.js';
import type { Link, RecordStore } from '../record-store.js';
import {
  ADMINISTRATORS,
  type AdministratorState,
  administratorCredential,
  changeAdministrator,
  removeAdministrator,
  shownAdministrator,
} from './administrators.js';
import { apiKeyHolder, createApiKey, getApiKey, listApiKeys, revokeApiKey } from './api-keys.js';
import { type RecordContext, type RecordDependencies, recordContext } from './context.js';
import { changeGroups, type GroupState, groupSpec, removeGroups, shownGroup } from './groups.js';
import {
  changeLdapApplications,
  LDAP_APPLICATIONS,
  type LdapApplicationState,
  type PreparedAccount,
  prepareAccounts,
  shownLdapApplication,
} from './ldap-applications.js';
import { changeLink, changeTokenResource, changeTokenUser, type LinkName } from './links.js';
import { removeNamed } from './named.js';
import { namedStore } from './named-store.js';
import { changeRadiusClients, RADIUS_CLIENTS, type RadiusClientState, shownRadiusClient } from './radius-clients.js';
import { changeResources, RESOURCES, type ResourceState, removeResources, shownResource } from './resources.js';
import { tokenStore } from './token-store.js';
import { userStore } from './user-store.js';

/** The record store of a process. */
export const openRecordStore = (deps: RecordDependencies): RecordStore => recordStore(recordContext(deps));

/** The record store over a context that others (apply, import) share. */
export function recordStore(context: RecordContext): RecordStore {
  const { db, writer, seal, passwords, clock, policyChecks } = context;
  const nothing = async () => null;

  const link = (name: LinkName): Link => ({
    put: (left, right, by) => writer.run(by, (work) => changeLink(work, name, left, right, true)),
    remove: (left, right, by) => writer.run(by, (work) => changeLink(work, name, left, right, false)),
  });

  return {
    users: userStore(context),
    tokens: tokenStore(context),
    groups: namedStore<GroupState, ReturnType<typeof shownGroup>, GroupCreate, GroupPatch, null>(context, {
      spec: groupSpec(db),
      shown: shownGroup,
      prepare: nothing,
      change: (work, before, patch) => changeGroups(work, [{ before, patch, at: '' }]),
      remove: (work, state) => removeGroups(work, [state]),
    }),
    resources: namedStore<ResourceState, ReturnType<typeof shownResource>, ResourceCreate, ResourcePatch, null>(
      context,
      {
        spec: RESOURCES,
        shown: shownResource,
        prepare: nothing,
        change: (work, before, patch) => changeResources(work, [{ before, patch, at: '' }], policyChecks),
        remove: (work, state) => removeResources(work, [state], context),
      },
    ),
    radiusClients: namedStore<
      RadiusClientState,
      ReturnType<typeof shownRadiusClient>,
      RadiusClientCreate,
      RadiusClientPatch,
      null
    >(context, {
      spec: RADIUS_CLIENTS,
      shown: shownRadiusClient,
      prepare: nothing,
      change: (work, before, patch) => changeRadiusClients(work, [{ before, patch, at: '' }], seal),
      remove: (work, state) => removeNamed(work, RADIUS_CLIENTS, [state]),
    }),
    messageAuthenticatorSeen: (id) => noteMessageAuthenticator(writer, id),
    ldapApplications: namedStore<
      LdapApplicationState,
      ReturnType<typeof shownLdapApplication>,
      LdapApplicationCreate,
      LdapApplicationPatch,
      readonly PreparedAccount[] | undefined
    >(context, {
      spec: LDAP_APPLICATIONS,
      shown: shownLdapApplication,
      prepare: async ({ serviceAccounts }, before) =>
        Array.isArray(serviceAccounts) ? prepareAccounts(passwords, serviceAccounts, before) : undefined,
      change: (work, before, patch, accounts) => changeLdapApplications(work, [{ before, patch, accounts, at: '' }]),
      remove: (work, state) => removeNamed(work, LDAP_APPLICATIONS, [state]),
    }),
    administrators: {
      ...namedStore<
        AdministratorState,
        ReturnType<typeof shownAdministrator>,
        AdministratorCreate,
        AdministratorPatch,
        string | undefined
      >(context, {
        spec: ADMINISTRATORS,
        shown: shownAdministrator,
        prepare: async ({ password }) => (password === undefined ? undefined : passwords.hash(password)),
        change: async (work, before, patch, hash) => [await changeAdministrator(work, before, patch, hash)],
        remove: removeAdministrator,
      }),
      credential: (login) => administratorCredential(db, login),
    },
    apiKeys: {
      list: (asked) => listApiKeys(db, asked),
      get: (id) => getApiKey(db, id),
      create: (input, by) => writer.run(by, async (work) => done(await createApiKey(work, input))),
      revoke: (id, by) => writer.run(by, (work) => revokeApiKey(work, id)),
      holder: (key) => apiKeyHolder(db, key, clock()),
    },
    links: {
      userResource: link('userResource'),
      userGroup: link('userGroup'),
      groupResource: link('groupResource'),
      userToken: {
        put: (user, token, by) => writer.run(by, (work) => changeTokenUser(work, user, token, true, context)),
        remove: (user, token, by) => writer.run(by, (work) => changeTokenUser(work, user, token, false, context)),
      },
      tokenResource: {
        put: (token, resource, by) =>
          writer.run(by, (work) => changeTokenResource(work, token, resource, true, context)),
        remove: (token, resource, by) =>
          writer.run(by, (work) => changeTokenResource(work, token, resource, false, context)),
      },
    },
    events: {
      list: (asked) => listEvents(db, asked),
      get: (id) => getEvent(db, id),
    },
  };
}
