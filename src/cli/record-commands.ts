/** `list`, `show`, `create`, `set` and `delete` for a kind of record, as the API has them. */

import { stringify } from 'yaml';
import type { Argv } from 'yargs';
import type { z } from 'zod';
import { fieldErrors, type Result } from '../records/problem.js';
import type { Actor } from '../store/actor.js';
import type { Page, Paging, RecordStore } from '../store/record-store.js';
import { type Command, command, EXIT, type ExitCode, type Io, wrongUsage } from './command.js';
import { commandLineActor } from './open-records.js';
import { configOption, jsonOption } from './shared-options.js';
import { everyItem, fieldsOf, printList, problemText, told, withRecords } from './with-records.js';

/** What a kind says about itself. */
export interface RecordWord<Shown extends { readonly id: string }, Create extends z.ZodType, Patch extends z.ZodType> {
  /** The command: `user`. */
  readonly word: string;
  /** The field by which one is known: `login`. */
  readonly key: string;
  /** `create` takes the key first; a kind whose records may do without one takes it as a field like the others. */
  readonly keyFirst: boolean;
  readonly create: Create;
  readonly patch: Patch;
  list(records: RecordStore, query: Paging & { readonly query: string | undefined }): Promise<Result<Page<Shown>>>;
  /** By id or by what people call it. */
  find(records: RecordStore, reference: string): Promise<Result<Shown>>;
  make(records: RecordStore, input: z.output<Create>, by: Actor): Promise<Result<Shown>>;
  change(records: RecordStore, id: string, patch: z.output<Patch>, by: Actor): Promise<Result<Shown>>;
  remove(records: RecordStore, id: string, by: Actor): Promise<Result<null>>;
  readonly heads: readonly string[];
  cells(shown: Shown): readonly string[];
}

interface Common {
  readonly config: string | undefined;
  readonly json: boolean;
}

const LIST_LIMIT = 100;

/** A record as a person reads it (YAML), or as a script does. */
const print = (io: Io, json: boolean, shown: unknown): void =>
  io.out(json ? JSON.stringify(shown) : stringify(shown, { lineWidth: 0 }).trimEnd());

/** Finds one, and goes on with it. */
export async function withOne<Shown extends { readonly id: string }>(
  options: Common,
  io: Io,
  word: string,
  reference: string,
  find: (records: RecordStore, reference: string) => Promise<Result<Shown>>,
  job: (records: RecordStore, shown: Shown) => Promise<ExitCode>,
): Promise<ExitCode> {
  return withRecords(options.config, io, async ({ records }) => {
    const found = await find(records, reference);
    if (found.ok) return job(records, found.value);
    io.err(found.problem.kind === 'notFound' ? `there is no ${word} ${reference}` : problemText(found.problem));
    return EXIT.failed;
  });
}

const common = (yargs: Argv) => yargs.options(configOption).options(jsonOption);
const one = (yargs: Argv, describe: string) =>
  common(yargs).positional('reference', { type: 'string', demandOption: true, describe });
const FIELDS = {
  type: 'string',
  array: true,
  default: [] as string[],
  describe: 'field=value, values as in the records file',
} as const;
const withFields = (yargs: Argv, describe: string) => one(yargs, describe).positional('fields', FIELDS);
const mayName = (yargs: Argv, describe: string | null) =>
  (describe === null ? common(yargs) : common(yargs).positional('reference', { type: 'string', describe }))
    .positional('fields', FIELDS)
    .option('reference', { type: 'string', hidden: true });

/** The five commands of a kind. */
export function recordCommands<
  Shown extends { readonly id: string },
  Create extends z.ZodType,
  Patch extends z.ZodType,
>(kind: RecordWord<Shown, Create, Patch>): readonly Command[] {
  const { word, key } = kind;
  const known = `Its ${key} or id`;
  const body = <S extends z.ZodType>(io: Io, name: string, schema: S, fields: Record<string, unknown> | null) => {
    if (fields === null) return wrongUsage(io, `${word} ${name}`, 'fields are given as field=value');
    const checked = schema.safeParse(fields);
    if (checked.success) return { value: checked.data };
    return wrongUsage(io, `${word} ${name}`, problemText({ kind: 'invalid', errors: fieldErrors(checked.error) }));
  };
  return [
    command({
      usage: 'list',
      summary: `List ${word}s`,
      options: (yargs: Argv) =>
        common(yargs).options({
          query: { type: 'string', requiresArg: true, describe: 'Only those that have this in their names' },
          limit: { type: 'number', default: LIST_LIMIT, describe: 'At most so many; 0: all' },
        }),
      run: (options, io) =>
        withRecords(options.config, io, async ({ records }) => {
          const most = options.limit > 0 ? options.limit : Number.POSITIVE_INFINITY;
          const items = everyItem((cursor, limit) => kind.list(records, { cursor, limit, query: options.query }), most);
          await printList(io, options.json, items, kind.heads, kind.cells);
          return EXIT.done;
        }),
    }),
    command({
      usage: 'show <reference>',
      summary: `Show a ${word}`,
      options: (yargs: Argv) => one(yargs, known),
      run: (options, io) =>
        withOne(options, io, word, options.reference, kind.find, async (_records, shown) => {
          print(io, options.json, shown);
          return EXIT.done;
        }),
    }),
    command({
      usage: kind.keyFirst ? 'create <reference> [fields..]' : 'create <fields..>',
      summary: `Make a ${word}`,
      repeatable: ['fields'],
      options: (yargs: Argv) => mayName(yargs, kind.keyFirst ? `The new one's ${key}` : null),
      run: async (options, io) => {
        const fields = fieldsOf(options.fields);
        const whole =
          fields === null || options.reference === undefined ? fields : { [key]: options.reference, ...fields };
        const input = body(io, 'create', kind.create, whole);
        if (typeof input === 'number') return input;
        return withRecords(options.config, io, async ({ records }) =>
          told(io, await kind.make(records, input.value, commandLineActor()), (shown) =>
            print(io, options.json, shown),
          ),
        );
      },
    }),
    command({
      usage: 'set <reference> <fields..>',
      summary: `Change a ${word}: active=false, displayName="Alice Smith", email=null`,
      repeatable: ['fields'],
      options: (yargs: Argv) => withFields(yargs, known),
      run: async (options, io) => {
        const patch = body(io, 'set', kind.patch, fieldsOf(options.fields));
        if (typeof patch === 'number') return patch;
        return withOne(options, io, word, options.reference, kind.find, async (records, { id }) =>
          told(io, await kind.change(records, id, patch.value, commandLineActor()), (shown) =>
            print(io, options.json, shown),
          ),
        );
      },
    }),
    command({
      usage: 'delete <reference>',
      summary: `Delete a ${word} for good`,
      options: (yargs: Argv) => one(yargs, known),
      run: (options, io) =>
        withOne(options, io, word, options.reference, kind.find, async (records, { id }) =>
          told(io, await kind.remove(records, id, commandLineActor()), () =>
            io.err(`${word} ${options.reference} is deleted`),
          ),
        ),
    }),
  ];
}
