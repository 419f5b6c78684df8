/** `sallyport apply`: makes the records what a file says. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Argv } from 'yargs';
import { unreadable } from '../config/master-key.js';
import { formatProblems } from '../config/problem.js';
import { inOrder, parseYamlFile, YAML_LIMITS } from '../config/yaml-source.js';
import { recordsFile } from '../records/records-file.js';
import { applyRecords } from '../store/records/apply.js';
import { recordContext } from '../store/records/context.js';
import type { Outcome } from '../store/records/work.js';
import { command, EXIT, type ExitCode, type Io } from './command.js';
import { commandLineActor } from './open-records.js';
import { configOption, jsonOption } from './shared-options.js';
import { pointerPath, withRecords } from './with-records.js';

export interface ApplyOptions {
  readonly config: string | undefined;
  readonly file: string;
  readonly dryRun: boolean;
  readonly prune: boolean;
  readonly json: boolean;
}

const options = (yargs: Argv) =>
  yargs.options(configOption).options({
    file: {
      alias: 'f',
      type: 'string',
      demandOption: true,
      requiresArg: true,
      describe: 'The records file; - is stdin',
    },
    'dry-run': { type: 'boolean', default: false, describe: 'Change nothing, say what would change' },
    prune: { type: 'boolean', default: false, describe: 'Delete what the file does not name' },
    ...jsonOption,
  });

/** Applies the file, or tells all that is wrong with it. */
export async function run(options: ApplyOptions, io: Io): Promise<ExitCode> {
  const shown = options.file === '-' ? 'stdin' : options.file;
  const text = textOf(options.file, io);
  if (text === null) return EXIT.usage;
  const parsed = parseYamlFile(text, shown, recordsFile);
  if (!parsed.ok) {
    io.err(formatProblems(parsed.problems, 'nothing was changed'));
    return EXIT.usage;
  }
  return withRecords(options.config, io, async ({ deps }) => {
    const applied = await applyRecords(recordContext(deps), parsed.value, commandLineActor(), {
      prune: options.prune,
      rehearse: options.dryRun,
    });
    if (!applied.ok) {
      const problems = applied.errors.map(({ pointer, message }) =>
        parsed.source.problem(pointerPath(pointer), message),
      );
      io.err(formatProblems(inOrder(problems), 'nothing was changed'));
      return EXIT.usage;
    }
    if (options.json)
      io.out(JSON.stringify({ dryRun: options.dryRun, ...counts(applied.outcomes), records: applied.outcomes }));
    else io.out([...applied.outcomes.map(line), summary(applied.outcomes, options.dryRun)].join('\n'));
    if (applied.secretsMade > 0 && !options.dryRun)
      io.err(`${applied.secretsMade} token(s) came without a secret and got one; export --with-secrets shows it`);
    return EXIT.done;
  });
}

function textOf(file: string, io: Io): string | null {
  try {
    const octets = readFileSync(file === '-' ? 0 : resolve(io.cwd, file));
    if (octets.length > YAML_LIMITS.octets) {
      io.err(`${file} is larger than ${YAML_LIMITS.octets} octets; import takes more`);
      return null;
    }
    return octets.toString('utf8');
  } catch (error) {
    io.err(unreadable(file, error));
    return null;
  }
}

/** A new record is read in the file; what was changed is what one looks for here. */
function line({ action, record, name, diff }: Outcome): string {
  const head = `${(action === 'unchanged' ? 'left' : action).padEnd(8)} ${record} ${name}`;
  if (action !== 'updated') return head;
  const fields = Object.entries(diff).map(([field, { from, to }]) =>
    from === '[secret]' || to === '[secret]' ? `${field} changed` : `${field} ${valueText(from)} → ${valueText(to)}`,
  );
  return `${head}: ${fields.join(', ')}`;
}

const valueText = (value: unknown): string =>
  value === null
    ? 'none'
    : typeof value === 'string'
      ? value
      : Array.isArray(value)
        ? `[${value.map(valueText).join(', ')}]`
        : JSON.stringify(value);

function counts(outcomes: readonly Outcome[]) {
  const count = (action: Outcome['action']) => outcomes.filter((outcome) => outcome.action === action).length;
  return {
    created: count('created'),
    updated: count('updated'),
    deleted: count('deleted'),
    unchanged: count('unchanged'),
  };
}

function summary(outcomes: readonly Outcome[], dryRun: boolean): string {
  const { created, updated, deleted, unchanged } = counts(outcomes);
  if (created + updated + deleted === 0) return `nothing changed; ${unchanged} left as they are`;
  return `${dryRun ? 'would be: ' : ''}${created} created, ${updated} changed, ${deleted} deleted, ${unchanged} left as they are${dryRun ? '; nothing was changed' : ''}`;
}

export const applyCommand = command({
  usage: 'apply',
  summary: 'Make the records what a file says',
  options,
  examples: [
    ['apply -c sallyport.yaml -f records.yaml --dry-run', 'what would change'],
    ['apply -c sallyport.yaml -f records.yaml', 'change it, in one transaction'],
  ],
  notes:
    'What the file does not name is left alone; a list that it names is the whole list; --prune deletes every group, resource, client, ' +
    'application, user and token in stock that it does not name. Applying a file again changes nothing. A running daemon follows within a second.',
  run,
});
