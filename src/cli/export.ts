/** `sallyport export`: the records as the file that `apply` reads. */
import { stringify } from 'yaml';
import type { Argv } from 'yargs';
import { recordContext } from '../store/records/context.js';
import { exportRecords } from '../store/records/export.js';
import { command, EXIT, type ExitCode, type Io } from './command.js';
import { configOption } from './shared-options.js';
import { withRecords } from './with-records.js';

export interface ExportOptions {
  readonly config: string | undefined;
  readonly withSecrets: boolean;
}

const options = (yargs: Argv) =>
  yargs.options(configOption).options({
    'with-secrets': {
      type: 'boolean',
      default: false,
      describe: 'With token seeds, shared secrets and password hashes',
    },
  });

/** Writes the file part by part, so that its size does not matter. */
export async function run(options: ExportOptions, io: Io): Promise<ExitCode> {
  return withRecords(options.config, io, async ({ deps }) => {
    let section: string | null = null;
    for await (const part of exportRecords(recordContext(deps), options.withSecrets)) {
      if (part.section !== section) io.out(`${part.section}:`);
      section = part.section;
      // Entries begin in the first column, which YAML allows below a key: so a section can be written in parts.
      io.out(stringify(part.entries, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd());
    }
    if (section === null) io.out('{}');
    return EXIT.done;
  });
}

export const exportCommand = command({
  usage: 'export',
  summary: 'Write the records as a file that apply reads',
  options,
  examples: [['export -c sallyport.yaml > records.yaml', 'all records, no secrets']],
  notes:
    'Without --with-secrets the file fits this installation: apply knows its records again. With them it fits a new one too, so keep it like ' +
    'the master key. Administrators, API keys and events are not in it.',
  run,
});
