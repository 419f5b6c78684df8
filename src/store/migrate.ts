/**
 * Migrations, in order, inside the program: they are only ever added. knex refuses to go on where one already applied has
 * vanished, which is what an older release sees on a newer release's database.
 */
import type { Knex } from 'knex';
import * as foundation from './migrations/0001-foundation.js';

const MIGRATIONS = [{ name: '0001-foundation', up: foundation.up }] as const;
type Migration = (typeof MIGRATIONS)[number];

/** There is no way down: the way back is a backup. */
const down = async (): Promise<void> => {
  throw new Error('migrations only go forward; restore a backup to go back');
};

/** Brings the database to this release's tables. Safe to run from several processes at once (knex holds a lock). */
export async function migrate(db: Knex): Promise<void> {
  await db.migrate.latest({
    migrationSource: {
      getMigrations: async () => [...MIGRATIONS],
      getMigrationName: (migration: Migration) => migration.name,
      getMigration: async (migration: Migration) => ({ up: migration.up, down }),
    },
  });
}
