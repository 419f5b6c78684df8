/** The records as a file that `apply` reads back. Defaults and what is empty are left out; secrets are there only where asked for. */
import { encodeBase32 } from '../../otp/base32.js';
import { TOKEN_DEFAULTS } from '../../records/token.js';
import type { RecordContext } from './context.js';
import { groupSpec } from './groups.js';
import { LDAP_APPLICATIONS } from './ldap-applications.js';
import { loadAll } from './named.js';
import { RADIUS_CLIENTS } from './radius-clients.js';
import { RESOURCES } from './resources.js';
import { isSqlite, numbers, query } from './sql.js';
import { loadTokens, loadTokensBy, type TokenState } from './tokens.js';
import { loadUsers, type UserState } from './users.js';

/** A part of one section of the file. */
export interface ExportedPart {
  readonly section: 'groups' | 'resources' | 'radiusClients' | 'ldapApplications' | 'users' | 'tokens';
  readonly entries: readonly Readonly<Record<string, unknown>>[];
}

/** Users and tokens that are in memory at a time. */
const PART = 1_000;

/** The whole file in parts, sections in the file's order; sections without entries are left out. */
export async function* exportRecords(context: RecordContext, withSecrets: boolean): AsyncGenerator<ExportedPart> {
  const { db, seal } = context;
  const groups = (await loadAll(db, groupSpec(db))).map(({ name, resources }) =>
    filled({ name, resources: resources.map((each) => each.name) }),
  );
  if (groups.length > 0) yield { section: 'groups', entries: groups };
  const resources = (await loadAll(db, RESOURCES)).map(({ name, policy, active }) => ({
    name,
    ...policy,
    ...(active ? {} : { active }),
  }));
  if (resources.length > 0) yield { section: 'resources', entries: resources };
  const clients = (await loadAll(db, RADIUS_CLIENTS)).map((client) =>
    filled({
      name: client.name,
      address: client.address,
      secret: withSecrets
        ? opened(seal.openSecret('radius_clients.secret', client.id, client.secretBox)?.reveal().toString('utf8'))
        : null,
      resource: client.resource.name,
      requireMessageAuthenticator:
        client.requireMessageAuthenticator === 'auto' ? null : client.requireMessageAuthenticator,
      nasIdentifier: client.nasIdentifier,
      domains: client.domains,
      limitProxyState: client.limitProxyState ? null : false,
      active: client.active ? null : false,
    }),
  );
  if (clients.length > 0) yield { section: 'radiusClients', entries: clients };
  const applications = (await loadAll(db, LDAP_APPLICATIONS)).map((application) =>
    filled({
      name: application.name,
      baseDn: application.baseDn,
      resource: application.resource.name,
      serviceAccounts: application.serviceAccounts.map(({ dn, passwordHash }) =>
        withSecrets ? { dn, passwordHash } : { dn },
      ),
      sourceNetworks: application.sourceNetworks,
      domains: application.domains,
      active: application.active ? null : false,
    }),
  );
  if (applications.length > 0) yield { section: 'ldapApplications', entries: applications };
  const seed = withSecrets ? { ...context, floors: await unfoldedFloors(context) } : null;
  yield* exportUsers(context, seed);
  yield* exportStock(context, seed);
}

type Seeds = (RecordContext & { readonly floors: ReadonlyMap<number, number> }) | null;

async function* exportUsers({ db }: RecordContext, seeds: Seeds): AsyncGenerator<ExportedPart> {
  for (let after = ''; ; ) {
    const rows = await query(db, 'select key, user_pk from names where not is_alias and key > ? order by key limit ?', [
      after,
      PART,
    ]);
    if (rows.length === 0) return;
    const pks = rows.map((row) => row.int('user_pk'));
    const tokens = new Map<number, TokenState[]>();
    for (const token of await loadTokensBy.users(db, pks)) {
      const pk = token.user?.pk ?? 0;
      tokens.set(pk, [...(tokens.get(pk) ?? []), token]);
    }
    const floors = seeds === null ? null : await storedFloors(seeds, [...tokens.values()].flat());
    const entries = (await loadUsers(db, pks)).map((user) => userEntry(user, tokens.get(user.pk) ?? [], seeds, floors));
    if (entries.length > 0) yield { section: 'users', entries };
    after = rows.at(-1)?.text('key') ?? after;
  }
}

