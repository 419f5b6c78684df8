/**
 * Makes the records what a file says, in one transaction, or says all that is wrong with it. What a file does not name is left
 * alone, but for `prune`. A rehearsal is the same transaction, undone.
 */
import type { FieldError } from '../../records/problem.js';
import { done } from '../../records/problem.js';
import type { RecordsFile } from '../../records/records-file.js';
import { nameKey } from '../../records/values.js';
import type { Actor } from '../actor.js';
import type { RecordContext } from './context.js';
import { changeGroups, groupSpec, removeGroups } from './groups.js';
import {
  changeLdapApplications,
  LDAP_APPLICATIONS,
  type PreparedAccount,
  prepareAccounts,
} from './ldap-applications.js';
import { type Head, loadAll, loadByNames, removeNamed, type Spec } from './named.js';
import { wantedHash } from './passwords.js';
import { changeRadiusClients, RADIUS_CLIENTS } from './radius-clients.js';
import { findTargets, target } from './references.js';
import { changeResources, RESOURCES, removeResources } from './resources.js';
import { query, texts } from './sql.js';
import { planToken, type TokenPlan } from './token-plan.js';
import { changeTokens, destroyTokens, loadTokens, loadTokensBy } from './tokens.js';
import { changeUsersAndTokens } from './user-change.js';
import { loadUsers, removeUsers, type UserEdit } from './users.js';
import type { Outcome, Work } from './work.js';

export interface ApplyOptions {
  /** Deletes records that the file does not name; administrators and API keys stay. */
  readonly prune: boolean;
  /** Changes nothing, says what would change. */
  readonly rehearse: boolean;
}

export type Applied =
  | {
      readonly ok: true;
      readonly outcomes: readonly Outcome[];
      /** Tokens that came without a secret and got one. */
      readonly secretsMade: number;
    }
  /** Nothing was written. Pointers are into the file. */
  | { readonly ok: false; readonly errors: readonly FieldError[] };

/** Passwords that are hashed or compared at a time: argon2 takes a thread each, and memory. */
const HASHES_AT_ONCE = 2;

/** What was done before the transaction, since it takes long. */
interface Prepared {
  /** By login key; undefined: the file says nothing of a password. */
  readonly hashes: ReadonlyMap<string, string | null | undefined>;
  /** By application name key. */
  readonly accounts: ReadonlyMap<string, readonly PreparedAccount[]>;
}

/** Applies `file`, which its schema has checked. */
export async function applyRecords(
  context: RecordContext,
  file: RecordsFile,
  by: Actor,
  options: ApplyOptions,
): Promise<Applied> {
  const doubles = namedTwice(file);
  if (doubles.length > 0) return { ok: false, errors: doubles };
  const prepared = await prepare(context, file);
  let work: Work | null = null;
  const result = await context.writer.run(
    by,
    async (attempt) => {
      work = attempt;
      await change(attempt, context, file, prepared);
      if (options.prune && attempt.problem === null) await prune(attempt, context, file);
      return done({ outcomes: attempt.outcomes, faults: attempt.faults, made: attempt.issued });
    },
    options.rehearse,
  );
  if (result.ok) {
    const { outcomes, made } = result.value;
    const brought = secretsBrought(file);
    return { ok: true, outcomes, secretsMade: made.filter(({ secret }) => !brought.has(secret)).length };
  }
  return { ok: false, errors: faultsOf(work) };
}

const faultsOf = (work: Work | null): readonly FieldError[] => work?.faults ?? [];

