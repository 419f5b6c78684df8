/**
 * Puts the decision together: database, feed, directory, ledger, first factors, rules. Which ledger it is follows from the
 * database: SQLite belongs to this process alone, PostgreSQL is shared.
 */
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { makeAuthenticate } from '../access/authenticate.js';
import type { Ledger } from '../access/ports.js';
import type { Authenticate } from '../access/request.js';
import { type Clock, instant } from '../base/units.js';
import { uuid7 } from '../base/uuid7.js';
import type { Config } from '../config/load-config.js';
import { makeFirstFactors } from '../first-factor/first-factors.js';
import type { LedgerMetrics } from '../http/metrics.js';
import { Checkpointer } from '../store/checkpoint.js';
import { type Database, openDatabase } from '../store/database.js';
import { StoreDirectory } from '../store/directory.js';
import { type EmbeddedLock, takeEmbeddedLock } from '../store/embedded-lock.js';
import { Feed } from '../store/feed.js';
import { Fold } from '../store/fold.js';
import { EmbeddedLedger } from '../store/ledger-embedded.js';
import type { LedgerObserver } from '../store/ledger-health.js';
import { SharedLedger } from '../store/ledger-shared.js';
import { checkMasterKey } from '../store/master-key-check.js';
import { Seal } from '../store/seal.js';
import { StateOverlay } from '../store/state-overlay.js';

/** The clock of this machine may be off the database's by so much and no more (ms): codes are valid by the clock. */
const CLOCK_TOLERANCE_MS = 2_000;
const WRITER_OCTETS = 6;

/** Everything that a decision stands on, running. */
export interface Decisions {
  readonly database: Database;
  readonly seal: Seal;
  readonly feed: Feed;
  readonly authenticate: Authenticate;
  /** Names this process in the event log; other writers of the process add a suffix. */
  readonly writer: string;
  /** Why decisions cannot be made right now; empty where they can. */
  notReady(): readonly string[];
  /** Ends what is under way, in order, and closes the database. */
  stop(): Promise<void>;
}

export type Opened =
  | { readonly ok: true; readonly decisions: Decisions }
  | { readonly ok: false; readonly message: string };

/** Opens and starts everything. Where that cannot be, says why and what to do, and leaves nothing open. */
export async function openDecisions(
  config: Config,
  log: Logger,
  clock: Clock,
  metrics: LedgerMetrics,
): Promise<Opened> {
  const lock = await lockFor(config);
  if (!lock.ok) return lock;
  let database: Database | null = null;
  try {
    database = await openDatabase(config.database);
    const seal = new Seal(config.masterKey);
    if ((await checkMasterKey(database.records, seal)) === 'wrong') {
      await database.close();
      await lock.lock?.release();
      return {
        ok: false,
        message:
          'the master key is not the one that this database was made with; put that key back (masterKeyFile or SALLYPORT_MASTER_KEY)',
      };
    }
    return { ok: true, decisions: await start(config, log, clock, metrics, database, seal, lock.lock) };
  } catch (error) {
    await database?.close();
    await lock.lock?.release();
    return { ok: false, message: `the database cannot be opened: ${messageOf(error)}` };
  }
}

type Locked =
  | { readonly ok: true; readonly lock: EmbeddedLock | null }
  | { readonly ok: false; readonly message: string };

async function lockFor(config: Config): Promise<Locked> {
  if (config.database.client === 'pg') return { ok: true, lock: null };
  const { filename } = config.database.connection;
  try {
    const lock = await takeEmbeddedLock(filename);
    if (lock !== null) return { ok: true, lock };
    return {
      ok: false,
      message: `another daemon is running on ${filename}; stop it first (a SQLite database belongs to one daemon, PostgreSQL serves several)`,
    };
  } catch (error) {
    return { ok: false, message: `${filename} cannot be locked: ${messageOf(error)}` };
  }
}

