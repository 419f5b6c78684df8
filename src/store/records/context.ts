/** What every kind of record needs to be read and changed; made once a process. */
import type { Knex } from 'knex';
import type { Clock } from '../../base/units.js';
import type { PolicyChecks } from '../../records/policy.js';
import type { ChangeWriter } from '../change.js';
import type { Database } from '../database.js';
import type { Feed } from '../feed.js';
import type { Seal } from '../seal.js';
import type { Passwords } from './passwords.js';
import type { TokenSetting } from './tokens.js';
import { RecordWriter } from './work.js';

export interface RecordContext extends TokenSetting {
  readonly db: Knex;
  readonly writer: RecordWriter;
  readonly passwords: Passwords;
  readonly clock: Clock;
  readonly policyChecks: PolicyChecks;
}

/** What the process brings. */
export interface RecordDependencies {
  readonly database: Database;
  /** Read at once after each change, so that this process's caches are true when the change is answered. */
  readonly feed?: Pick<Feed, 'poll'>;
  /** Marks and numbers the events of changes: one a process and start, shared with nobody. */
  readonly changes: ChangeWriter;
  readonly seal: Seal;
  readonly passwords: Passwords;
  readonly clock: Clock;
  /** Where it is left out, only what the records themselves say is checked. */
  readonly policyChecks?: PolicyChecks;
  /** Who an authenticator app says the code is for; `Sallyport` where nobody says. */
  readonly issuer?: string;
}

export const recordContext = (deps: RecordDependencies): RecordContext => ({
  db: deps.database.records,
  writer: new RecordWriter(deps.database.records, deps.changes, deps.clock, deps.feed ?? null),
  seal: deps.seal,
  passwords: deps.passwords,
  clock: deps.clock,
  policyChecks: deps.policyChecks ?? { upstreams: [], replyAttributeFaults: () => [] },
  issuer: deps.issuer ?? 'Sallyport',
});
