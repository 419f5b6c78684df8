/**
 * Migrations, in order, inside the program: they are only ever added. All that are missing are applied in one transaction, under
 * a lock that the database lets go of however a process ends, so that several may start at once and none leaves half a release.
 */
import type { Knex } from 'knex';
import * as foundation from './migrations/0001-foundation.js';

const MIGRATIONS = [{ name: '0001-foundation', up: foundation.up }] as const;

/** PostgreSQL's advisory lock for migrations; any number that nobody else in this database takes. */
const ADVISORY_LOCK = 7_205_759_402;

/** The database holds tables that this release does not know: it was used by a newer one. */
export class NewerDatabase extends Error {
  constructor(names: readonly string[]) {
    super(
      `the database was made by a newer release (it has ${names.join(', ')}); run that release, or restore a backup from before it`,
    );
  }
}

/** Brings the database to this release's tables. Rejects with `NewerDatabase`, or where the database cannot be reached. */
export async function migrate(db: Knex): Promise<void> {
  if ((await db.schema.hasTable('migrations')) && missing(await applied(db)).length === 0) return;
  await exclusively(db, async (tx) => {
    await tx.raw('create table if not exists migrations (name text primary key, applied_at bigint not null)');
    for (const { name, up } of missing(await applied(tx))) {
      await up(tx);
      await tx('migrations').insert({ name, applied_at: Date.now() });
    }
  });
}

async function applied(db: Knex): Promise<readonly string[]> {
  const rows: { name: string }[] = await db('migrations').select('name').orderBy('name');
  return rows.map(({ name }) => name);
}

function missing(names: readonly string[]): readonly (typeof MIGRATIONS)[number][] {
  const unknown = names.filter((name) => !MIGRATIONS.some((migration) => migration.name === name));
  if (unknown.length > 0) throw new NewerDatabase(unknown);
  return MIGRATIONS.filter(({ name }) => !names.includes(name));
}

/** Runs `work` in a transaction that no other process's migration runs beside. */
async function exclusively(db: Knex, work: (tx: Knex) => Promise<void>): Promise<void> {
  if (db.client.config.client !== 'sqlite3') {
    await db.transaction(async (tx) => {
      await tx.raw('select pg_advisory_xact_lock(?)', [ADVISORY_LOCK]);
      await work(tx);
    });
    return;
  }
  // Not knex's transaction: it begins without the write lock, and two of them would both have read before either may write.
  await db.raw('begin immediate');
  try {
    await work(db);
    await db.raw('commit');
  } catch (error) {
    await db.raw('rollback').catch(() => undefined);
    throw error;
  }
}