async function start(
  config: Config,
  log: Logger,
  clock: Clock,
  metrics: LedgerMetrics,
  database: Database,
  seal: Seal,
  lock: EmbeddedLock | null,
): Promise<Decisions> {
  const onError = (what: string) => (error: unknown) => log.error({ err: error }, what);
  const writer = randomBytes(WRITER_OCTETS).toString('hex');
  const feed = new Feed(database, clock, onError('the change feed cannot be read'));
  await feed.start();

  const observer: LedgerObserver = {
    batch: (size, taken) => metrics.batch(size, taken),
    failed: (error) => log.error({ err: error }, 'the ledger cannot be written; nothing is answered until it can'),
    recovered: () => log.info('the ledger can be written again'),
  };
  const cached: { user: (pk: number) => ReturnType<StoreDirectory['cachedUser']> } = { user: () => null };
  const overlay = database.engine === 'sqlite' ? new StateOverlay() : null;
  const deps = { db: database.ledger, writer, observer, cached };
  const embedded = overlay === null ? null : new EmbeddedLedger({ ...deps, feed, overlay });
  const ledger: Ledger & { readonly healthy: boolean; stop(): Promise<void> } = embedded ?? new SharedLedger(deps);
  const directory = new StoreDirectory({
    database,
    feed,
    seal,
    overlay,
    clock,
    onBrokenBox: (tokenId) =>
      log.error({ tokenId }, 'the secret of a token does not open: it was altered, or sealed with another master key'),
  });
  cached.user = (pk) => directory.cachedUser(pk);
  await embedded?.start();
  const fold =
    embedded === null || overlay === null
      ? null
      : new Fold({
          db: database.ledger,
          ledger: embedded,
          overlay,
          directory,
          feed,
          onError: onError('folding the event log into the tables failed; it is tried again'),
        });
  fold?.start();
  const checkpointer =
    overlay === null ? null : new Checkpointer(config.database, onError('the write-ahead log cannot be copied back'));
  checkpointer?.start();

  const firstFactors = makeFirstFactors();
  const authenticate = makeAuthenticate({
    directory,
    ledger,
    firstFactors,
    clock,
    micros: () => Math.round(performance.now() * 1_000),
    newId: uuid7,
    hashWrong: (text) => seal.fingerprint(text),
    hashGrace: (text) => seal.fingerprint(text),
    unknownLogins: config.events.unknownLogins,
    onError: onError('a request could not be decided'),
  });
  const skew = await ClockSkew.measure(database, clock);

  return {
    database,
    seal,
    feed,
    authenticate,
    writer,
    notReady: () => {
      const reasons = [];
      if (!ledger.healthy) reasons.push('the ledger cannot be written');
      if (feed.silent(clock())) reasons.push('the database does not answer');
      if (skew.tooFar) reasons.push(`the clock is more than ${CLOCK_TOLERANCE_MS / 1_000} s off the database's`);
      return reasons;
    },
    stop: async () => {
      skew.stop();
      await fold?.stop();
      await ledger.stop();
      await checkpointer?.stop();
      await feed.stop();
      await database.close();
      await lock?.release();
    },
  };
}

/** Compares clocks with a database on another machine, at the start and every minute. SQLite has this machine's clock. */
class ClockSkew {
  static readonly #EVERY_MS = 60_000;
  tooFar = false;
  #timer: NodeJS.Timeout | null = null;

  static async measure(database: Database, clock: Clock): Promise<ClockSkew> {
    const skew = new ClockSkew();
    if (database.engine === 'sqlite') return skew;
    const look = async (): Promise<void> => {
      const before = clock();
      const { rows }: { rows: { now: string }[] } = await database.records.raw(
        'select (extract(epoch from clock_timestamp()) * 1000)::bigint as now',
      );
      const middle = (before + clock()) / 2;
      skew.tooFar = Math.abs(instant(Number(rows[0]?.now)) - middle) > CLOCK_TOLERANCE_MS;
    };
    await look();
    skew.#timer = setInterval(() => void look().catch(() => undefined), ClockSkew.#EVERY_MS);
    skew.#timer.unref();
    return skew;
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
