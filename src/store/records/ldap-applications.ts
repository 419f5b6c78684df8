/** LDAP applications in the store. Service accounts' passwords are kept as hashes. */
import type {
  LdapApplicationCreate,
  LdapApplicationPatch,
  LdapApplicationRecord,
  ServiceAccount,
} from '../../records/ldap-application.js';
import { nameKey } from '../../records/values.js';
import { type Edit, type Head, loadAll, newHead, type Spec, shownHead, writeNamed } from './named.js';
import { type Passwords, wantedHash } from './passwords.js';
import { findTargets, type Target, target } from './references.js';
import type { Work } from './work.js';

/** A service account as its row has it. */
export interface KeptAccount {
  readonly dn: string;
  readonly passwordHash: string;
}

export interface LdapApplicationState extends Head {
  readonly baseDn: string;
  readonly resource: Target;
  readonly serviceAccounts: readonly KeptAccount[];
  readonly sourceNetworks: readonly string[];
  readonly domains: readonly string[];
  readonly active: boolean;
}

export const LDAP_APPLICATIONS: Spec<LdapApplicationState> = {
  record: 'ldapApplication',
  kind: 'ldapApplication',
  table: 'ldap_applications',
  nameColumn: 'name',
  from: 'join resources r on r.pk = t.resource_pk',
  select: 'r.id as resource_id, r.name as resource_name',
  columns: {
    base_dn: 'text',
    resource_pk: 'int',
    service_accounts: 'text',
    source_networks: 'text',
    domains: 'text',
    active: 'bool',
  },
  read: (row, head) => ({
    ...head,
    baseDn: row.text('base_dn'),
    resource: { pk: row.int('resource_pk'), id: row.text('resource_id'), name: row.text('resource_name') },
    serviceAccounts: row.json<KeptAccount[]>('service_accounts'),
    sourceNetworks: row.json<string[]>('source_networks'),
    domains: row.json<string[]>('domains'),
    active: row.flag('active'),
  }),
  values: (state) => ({
    base_dn: state.baseDn,
    resource_pk: state.resource.pk,
    service_accounts: JSON.stringify(state.serviceAccounts),
    source_networks: JSON.stringify(state.sourceNetworks),
    domains: JSON.stringify(state.domains),
    active: state.active,
  }),
  fields: (state) => ({
    name: state.name,
    baseDn: state.baseDn,
    resource: state.resource.name,
    serviceAccounts: state.serviceAccounts.map(({ dn }) => dn),
    serviceAccountPasswords: state.serviceAccounts.map(({ passwordHash }) => passwordHash),
    sourceNetworks: state.sourceNetworks,
    domains: state.domains,
    active: state.active,
  }),
  hidden: ['serviceAccountPasswords'],
};

/** An application as the API shows it. */
export const shownLdapApplication = (state: LdapApplicationState): LdapApplicationRecord => ({
  ...shownHead(state),
  name: state.name,
  baseDn: state.baseDn,
  resource: state.resource.name,
  resourceId: state.resource.id,
  serviceAccounts: state.serviceAccounts.map(({ dn }) => ({ dn })),
  sourceNetworks: [...state.sourceNetworks],
  domains: [...state.domains],
  active: state.active,
});

/** A service account whose password was hashed: null where it brings none and keeps the one that is there. */
export interface PreparedAccount {
  readonly dn: string;
  readonly passwordHash: string | null;
}

/** Hashes the passwords of `accounts`, but for those that fit what `before` has. */
export function prepareAccounts(
  passwords: Passwords,
  accounts: readonly ServiceAccount[],
  before: LdapApplicationState | null,
): Promise<PreparedAccount[]> {
  return Promise.all(
    accounts.map(async (account) => {
      const kept = keptAccount(before, account.dn)?.passwordHash ?? null;
      return { dn: account.dn, passwordHash: (await wantedHash(passwords, account, kept)) ?? null };
    }),
  );
}