async function* exportStock({ db }: RecordContext, seeds: Seeds): AsyncGenerator<ExportedPart> {
  for (let after = 0; ; ) {
    // Without a serial a file could not know it again.
    const stock = await loadTokens(
      db,
      'where t.user_pk is null and t.serial is not null and t.pk > ? order by t.pk limit ?',
      [after, PART],
    );
    const last = stock.at(-1);
    if (last === undefined) return;
    const floors = seeds === null ? null : await storedFloors(seeds, stock);
    yield { section: 'tokens', entries: stock.map((token) => tokenEntry(token, seeds, floors)) };
    after = last.pk;
  }
}

function userEntry(
  user: UserState,
  tokens: readonly TokenState[],
  seeds: Seeds,
  floors: ReadonlyMap<number, number> | null,
) {
  return filled({
    login: user.login,
    aliases: user.aliases,
    displayName: user.displayName,
    email: user.email,
    phone: user.phone,
    passwordHash: seeds === null ? null : user.passwordHash,
    active: user.active ? null : false,
    groups: user.groups.map(({ name }) => name),
    resources: user.resources.map(({ name }) => name),
    tokens: tokens.map((token) => tokenEntry(token, seeds, floors)),
  });
}

function tokenEntry(token: TokenState, seeds: Seeds, floors: ReadonlyMap<number, number> | null) {
  const key = seeds?.seal.open('tokens.secret', token.id, token.secretBox);
  return filled({
    type: token.type,
    serial: token.serial,
    name: token.name,
    secret: seeds === null ? null : encodeBase32(opened(key ?? undefined)),
    algorithm: token.algorithm === TOKEN_DEFAULTS.algorithm ? null : token.algorithm,
    digits: token.digits === TOKEN_DEFAULTS.digits ? null : token.digits,
    period: token.type === 'hotp' || token.period === TOKEN_DEFAULTS.period ? null : token.period,
    counter:
      token.type === 'hotp' && floors !== null
        ? Math.max(floors.get(token.pk) ?? 0, seeds?.floors.get(token.pk) ?? 0)
        : null,
    active: token.active ? null : false,
    resources: token.resources.map(({ name }) => name),
  });
}

async function storedFloors({ db }: RecordContext, tokens: readonly TokenState[]): Promise<Map<number, number>> {
  const pks = tokens.filter(({ type }) => type === 'hotp').map(({ pk }) => pk);
  if (pks.length === 0) return new Map();
  const sql = `select token_pk, floor from token_state where token_pk in ${numbers(db)}`;
  const rows = await query(db, sql, [JSON.stringify(pks)]);
  return new Map(rows.map((row) => [row.int('token_pk'), row.int('floor')]));
}

/** On SQLite the log is ahead of the tables (fold.ts). */
async function unfoldedFloors({ db }: RecordContext): Promise<Map<number, number>> {
  if (!isSqlite(db)) return new Map();
  const rows = await query(
    db,
    `select token_pk, max(step) + 1 as floor from events
     where pos > coalesce((select cast(value as integer) from meta where key = 'foldMark'), 0) and token_pk is not null group by token_pk`,
  );
  return new Map(rows.map((row) => [row.int('token_pk'), row.int('floor')]));
}

/** A box that does not open with the master key that the database was checked with was altered: better no export than one without it. */
function opened<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a sealed secret does not open; the database was altered');
  return value;
}

/** Without what is null or an empty list. */
const filled = (entry: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(entry).filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0)),
  );
