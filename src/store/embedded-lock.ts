/**
 * One daemon a SQLite file: it decides in memory, so a second one would accept what the first has spent. The lock is an
 * exclusive transaction on a small SQLite file beside the database; the operating system releases it however a process ends.
 */
import knex, { type Knex } from 'knex';

/** Held until `release`. */
export interface EmbeddedLock {
  release(): Promise<void>;
}

/** Takes the lock for the database at `filename`; null where another process has it. */
export async function takeEmbeddedLock(filename: string): Promise<EmbeddedLock | null> {
  const db: Knex = knex({
    client: 'sqlite3',
    connection: { filename: `${filename}.lock` },
    useNullAsDefault: true,
    pool: { min: 1, max: 1 },
  });
  try {
    await db.raw('pragma busy_timeout=0');
    await db.raw('begin exclusive');
  } catch (error) {
    await db.destroy();
    if (error instanceof Error && error.message.includes('SQLITE_BUSY')) return null;
    throw error;
  }
  return {
    release: async () => {
      await db.raw('rollback');
      await db.destroy();
    },
  };
}
