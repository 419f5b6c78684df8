/** A record store over a real database, with passwords that cost nothing and a clock that tests move. */

import { createHash, randomBytes } from 'node:crypto';
import { Secret } from '../../../src/base/secret.js';
import { instant } from '../../../src/base/units.js';
import type { Result } from '../../../src/records/problem.js';
import type { Actor } from '../../../src/store/actor.js';
import { ChangeWriter } from '../../../src/store/change.js';
import type { Database } from '../../../src/store/database.js';
import type { RecordStore } from '../../../src/store/record-store.js';
import { type RecordContext, recordContext } from '../../../src/store/records/context.js';
import { query } from '../../../src/store/records/sql.js';
import { recordStore } from '../../../src/store/records/store.js';
import { Seal } from '../../../src/store/seal.js';
import { makeDatabase } from '../../support/database.js';

export const BY: Actor = { name: 'cli:test', source: null };
/** RFC 4226's test secret: 160 bit. */
export const SEED = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
export const OTHER_SEED = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';

export interface World {
  readonly database: Database;
  readonly store: RecordStore;
  readonly context: RecordContext;
  readonly seal: Seal;
  pass(ms: number): void;
  /** The first column of the first row. */
  one(sql: string): Promise<number>;
  /** What the feed said since the last call: kinds and pks. */
  feed(): Promise<readonly { readonly kind: string; readonly pks: readonly number[] }[]>;
  close(): Promise<void>;
}

const digest = (password: string): string => createHash('sha256').update(password).digest('base64').replace('=', '');

export async function openWorld(engine: Database['engine']): Promise<World> {
  const { database, drop } = await makeDatabase(engine);
  const seal = new Seal(Secret.of(Buffer.alloc(32, 7)));
  let now = Date.UTC(2026, 10, 24, 12);
  const context = recordContext({
    database,
    changes: new ChangeWriter('test'),
    seal,
    // Shaped like argon2id and different each time, as salted hashes are.
    passwords: {
      hash: async (password) => `$argon2id$v=19$m=8,t=1,p=1$${randomBytes(12).toString('base64')}$${digest(password)}`,
      verify: async (hash, password) => hash.split('$').at(-1) === digest(password),
    },
    clock: () => instant(now),
    policyChecks: { replyAttributeFaults: () => [], upstreams: ['corp'] },
  });
  let heard = 0;
  return {
    database,
    store: recordStore(context),
    context,
    seal,
    pass: (ms) => {
      now += ms;
    },
    one: async (sql) => (await query(database.records, sql))[0]?.int('n') ?? Number.NaN,
    feed: async () => {
      const rows = await query(database.records, 'select seq, kind, pks from changes where seq > ? order by seq', [
        heard,
      ]);
      heard = rows.at(-1)?.int('seq') ?? heard;
      return rows.map((row) => ({ kind: row.text('kind'), pks: JSON.parse(row.textOrNull('pks') ?? '[]') }));
    },
    close: drop,
  };
}

/** The value of a result that must be one. */
export function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.problem)}`);
  return result.value;
}

/** What is wrong with a result that must be refused. */
export function problem<T>(result: Result<T>) {
  if (result.ok) throw new Error('was not refused');
  return result.problem;
}
