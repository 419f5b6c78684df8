/** RADIUS clients and LDAP applications as the doors look them up: built from the records, again whenever the feed names them. */
import type { Logger } from 'pino';
import { verifyPassword } from '../first-factor/password.js';
import { type LdapApplications, ldapApplications } from '../ldap/applications.js';
import { buildRadiusClients, type RadiusClients } from '../radius/clients.js';
import { loadLdapApplications, loadRadiusClients } from '../store/front-doors.js';
import type { Decisions } from './decisions.js';

/** After a load that failed. */
const RETRY_MS = 500;

/** The lists of now. */
export interface Listeners {
  radiusClients(): RadiusClients;
  ldapApplications(): LdapApplications;
  stop(): void;
}

/** Loads both lists and follows the feed. Rejects where the database cannot be read. */
export async function followListeners({ database, feed, seal }: Decisions, log: Logger): Promise<Listeners> {
  let clients: RadiusClients = { find: () => null };
  let applications: LdapApplications = ldapApplications([]);
  let stopped = false;

  const loadClients = async (): Promise<void> => {
    const built = buildRadiusClients(await loadRadiusClients(database.records, seal));
    for (const problem of built.problems)
      log.error({ ...problem }, 'a RADIUS client is left out: it cannot be told from another, or contradicts it');
    clients = built.clients;
  };
  const loadApplications = async (): Promise<void> => {
    const records = await loadLdapApplications(database.records);
    applications = ldapApplications(
      records.map((record) => ({
        ...record,
        serviceAccounts: record.serviceAccounts.map(({ dn, passwordHash }) => ({
          dn,
          verify: (password: string) => verdict(passwordHash, password),
        })),
      })),
    );
  };
  const again = (load: () => Promise<void>): void => {
    load().catch((error: unknown) => {
      log.error(
        { err: error },
        'clients and applications cannot be read; the last known ones stay, and it is tried again',
      );
      if (!stopped) setTimeout(() => again(load), RETRY_MS).unref();
    });
  };

  feed.listen((changes) => {
    if (changes.some(({ kind }) => kind === 'radiusClient')) again(loadClients);
    if (changes.some(({ kind }) => kind === 'ldapApplication')) again(loadApplications);
  });
  await Promise.all([loadClients(), loadApplications()]);
  return {
    radiusClients: () => clients,
    ldapApplications: () => applications,
    stop: () => {
      stopped = true;
    },
  };
}

async function verdict(passwordHash: string, password: string): Promise<'right' | 'wrong' | 'overload'> {
  const right = await verifyPassword(passwordHash, password);
  return right === null ? 'overload' : right ? 'right' : 'wrong';
}
