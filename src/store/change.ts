/**
 * What every transaction that changes records leaves behind: one row of the feed, which other parts and processes follow, and
 * one event that says who did what. Both stand in the transaction itself, so neither can be there without the other.
 */
import type { Knex } from 'knex';
import type { Instant } from '../base/units.js';
import { uuid7 } from '../base/uuid7.js';
import type { Actor } from './actor.js';
import { fieldsRow, insertEvents } from './event-row.js';
import { refreshUserFacts } from './user-facts.js';
import { userKey } from './user-key.js';

/** What a feed row speaks of; caches drop it by this. */
export type ChangeKind =
  | 'user'
  /** The failures of these users were forgotten by an administrator: whatever a ledger holds of them goes. */
  | 'unlock'
  | 'group'
  | 'resource'
  | 'token'
  | 'radiusClient'
  | 'ldapApplication'
  | 'apiKey'
  | 'administrator';

/**
 * Call it last in a transaction: it puts together again what decisions read of the users, and adds the feed row: records `pks` of `kind` changed (null: any of them may have). Tokens, aliases, assignments and group
 * memberships are part of their user: announce the user's pk under `user`, old and new owner both.
 */
export async function announce(
  tx: Knex.Transaction,
  kind: ChangeKind,
  pks: readonly number[] | null,
  now: Instant,
): Promise<void> {
  if (kind === 'user') await refreshUserFacts(tx, pks);
  await tx('changes').insert({ kind, pks: pks === null ? null : JSON.stringify(pks), time: now });
}

/** What a change of a record says in the log. `detail` never holds a secret. */
export interface RecordedChange {
  readonly action: 'created' | 'updated' | 'deleted' | 'linked' | 'unlinked' | 'unlocked' | 'imported' | 'applied';
  readonly record: string;
  readonly recordId: string | null;
  /** The record's name or login, for the reader. */
  readonly name: string;
  /** The user that it concerns, if one. */
  readonly userId: string | null;
  readonly detail?: Readonly<Record<string, unknown>>;
  /** Where an administrator unlocked: whose failures are forgotten from here on, also when the log is replayed. */
  readonly unlockedUserPk?: number;
}

/** Numbers this process's record events without a gap: events carry `writer` and `seq` so that a missing one shows. */
export class ChangeWriter {
  readonly #name: string;
  #writer: string;
  #generation = 0;
  #seq = 0;

  constructor(writer: string) {
    this.#name = writer;
    this.#writer = writer;
  }

  /** Call it where a commit failed: it may be on disk all the same, and its numbers must not come twice, so a new writer goes on. */
  moveOn(): void {
    this.#generation += 1;
    this.#writer = `${this.#name}.${this.#generation}`;
    this.#seq = 0;
  }

  /**
   * Writes `changes` as events of kind `change` in `tx`. Returns a function to call once `tx` has committed, which
   * makes the numbers final; without it the next transaction takes them again. Transactions must run one after the other.
   */
  async write(
    tx: Knex.Transaction,
    changes: readonly RecordedChange[],
    actor: Actor,
    now: Instant,
  ): Promise<() => void> {
    const first = this.#seq + 1;
    const rows = changes.map((change, i) =>
      fieldsRow({
        id: uuid7(now),
        writer: this.#writer,
        seq: first + i,
        time: now,
        kind: 'change',
        user_id: change.userId,
        user_key: change.userId === null ? null : userKey(change.userId),
        login: change.record === 'user' ? change.name : null,
        source: actor.source,
        actor: actor.name,
        lockouts: change.unlockedUserPk === undefined ? null : JSON.stringify([change.unlockedUserPk]),
        detail: JSON.stringify({
          action: change.action,
          record: change.record,
          recordId: change.recordId,
          name: change.name,
          ...change.detail,
        }),
      }),
    );
    await insertEvents(tx, rows);
    return () => {
      this.#seq = first + rows.length - 1;
    };
  }
}