/** Records that a file names twice: which of them is meant? */
function namedTwice(file: RecordsFile): FieldError[] {
  const errors: FieldError[] = [];
  const check = (names: readonly (readonly [name: string | null | undefined, pointer: string])[]) => {
    const seen = new Set<string>();
    for (const [name, pointer] of names) {
      if (name === null || name === undefined) continue;
      if (seen.has(name)) errors.push({ pointer, message: `${name} is there twice` });
      seen.add(name);
    }
  };
  for (const section of ['groups', 'resources', 'radiusClients', 'ldapApplications'] as const)
    check((file[section] ?? []).map(({ name }, i) => [nameKey(name), `/${section}/${i}/name`]));
  check((file.users ?? []).map(({ login }, i) => [nameKey(login), `/users/${i}/login`]));
  check([
    ...(file.users ?? []).flatMap(({ tokens }, i) =>
      (tokens ?? []).map(({ serial }, j) => [serial, `/users/${i}/tokens/${j}/serial`] as const),
    ),
    ...(file.tokens ?? []).map(({ serial }, i) => [serial, `/tokens/${i}/serial`] as const),
  ]);
  return errors;
}

async function prepare({ db, passwords }: RecordContext, file: RecordsFile): Promise<Prepared> {
  const users = (file.users ?? []).filter(
    ({ password, passwordHash }) => password !== undefined || passwordHash !== undefined,
  );
  const rows = await query(
    db,
    `select n.key, u.password_hash from names n join users u on u.pk = n.user_pk where n.key in ${texts(db)}`,
    [JSON.stringify(users.map(({ login }) => nameKey(login)))],
  );
  const present = new Map(rows.map((row) => [row.text('key'), row.textOrNull('password_hash')]));
  const hashes = new Map<string, string | null | undefined>();
  await eachOf(users, async (user) => {
    const key = nameKey(user.login);
    hashes.set(key, await wantedHash(passwords, user, present.get(key) ?? null));
  });
  const applications = file.ldapApplications ?? [];
  const kept = await loadByNames(
    db,
    LDAP_APPLICATIONS,
    applications.map(({ name }) => name),
  );
  const accounts = new Map<string, readonly PreparedAccount[]>();
  await eachOf(applications, async ({ name, serviceAccounts }) => {
    const key = nameKey(name);
    if (Array.isArray(serviceAccounts))
      accounts.set(key, await prepareAccounts(passwords, serviceAccounts, kept.get(key) ?? null));
  });
  return { hashes, accounts };
}

async function eachOf<T>(items: readonly T[], job: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await job(item);
  };
  await Promise.all(Array.from({ length: HASHES_AT_ONCE }, worker));
}

async function change(work: Work, context: RecordContext, file: RecordsFile, prepared: Prepared): Promise<void> {
  for (const { name } of file.resources ?? []) work.expected.add(`resource ${nameKey(name)}`);
  for (const { name } of file.groups ?? []) work.expected.add(`group ${nameKey(name)}`);
  for (const { login, aliases } of file.users ?? [])
    for (const name of [login, ...(aliases ?? [])]) work.expected.add(`user ${nameKey(name)}`);
  await changeResources(work, await matched(work, RESOURCES, 'resources', file.resources ?? []), context.policyChecks);
  await changeGroups(work, await matched(work, groupSpec(work.tx), 'groups', file.groups ?? []));
  await changeUsersAndTokens(work, await matchedUsers(work, file, prepared), context, 'mayTake');
  await changeStock(work, context, file);
  await changeRadiusClients(
    work,
    await matched(work, RADIUS_CLIENTS, 'radiusClients', file.radiusClients ?? []),
    context.seal,
  );
  const applications = await matched(work, LDAP_APPLICATIONS, 'ldapApplications', file.ldapApplications ?? []);
  await changeLdapApplications(
    work,
    applications.map((edit) => ({ ...edit, accounts: prepared.accounts.get(nameKey(edit.patch.name)) })),
  );
}

/** Entries with the records of the same name. */
async function matched<S extends Head, P extends { readonly name: string }>(
  work: Work,
  spec: Spec<S>,
  section: string,
  entries: readonly P[],
) {
  const present = await loadByNames(
    work.tx,
    spec,
    entries.map(({ name }) => name),
  );
  return entries.map((patch, i) => ({
    before: present.get(nameKey(patch.name)) ?? null,
    patch,
    at: `/${section}/${i}`,
  }));
}

