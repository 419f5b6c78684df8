/** Commands that put two records together or part them: `user assign alice vpn`. */
import type { Argv } from 'yargs';
import type { Link, RecordStore } from '../store/record-store.js';
import { type Command, command, EXIT } from './command.js';
import type { End } from './ends.js';
import { commandLineActor } from './open-records.js';
import { withOne } from './record-commands.js';
import { configOption } from './shared-options.js';
import { problemText, told } from './with-records.js';

/** A link and its two commands. `left` stands first on the command line. */
export interface LinkWords<Left extends { readonly id: string }, Right extends { readonly id: string }> {
  /** The store's link, its ends in the order of the command line. */
  link(records: RecordStore): Link;
  readonly left: End<Left>;
  readonly right: End<Right>;
  readonly put: { readonly word: string; readonly summary: string; said(left: string, right: string): string };
  readonly remove: { readonly word: string; readonly summary: string; said(left: string, right: string): string };
}

/** The store's link with its ends the other way round. */
export const reversed = ({ put, remove }: Link): Link => ({
  put: (left, right, by) => put(right, left, by),
  remove: (left, right, by) => remove(right, left, by),
});

/** The two commands. Neither minds where the link is as they would make it. */
export function linkCommands<Left extends { readonly id: string }, Right extends { readonly id: string }>(
  words: LinkWords<Left, Right>,
): readonly Command[] {
  const { left, right } = words;
  return (['put', 'remove'] as const).map((change) =>
    command({
      usage: `${words[change].word} <${left.noun}> <${right.noun}>`,
      summary: words[change].summary,
      options: (yargs: Argv) =>
        yargs
          .positional(left.noun, { type: 'string', demandOption: true, describe: left.describe })
          .positional(right.noun, { type: 'string', demandOption: true, describe: right.describe })
          .options(configOption),
      run: (options, io) =>
        withOne(options, io, left.noun, String(options[left.noun]), left.find, async (records, one) => {
          const reference = String(options[right.noun]);
          const other = await right.find(records, reference);
          if (!other.ok) {
            io.err(
              other.problem.kind === 'notFound' ? `there is no ${right.noun} ${reference}` : problemText(other.problem),
            );
            return EXIT.failed;
          }
          const changed = await words.link(records)[change](one.id, other.value.id, commandLineActor());
          return told(io, changed, () => io.err(words[change].said(left.called(one), right.called(other.value))));
        }),
    }),
  );
}
