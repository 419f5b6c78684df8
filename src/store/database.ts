/**
 * The connections to the database: one each for the ledger, the directory and everything else, so that no report or import
 * holds up an answer. Opening migrates. SQLite runs in WAL mode with synchronous=FULL: what a commit said is on disk is.
 */
import knex, { type Knex } from 'knex';
import { migrate } from './migrate.js';
import { BUSY_TIMEOUT_MS, finalizeStatements } from './sqlite-statement.js';

/** Where the records live. */
export type DatabaseConfig =
  | { readonly client: 'sqlite3'; readonly connection: { readonly filename: string } }
  | { readonly client: 'pg'; readonly connection: string };

/** Connections by use. `engine` tells SQL dialects apart. */
export interface Database {
  readonly engine: 'sqlite' | 'postgres';
  readonly ledger: Knex;
  readonly directory: Knex;
  readonly records: Knex;
  close(): Promise<void>;
}

/**
 * SQLite itself waits ever longer between two looks, up to 100 ms, and an importer between two slices would be missed. So the
 * ledger lets it look twice, and goes on looking itself every millisecond (sqlite-statement.ts).
 */
const LEDGER_BUSY_TIMEOUT_MS = 2;
/**
 * Pages in the WAL before a commit copies it back: 20,000 rather than 1,000 is a third more decisions a second (measured). The
 * ledger's commits never do: that is the checkpointer's work (checkpoint.ts).
 */
const WAL_AUTOCHECKPOINT_PAGES = 20_000;
/** Page cache of a connection, KiB. Resident memory is promised to stay under 300 MiB. */
const CACHE_KIB = { ledger: 8_192, directory: 32_768, records: 8_192, checkpoint: 2_048 } as const;
const PG_POOL = { ledger: 2, directory: 2, records: 4, checkpoint: 1 } as const;
const ACQUIRE_TIMEOUT_MS = 5_000;
/** When PostgreSQL gives a statement of ledger or directory up. */
const STATEMENT_TIMEOUT_MS = 5_000;

/** When such a statement is given up from here: the network may be dead, and then nobody else says so. */
const ANSWER_TIMEOUT_MS = 6_000;

export type ConnectionUse = keyof typeof CACHE_KIB;

interface RawSqlite {
  exec(sql: string, done: (error: Error | null) => void): void;
}

/** One pool of connections for `use`; SQLite gets one connection, since it serialises anyway. */
export function connect(config: DatabaseConfig, use: ConnectionUse): Knex {
  if (config.client === 'pg') {
    return knex({
      client: 'pg',
      connection: {
        connectionString: config.connection,
        application_name: `sallyport ${use}`,
        connectionTimeoutMillis: ACQUIRE_TIMEOUT_MS,
        keepAlive: true,
        // Nothing that an answer waits for takes long; what does runs into a lock or a dead network.
        ...(use === 'records' ? {} : { statement_timeout: STATEMENT_TIMEOUT_MS }),
      },
      pool: { min: 0, max: PG_POOL[use] },
      acquireConnectionTimeout: ACQUIRE_TIMEOUT_MS,
    });
  }
  const pragmas =
    `pragma busy_timeout=${BUSY_TIMEOUT_MS}; pragma journal_mode=wal; pragma synchronous=full; pragma foreign_keys=on; ` +
    `pragma wal_autocheckpoint=${use === 'ledger' ? 0 : WAL_AUTOCHECKPOINT_PAGES}; pragma cache_size=-${CACHE_KIB[use]}; pragma temp_store=memory;` +
    (use === 'ledger' ? `pragma busy_timeout=${LEDGER_BUSY_TIMEOUT_MS};` : '');
  return knex({
    client: 'sqlite3',
    connection: { filename: config.connection.filename },
    useNullAsDefault: true,
    pool: {
      min: 1,
      max: 1,
      afterCreate: (raw: RawSqlite, done: (error: Error | null, raw: RawSqlite) => void) =>
        raw.exec(pragmas, (error) => done(error, raw)),
    },
    acquireConnectionTimeout: ACQUIRE_TIMEOUT_MS,
  });
}

/** A statement that an answer waits for. On PostgreSQL it rejects in the end, and its connection is thrown away. */
export function inTime<T>(engine: Database['engine'], statement: Knex.Raw<T>): Knex.Raw<T> {
  return engine === 'sqlite' ? statement : statement.timeout(ANSWER_TIMEOUT_MS);
}

/** Opens and migrates. Rejects where the database cannot be reached or was made by a newer release. */
export async function openDatabase(config: DatabaseConfig): Promise<Database> {
  const records = connect(config, 'records');
  try {
    await migrate(records);
  } catch (error) {
    await records.destroy();
    throw error;
  }
  const ledger = connect(config, 'ledger');
  const directory = connect(config, 'directory');
  return {
    engine: config.client === 'pg' ? 'postgres' : 'sqlite',
    ledger,
    directory,
    records,
    close: async () => {
      await Promise.all([ledger, directory, records].map((db) => disconnect(config, db)));
    },
  };
}

/** Closes a pool that `connect` made. */
export async function disconnect({ client }: DatabaseConfig, db: Knex): Promise<void> {
  try {
    if (client === 'sqlite3') await finalizeStatements(db);
  } finally {
    await db.destroy();
  }
}
