/** The records file: what `apply` reads and `export` writes. */
import { z } from 'zod';
import { groupCreate } from './group.js';
import { ldapApplicationEntry } from './ldap-application.js';
import { radiusClientEntry } from './radius-client.js';
import { resourceCreate } from './resource.js';
import { tokenCreate } from './token.js';
import { userCreate } from './user.js';

/** One transaction holds them all; what is larger is for `import`. */
const ENTRIES_MAX = 100_000;

const section = <T extends z.ZodType>(entry: T) =>
  z.array(entry).max(ENTRIES_MAX, `at most ${ENTRIES_MAX} entries`).nullish();

/** A token of the file's own list is known again by its serial. */
const stockToken = tokenCreate.refine((token) => typeof token.serial === 'string', {
  path: ['serial'],
  message: 'a token outside a user needs a serial, by which it is known again',
});

export const recordsFile = z.strictObject({
  groups: section(groupCreate),
  resources: section(resourceCreate),
  radiusClients: section(radiusClientEntry),
  ldapApplications: section(ldapApplicationEntry),
  users: section(userCreate),
  tokens: section(stockToken),
});
export type RecordsFile = z.output<typeof recordsFile>;
