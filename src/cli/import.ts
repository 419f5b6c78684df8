/** `sallyport import`: users and tokens in bulk. Everything is checked before anything is written. */
import { existsSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Argv } from 'yargs';
import { formatProblems, type Problem } from '../config/problem.js';
import type { Column, ImportedUser, RowFault } from '../records/import-row.js';
import { keyNumber, RepeatedKeys } from '../records/repeated-keys.js';
import { nameKey } from '../records/values.js';
import { recordContext } from '../store/records/context.js';
import { type ImportCounts, RecordImport } from '../store/records/import.js';
import { command, EXIT, type ExitCode, type Io } from './command.js';
import { type CheckedUser, readCsvUsers } from './csv-users.js';
import { commandLineActor } from './open-records.js';
import { configOption, jsonOption } from './shared-options.js';
import { withRecords } from './with-records.js';

export interface ImportOptions {
  readonly config: string | undefined;
  readonly format: 'csv';
  readonly file: string;
  readonly dryRun: boolean;
  readonly skipInvalid: boolean;
  readonly json: boolean;
}

/** Users looked up at a time while checking. */
const CHECK_SIZE = 2_000;
/** Users in a slice of writing: as many as fit into its time, between these. */
const SLICE = { first: 100, least: 10, most: 2_000 } as const;
/** Aimed at: below the 20 ms that others may have to wait. */
const SLICE_MS = 12;
/** Between two slices: time for the daemon, which looks every millisecond, to write its own. */
const BETWEEN_SLICES_MS = 4;
/** Faults that are kept to be told; the rest is counted. */
const FAULTS_KEPT = 1_000;
const PROGRESS_MS = 1_000;

const options = (yargs: Argv) =>
  yargs
    .positional('file', { type: 'string', demandOption: true, describe: 'The file' })
    .options(configOption)
    .options({
      format: { choices: ['csv'] as const, default: 'csv' as const, describe: 'What the file is' },
      'dry-run': { type: 'boolean', default: false, describe: 'Check everything, write nothing' },
      'skip-invalid': { type: 'boolean', default: false, describe: 'Write the good rows and leave out the bad ones' },
      ...jsonOption,
    });

/** Checks the file, then writes it. */
export async function run(options: ImportOptions, io: Io): Promise<ExitCode> {
  const path = resolve(io.cwd, options.file);
  if (!existsSync(path) || !statSync(path).isFile()) {
    io.err(`there is no file ${options.file}`);
    return EXIT.usage;
  }
  return withRecords(options.config, io, async ({ deps }) => {
    const importing = await RecordImport.begin(recordContext(deps), commandLineActor());
    const checked = await check(importing, path, io);
    if (checked.faults.count > 0) {
      const consequence = options.skipInvalid && !checked.unreadable ? 'these are left out' : 'nothing was written';
      io.err(checked.faults.text(options.file, consequence));
      if (!options.skipInvalid || checked.unreadable) return EXIT.usage;
    }
    if (options.dryRun) {
      tell(io, options, checked.counts, 'would be');
      return EXIT.done;
    }
    return write(importing, path, checked, options, io);
  });
}

/** What is wrong with the file, as far as it is kept. */
class Faults {
  readonly #kept: RowFault[] = [];
  count = 0;
  /** The header, for a fault's place: the number of its column. */
  columns: readonly Column[] = [];

