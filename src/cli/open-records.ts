/** How a command comes by the records: it opens the database, which migrates it, and checks the master key before it reads or writes. */
import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import { systemClock } from '../base/units.js';
import type { Config } from '../config/load-config.js';
import { hashPassword, verifyPassword } from '../first-factor/password.js';
import { replyAttributeFaults } from '../radius/reply-attribute-faults.js';
import type { Actor } from '../store/actor.js';
import { ChangeWriter } from '../store/change.js';
import { type Database, openDatabase } from '../store/database.js';
import { checkMasterKey } from '../store/master-key-check.js';
import type { RecordStore } from '../store/record-store.js';
import type { RecordDependencies } from '../store/records/context.js';
import { openRecordStore } from '../store/records/store.js';
import { Seal } from '../store/seal.js';

/** The records of an installation, and what they were opened with; `close` when done. */
export interface OpenRecords {
  readonly database: Database;
  readonly records: RecordStore;
  readonly deps: RecordDependencies;
  close(): Promise<void>;
}

export type RecordsOpened =
  | { readonly ok: true; readonly open: OpenRecords }
  | { readonly ok: false; readonly message: string };

const WRITER_OCTETS = 6;

/** Opens the database of `config`, beside a daemon that may be running on it. */
export async function openRecords(config: Config): Promise<RecordsOpened> {
  let database: Database;
  try {
    database = await openDatabase(config.database);
  } catch (error) {
    return {
      ok: false,
      message: `the database cannot be opened: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
  const seal = new Seal(config.masterKey);
  if ((await checkMasterKey(database.records, seal)) === 'wrong') {
    await database.close();
    return { ok: false, message: 'the master key is not the one that this database was made with' };
  }
  const deps: RecordDependencies = {
    database,
    changes: new ChangeWriter(randomBytes(WRITER_OCTETS).toString('hex')),
    seal,
    passwords: {
      hash: hashPassword,
      verify: async (hash, password) => (await verifyPassword(hash, password)) === true,
    },
    clock: systemClock,
    policyChecks: { upstreams: [], replyAttributeFaults },
  };
  return { ok: true, open: { database, records: openRecordStore(deps), deps, close: () => database.close() } };
}

/** Who changes records from the command line. */
export function commandLineActor(): Actor {
  return { name: `cli:${userInfo().username}`, source: null };
}