export interface LdapApplicationEdit {
  readonly before: LdapApplicationState | null;
  readonly patch: LdapApplicationCreate | LdapApplicationPatch;
  /** What became of the patch's `serviceAccounts`; undefined where it names none. */
  readonly accounts: readonly PreparedAccount[] | undefined;
  readonly at: string;
}

/** Changes applications, or makes those that have no `before`, which need base DN and resource. */
export async function changeLdapApplications(
  work: Work,
  edits: readonly LdapApplicationEdit[],
): Promise<LdapApplicationState[]> {
  const targets = await findTargets(
    work.tx,
    'resource',
    edits.flatMap(({ patch }) => patch.resource ?? []),
  );
  const planned = edits.map(({ before, patch, accounts, at }): Edit<LdapApplicationState> => {
    if (before === null)
      for (const field of ['baseDn', 'resource'] as const)
        if (patch[field] === undefined) work.invalid(`${at}/${field}`, 'a new LDAP application needs it');
    const base: LdapApplicationState = before ?? { ...newHead(work, patch.name ?? ''), ...FRESH };
    const resource =
      patch.resource === undefined
        ? base.resource
        : target(work, targets, 'resource', patch.resource, `${at}/resource`);
    const or = <T>(value: T | null | undefined, old: T, fallback: T): T =>
      value === undefined ? old : (value ?? fallback);
    const after: LdapApplicationState = {
      ...base,
      name: patch.name ?? base.name,
      baseDn: patch.baseDn ?? base.baseDn,
      resource: resource ?? base.resource,
      serviceAccounts:
        accounts === undefined
          ? patch.serviceAccounts === null
            ? []
            : base.serviceAccounts
          : keptAccounts(work, accounts, before, at),
      sourceNetworks: or(patch.sourceNetworks, base.sourceNetworks, []),
      domains: or(patch.domains, base.domains, []),
      active: or(patch.active, base.active, true),
    };
    return { before, after, at };
  });
  await checkPlaces(work, planned);
  return writeNamed(work, LDAP_APPLICATIONS, planned);
}

const FRESH = {
  baseDn: '',
  resource: { pk: 0, id: '', name: '' },
  serviceAccounts: [],
  sourceNetworks: [],
  domains: [],
  active: true,
} as const;

const keptAccount = (state: LdapApplicationState | null, dn: string): KeptAccount | undefined =>
  state?.serviceAccounts.find((account) => nameKey(account.dn) === nameKey(dn));

function keptAccounts(
  work: Work,
  accounts: readonly PreparedAccount[],
  before: LdapApplicationState | null,
  at: string,
): readonly KeptAccount[] {
  return accounts.flatMap(({ dn, passwordHash }, i) => {
    const hash = passwordHash ?? keptAccount(before, dn)?.passwordHash;
    if (hash !== undefined) return [{ dn, passwordHash: hash }];
    work.invalid(`${at}/serviceAccounts/${i}/password`, 'a new service account needs a password');
    return [];
  });
}

/** Two applications with the same base and the same source networks could not be told apart. */
async function checkPlaces(work: Work, edits: readonly Edit<LdapApplicationState>[]): Promise<void> {
  const place = ({ baseDn, sourceNetworks }: LdapApplicationState) =>
    JSON.stringify([nameKey(baseDn).replace(/\s*([,=])\s*/g, '$1'), [...sourceNetworks].sort()]);
  const edited = new Set(edits.map(({ before }) => before?.pk));
  const holders = new Map<string, LdapApplicationState>();
  for (const state of await loadAll(work.tx, LDAP_APPLICATIONS))
    if (!edited.has(state.pk)) holders.set(place(state), state);
  for (const { after, at } of edits) {
    const holder = holders.get(place(after));
    if (holder !== undefined && after.baseDn !== '')
      work.conflict(
        `${at}/baseDn`,
        `${after.baseDn} is there already; several applications below one base differ in sourceNetworks`,
        `LDAP application ${holder.name}`,
      );
    holders.set(place(after), after);
  }
}