  add(faults: readonly RowFault[]): void {
    this.count += faults.length;
    if (this.#kept.length < FAULTS_KEPT) this.#kept.push(...faults.slice(0, FAULTS_KEPT - this.#kept.length));
  }

  text(file: string, consequence: string): string {
    const problems = [...this.#kept]
      .sort((a, b) => a.line - b.line)
      .map(
        ({ line, column, message }): Problem => ({
          where: { kind: 'place', file, line, column: column === null ? 1 : this.columns.indexOf(column) + 1 },
          key: column ?? '',
          message,
        }),
      );
    return formatProblems(
      problems,
      this.count > this.#kept.length ? `${consequence}; ${this.count} in all` : consequence,
    );
  }
}

interface Checked {
  readonly faults: Faults;
  /** The file cannot be read to its end. */
  readonly unreadable: boolean;
  /** First lines of users who are left out. */
  readonly badLines: ReadonlySet<number>;
  /** Users in the file. */
  readonly total: number;
  readonly counts: ImportCounts;
}

async function check(importing: RecordImport, path: string, io: Io): Promise<Checked> {
  const faults = new Faults();
  const badLines = new Set<number>();
  const keys = new RepeatedKeys();
  const progress = new Progress(io, 'checked');
  let counts: ImportCounts = NOTHING;
  let total = 0;
  for await (const part of readCsvUsers(path, CHECK_SIZE)) {
    if (part.kind === 'unreadable') {
      faults.add(part.faults);
      return { faults, unreadable: true, badLines, total, counts };
    }
    faults.columns = part.columns;
    for (const { user, faults: own } of part.users) {
      if (own.length > 0) badLines.add(user.line);
      faults.add(own);
      for (const [key] of keysOf(user)) keys.add(key);
    }
    const good = part.users.filter(({ faults: own }) => own.length === 0).map(({ user }) => user);
    const known = await importing.check(good);
    faults.add(known.faults);
    markBad(known.faults, good, badLines);
    counts = sum(counts, known.counts);
    total += part.users.length;
    progress.tell(total, null);
  }
  const suspects = keys.suspects();
  const before = badLines.size;
  if (suspects.size > 0) await findRepeated(path, suspects, faults, badLines);
  if (badLines.size > before) counts = await recount(importing, path, badLines);
  progress.end();
  return { faults, unreadable: false, badLines, total, counts };
}

/** Names and serials that come twice, told at the second place. */
async function findRepeated(
  path: string,
  suspects: ReadonlySet<number>,
  faults: Faults,
  badLines: Set<number>,
): Promise<void> {
  const first = new Map<string, number>();
  for await (const part of readCsvUsers(path, CHECK_SIZE)) {
    if (part.kind === 'unreadable') return;
    for (const { user } of part.users) {
      for (const [key, line, column] of keysOf(user)) {
        if (!suspects.has(keyNumber(key))) continue;
        const before = first.get(key);
        if (before === undefined) {
          first.set(key, line);
          continue;
        }
        faults.add([
          {
            line,
            column,
            message: `is there already in line ${before}${column === 'login' ? '; rows of one user stand together' : ''}`,
          },
        ]);
        badLines.add(user.line);
      }
    }
  }
}

/** What would be done without the users that were found bad after they had been counted. */
async function recount(importing: RecordImport, path: string, badLines: ReadonlySet<number>): Promise<ImportCounts> {
  let counts = NOTHING;
  for await (const slice of slices(path, badLines, { size: CHECK_SIZE }))
    counts = sum(counts, (await importing.check(slice)).counts);
  return counts;
}

/** What must be unique in the file: logins and aliases together, serials. */
const keysOf = (
  user: ImportedUser,
): readonly (readonly [key: string, line: number, column: 'login' | 'aliases' | 'tokenSerial'])[] => [
  ...(user.login === null ? [] : [[`n ${nameKey(user.login)}`, user.line, 'login'] as const]),
  ...user.aliases.map((alias) => [`n ${nameKey(alias)}`, user.line, 'aliases'] as const),
  ...user.tokens.flatMap(({ serial, line }) =>
    serial === null ? [] : [[`s ${serial}`, line, 'tokenSerial'] as const],
  ),
];

function markBad(faults: readonly RowFault[], users: readonly ImportedUser[], badLines: Set<number>): void {
  if (faults.length === 0) return;
  const lines = new Set(faults.map(({ line }) => line));
  for (const user of users)
    if (lines.has(user.line) || user.tokens.some(({ line }) => lines.has(line))) badLines.add(user.line);
}

async function write(
  importing: RecordImport,
  path: string,
  checked: Checked,
  options: ImportOptions,
  io: Io,
): Promise<ExitCode> {
  const progress = new Progress(io, 'written');
  const late = new Faults();
  const state = { counts: NOTHING, size: SLICE.first as number, done: 0, interrupted: false };
  const interrupt = () => {
    state.interrupted = true;
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    for await (const slice of slices(path, checked.badLines, state)) {
      const { faults, counts, heldMs } = await importing.write(slice);
      late.add(faults);
      state.counts = sum(state.counts, counts);
      state.done += slice.length;
      state.size = Math.min(
        SLICE.most,
        Math.max(SLICE.least, Math.round((state.size * SLICE_MS) / Math.max(heldMs, 1)), 1),
      );
      // Lets whoever waits for the database in: a sign-in must not wait for many slices.
      await sleep(BETWEEN_SLICES_MS);
      progress.tell(state.done, checked.total - checked.badLines.size);
      if (state.interrupted) break;
    }
    await importing.finish(basename(path), state.counts, !state.interrupted);
  } catch (error) {
    io.err(
      `stopped after ${state.done} of ${checked.total}: ${error instanceof Error ? error.message : String(error)}`,
    );
    io.err('What was written stays; run it again to go on.');
    return EXIT.failed;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
  progress.end();
  tell(io, options, state.counts, '');
  if (state.interrupted) io.err(`interrupted after ${state.done} of ${checked.total}; run it again to go on`);
  if (late.count > 0) io.err(late.text(options.file, 'these were left out: somebody took them meanwhile'));
  return state.interrupted || late.count > 0 ? EXIT.failed : EXIT.done;
}

/** The good users of the file in slices of the size that `state` asks for when each begins. */
async function* slices(
  path: string,
  badLines: ReadonlySet<number>,
  state: { readonly size: number },
): AsyncGenerator<readonly ImportedUser[]> {
  let waiting: ImportedUser[] = [];
  for await (const part of readCsvUsers(path, CHECK_SIZE)) {
    if (part.kind === 'unreadable') throw new Error('the file has changed since it was checked');
    waiting.push(...part.users.filter((each) => isGood(each, badLines)).map(({ user }) => user));
    let from = 0;
    while (waiting.length - from >= state.size) {
      const to = from + state.size;
      yield waiting.slice(from, to);
      from = to;
    }
    waiting = waiting.slice(from);
  }
  if (waiting.length > 0) yield waiting;
}

const isGood = ({ user, faults }: CheckedUser, badLines: ReadonlySet<number>): boolean =>
  faults.length === 0 && !badLines.has(user.line);

const NOTHING: ImportCounts = { users: 0, tokens: 0, there: 0 };
const sum = (a: ImportCounts, b: ImportCounts): ImportCounts => ({
  users: a.users + b.users,
  tokens: a.tokens + b.tokens,
  there: a.there + b.there,
});

function tell(io: Io, { json, dryRun }: ImportOptions, counts: ImportCounts, prefix: string): void {
  if (json) io.out(JSON.stringify({ dryRun, ...counts }));
  else
    io.out(
      `${prefix === '' ? '' : `${prefix}: `}${counts.users} users and ${counts.tokens} tokens created, ${counts.there} left as they are`,
    );
}

/** How far it is, on stderr, now and then. */
class Progress {
  readonly #io: Io;
  readonly #word: string;
  readonly #began = performance.now();
  #told = this.#began;

  constructor(io: Io, word: string) {
    this.#io = io;
    this.#word = word;
  }

  /** `total` null: not known. */
  tell(count: number, total: number | null): void {
    const now = performance.now();
    if (now - this.#told < PROGRESS_MS) return;
    this.#told = now;
    const rate = count / ((now - this.#began) / 1_000);
    const left = total === null ? '' : ` of ${total}`;
    const eta = total === null ? '' : `, ${Math.ceil((total - count) / rate)} s left`;
    this.#io.err(`${this.#word} ${count}${left} (${Math.round(rate)} a second${eta})`);
  }

  end(): void {
    this.#told = Number.POSITIVE_INFINITY;
  }
}

export const importCommand = command({
  usage: 'import <file>',
  summary: 'Add users and tokens from a file, in bulk',
  options,
  examples: [
    ['import --format csv users.csv --dry-run', 'check it, and say what would be added'],
    ['import --format csv users.csv', 'add what is not there yet'],
  ],
  notes:
    'The header names the columns, any of: login, aliases, displayName, email, phone, password, resource, tokenType, tokenSecret, tokenSerial, ' +
    'algorithm, digits, period, counter. Several aliases or resources in a cell are split by ;. A row without a login is a token in stock. ' +
    'Users and tokens that are there are left as they are, so an import that was interrupted is finished by running it again.',
  run,
});
