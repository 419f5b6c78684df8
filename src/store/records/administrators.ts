/** Administrators in the store. There is always an active owner: the last one can be neither deleted nor demoted nor blocked. */
import type { Knex } from 'knex';
import { ADMINISTRATOR_ROLES, type AdministratorPatch, type AdministratorRecord } from '../../records/administrator.js';
import { nameKey } from '../../records/values.js';
import type { AdministratorCredential } from '../record-store.js';
import { type Head, loadByNames, newHead, removeNamed, type Spec, shownHead, writeNamed } from './named.js';
import { query } from './sql.js';
import type { Work } from './work.js';

type AdministratorRole = (typeof ADMINISTRATOR_ROLES)[number];

export interface AdministratorState extends Head {
  readonly passwordHash: string;
  readonly role: AdministratorRole;
  readonly active: boolean;
}

export const ADMINISTRATORS: Spec<AdministratorState> = {
  record: 'administrator',
  kind: 'administrator',
  table: 'administrators',
  nameColumn: 'login',
  from: '',
  select: '1 as one',
  columns: { password_hash: 'text', role: 'text', active: 'bool' },
  read: (row, head) => {
    const role = ADMINISTRATOR_ROLES.find((each) => each === row.text('role'));
    if (role === undefined) throw new Error(`administrators.role holds ${row.text('role')}`);
    return { ...head, passwordHash: row.text('password_hash'), role, active: row.flag('active') };
  },
  values: ({ passwordHash, role, active }) => ({ password_hash: passwordHash, role, active }),
  fields: ({ name, passwordHash, role, active }) => ({ login: name, password: passwordHash, role, active }),
  hidden: ['password'],
};

/** An administrator as the API shows it. */
export const shownAdministrator = (state: AdministratorState): AdministratorRecord => ({
  ...shownHead(state),
  login: state.name,
  role: state.role,
  active: state.active,
});

/** Changes one, or makes one where there is no `before`; `hash` is the new password's. */
export async function changeAdministrator(
  work: Work,
  before: AdministratorState | null,
  patch: AdministratorPatch,
  hash: string | undefined,
): Promise<AdministratorState> {
  const base: AdministratorState = before ?? {
    ...newHead(work, patch.login ?? ''),
    passwordHash: hash ?? '',
    role: patch.role ?? 'auditor',
    active: true,
  };
  const after: AdministratorState = {
    ...base,
    name: patch.login ?? base.name,
    passwordHash: hash ?? base.passwordHash,
    role: patch.role ?? base.role,
    active: patch.active === undefined ? base.active : (patch.active ?? true),
  };
  if (before !== null && isOwner(before) && !isOwner(after) && !(await anotherOwner(work.tx, before)))
    work.conflict(after.role === 'owner' ? '/active' : '/role', LAST_OWNER, `administrator ${before.name}`);
  const [written] = await writeNamed(work, ADMINISTRATORS, [{ before, after, at: '' }]);
  return written ?? after;
}

const LAST_OWNER = 'the last active owner stays one; make another first';
const isOwner = ({ role, active }: AdministratorState): boolean => role === 'owner' && active;

async function anotherOwner(db: Knex, state: AdministratorState): Promise<boolean> {
  const rows = await query(
    db,
    `select 1 as one from administrators where role = 'owner' and active = ? and pk <> ? limit 1`,
    [true, state.pk],
  );
  return rows.length > 0;
}

/** Deletes one, unless it is the last active owner. */
export async function removeAdministrator(work: Work, state: AdministratorState): Promise<void> {
  if (isOwner(state) && !(await anotherOwner(work.tx, state)))
    work.conflict('', LAST_OWNER, `administrator ${state.name}`);
  else await removeNamed(work, ADMINISTRATORS, [state]);
}

/** By login, for a sign-in. */
export async function administratorCredential(db: Knex, login: string): Promise<AdministratorCredential | null> {
  const state = (await loadByNames(db, ADMINISTRATORS, [login])).get(nameKey(login));
  if (state === undefined) return null;
  const { id, name, role, active, passwordHash } = state;
  return { id, login: name, role, active, passwordHash };
}
