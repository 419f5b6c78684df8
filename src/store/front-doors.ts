/** What the doors have to know of who asks: clients and applications, their secrets opened. The daemon reads it at start and after each change. */
import type { Knex } from 'knex';
import type { Secret } from '../base/secret.js';
import { done, failed } from '../records/problem.js';
import { type KeptAccount, LDAP_APPLICATIONS } from './records/ldap-applications.js';
import { loadAll, loadById } from './records/named.js';
import { RADIUS_CLIENTS, type RadiusClientState } from './records/radius-clients.js';
import { run } from './records/sql.js';
import type { RecordWriter } from './records/work.js';
import type { Seal } from './seal.js';

/** A RADIUS client with its secret. */
export interface LoadedRadiusClient
  extends Pick<
    RadiusClientState,
    | 'id'
    | 'name'
    | 'address'
    | 'requireMessageAuthenticator'
    | 'messageAuthenticatorSeen'
    | 'domains'
    | 'nasIdentifier'
    | 'active'
    | 'limitProxyState'
  > {
  readonly secret: Secret;
  readonly resourceId: string;
}

/** Every RADIUS client. `onBrokenBox` hears of those whose secret does not open (another master key); they are left out. */
export async function loadRadiusClients(
  db: Knex,
  seal: Seal,
  onBrokenBox: (clientId: string) => void = () => undefined,
): Promise<LoadedRadiusClient[]> {
  return (await loadAll(db, RADIUS_CLIENTS)).flatMap((state) => {
    const secret = seal.openSecret('radius_clients.secret', state.id, state.secretBox);
    if (secret !== null) return [{ ...state, secret, resourceId: state.resource.id }];
    onBrokenBox(state.id);
    return [];
  });
}

/** An LDAP application with its service accounts' password hashes (argon2id, PHC). */
export interface LoadedLdapApplication {
  readonly id: string;
  readonly name: string;
  readonly baseDn: string;
  readonly resourceId: string;
  readonly serviceAccounts: readonly KeptAccount[];
  readonly sourceNetworks: readonly string[];
  readonly domains: readonly string[];
  readonly active: boolean;
}

/** Every LDAP application. */
export async function loadLdapApplications(db: Knex): Promise<LoadedLdapApplication[]> {
  return (await loadAll(db, LDAP_APPLICATIONS)).map((state) => ({ ...state, resourceId: state.resource.id }));
}

/** Notes that a client signs its requests. What a decision is made on does not change, so no revision rises. */
export async function noteMessageAuthenticator(writer: RecordWriter, clientId: string): Promise<void> {
  await writer.run({ name: 'system', source: null }, async (work) => {
    const state = await loadById(work.tx, RADIUS_CLIENTS, clientId);
    if (state === null || state.messageAuthenticatorSeen) return failed({ kind: 'notFound' });
    await run(work.tx, 'update radius_clients set message_authenticator_seen = ? where pk = ?', [true, state.pk]);
    work.touch('radiusClient', state.pk);
    return done(null);
  });
}