async function matchedUsers(work: Work, file: RecordsFile, { hashes }: Prepared): Promise<UserEdit[]> {
  const entries = file.users ?? [];
  const keys = entries.map(({ login }) => nameKey(login));
  const rows = await query(work.tx, `select key, user_pk from names where not is_alias and key in ${texts(work.tx)}`, [
    JSON.stringify(keys),
  ]);
  const pks = new Map(rows.map((row) => [row.text('key'), row.int('user_pk')]));
  const users = new Map((await loadUsers(work.tx, [...pks.values()])).map((user) => [user.pk, user]));
  return entries.map((patch, i) => ({
    before: users.get(pks.get(keys[i] ?? '') ?? 0) ?? null,
    patch,
    passwordHash: hashes.get(keys[i] ?? ''),
    at: `/users/${i}`,
  }));
}

/** The file's own list of tokens, known by serial. One that was assigned meanwhile stays assigned, unless the file names the user. */
async function changeStock(work: Work, context: RecordContext, file: RecordsFile): Promise<void> {
  const entries = file.tokens ?? [];
  if (entries.length === 0) return;
  const present = new Map(
    (
      await loadTokensBy.serials(
        work.tx,
        entries.flatMap(({ serial }) => serial ?? []),
      )
    ).map((token) => [token.serial, token]),
  );
  const users = await findTargets(
    work.tx,
    'user',
    entries.flatMap(({ user }) => user ?? []),
  );
  const plan: TokenPlan = { edits: [], removals: [] };
  entries.forEach((entry, i) => {
    const at = `/tokens/${i}`;
    const user = typeof entry.user === 'string' ? target(work, users, 'user', entry.user, `${at}/user`) : entry.user;
    planToken(work, plan, entry, present.get(entry.serial ?? null) ?? null, user, { seal: context.seal, at });
  });
  await changeTokens(work, plan.edits, plan.removals, context);
}

/** Deletes what the file does not name, users of things before the things. */
async function prune(work: Work, context: RecordContext, file: RecordsFile): Promise<void> {
  const unnamed = async <S extends Head>(
    spec: Spec<S>,
    entries: readonly { readonly name: string }[] | null | undefined,
  ): Promise<S[]> => {
    const named = new Set((entries ?? []).map(({ name }) => nameKey(name)));
    return (await loadAll(work.tx, spec)).filter(({ name }) => !named.has(nameKey(name)));
  };
  await removeNamed(work, LDAP_APPLICATIONS, await unnamed(LDAP_APPLICATIONS, file.ldapApplications));
  await removeNamed(work, RADIUS_CLIENTS, await unnamed(RADIUS_CLIENTS, file.radiusClients));
  const logins = JSON.stringify((file.users ?? []).map(({ login }) => nameKey(login)));
  const users = await query(work.tx, `select user_pk from names where not is_alias and key not in ${texts(work.tx)}`, [
    logins,
  ]);
  await removeUsers(
    work,
    await loadUsers(
      work.tx,
      users.map((row) => row.int('user_pk')),
    ),
  );
  const serials = new Set(
    [...(file.tokens ?? []), ...(file.users ?? []).flatMap(({ tokens }) => tokens ?? [])].map(({ serial }) => serial),
  );
  const stock = await loadTokens(work.tx, 'where t.user_pk is null', []);
  await destroyTokens(
    work,
    stock.filter(({ serial }) => serial === null || !serials.has(serial)),
  );
  await removeGroups(work, await unnamed(groupSpec(work.tx), file.groups));
  await removeResources(work, await unnamed(RESOURCES, file.resources), context);
}

function secretsBrought(file: RecordsFile): ReadonlySet<string> {
  const tokens = [...(file.tokens ?? []), ...(file.users ?? []).flatMap((user) => user.tokens ?? [])];
  return new Set(
    tokens.flatMap(({ secret }) => (typeof secret === 'string' ? [secret.toUpperCase().replace(/[ =-]/g, '')] : [])),
  );
}
