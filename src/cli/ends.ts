/** The records that commands put together, and how they are found. */
import type { GroupRecord } from '../records/group.js';
import type { Result } from '../records/problem.js';
import type { ResourceRecord } from '../records/resource.js';
import type { TokenRecord } from '../records/token.js';
import type { UserRecord } from '../records/user.js';
import type { RecordStore } from '../store/record-store.js';
import { findNamed } from './record-commands.js';

/** One end of a link. */
export interface End<Shown extends { readonly id: string }> {
  /** The name of the argument and of the thing: `user`. */
  readonly noun: string;
  /** How it may be called: `Login, alias or id`. */
  readonly describe: string;
  find(records: RecordStore, reference: string): Promise<Result<Shown>>;
  called(shown: Shown): string;
}

/** A user, by login, alias or id. */
export const USER: End<UserRecord> = {
  noun: 'user',
  describe: 'Login, alias or id',
  find: (records, reference) => records.users.find(reference),
  called: ({ login }) => login,
};

/** A token, by serial or id. */
export const TOKEN: End<TokenRecord> = {
  noun: 'token',
  describe: 'Serial or id',
  find: (records, reference) => records.tokens.find(reference),
  called: ({ serial, name, id }) => serial ?? name ?? id,
};

/** A resource, by name or id. */
export const RESOURCE: End<ResourceRecord> = {
  noun: 'resource',
  describe: 'Name or id',
  find: (records, reference) => findNamed(records.resources, reference),
  called: ({ name }) => name,
};

/** A group, by name or id. */
export const GROUP: End<GroupRecord> = {
  noun: 'group',
  describe: 'Name or id',
  find: (records, reference) => findNamed(records.groups, reference),
  called: ({ name }) => name,
};
