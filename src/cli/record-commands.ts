/**
 * `list`, `show`, `create`, `set` and `delete` for a kind of record, thin over the record store: what tells kinds apart is a small
 * table, what checks their fields are the schemas that the API has.
 */
import { stringify } from 'yaml';
import type { Argv, Options } from 'yargs';
import type { z } from 'zod';
import { done, failed, fieldErrors, type RecordProblem, type Result } from '../records/problem.js';
import { isId, nameKey } from '../records/values.js';
import type { Actor } from '../store/actor.js';
import type { NameQuery, Page, Paging, RecordStore } from '../store/record-store.js';
import { type Command, command, EXIT, type ExitCode, type Io, UsageError, wrongUsage } from './command.js';
import {
  declareFields,
  FIELD_NOTES,
  type FieldOption,
  fieldOptions,
  fieldsGiven,
  optionName,
  repeatableNames,
} from './field-options.js';
import { commandLineActor } from './open-records.js';
import { configOption, jsonOption } from './shared-options.js';
import { everyItem, printList, problemText, told, withRecords } from './with-records.js';

/** What a kind says about itself. */
export interface RecordWord<
  Shown extends { readonly id: string },
  Create extends z.ZodObject,
  Patch extends z.ZodObject,
> {
  /** The command: `user`. */
  readonly word: string;
  /** In messages: `RADIUS client`. */
  readonly noun: string;
  /** The field by which one is known: `login`. */
  readonly key: string;
  /** `create` takes the key first; a kind whose records may do without one takes it as an option like the others. */
  readonly keyFirst: boolean;
  readonly create: Create;
  readonly patch: Patch;
  /** Each field, for the help. */
  readonly help: Readonly<Record<keyof Create['shape'] & string, string>>;
  /** Options of `list` beside --query and --limit; `list` finds them in `given`. */
  readonly filters?: Readonly<Record<string, Options>>;
  list(
    records: RecordStore,
    query: Paging & { readonly query: string | undefined },
    given: Readonly<Record<string, unknown>>,
  ): Promise<Result<Page<Shown>>>;
  /** By id or by what people call it. */
  find(records: RecordStore, reference: string): Promise<Result<Shown>>;
  /** What `create` adds where it was not given; it is printed, this once. */
  generated?(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, string>>;
  make(records: RecordStore, input: z.output<Create>, by: Actor): Promise<Result<Shown>>;
  change(records: RecordStore, id: string, patch: z.output<Patch>, by: Actor): Promise<Result<Shown>>;
  remove(records: RecordStore, id: string, by: Actor): Promise<Result<null>>;
  /** What people call it. */
  called(shown: Shown): string;
  readonly heads: readonly string[];
  cells(shown: Shown): readonly string[];
  /** Lines of `--help`. */
  readonly examples: Readonly<Record<'create' | 'set', readonly (readonly [line: string, purpose: string])[]>>;
}

interface Common {
  readonly config: string | undefined;
}

const LIST_LIMIT = 100;

const common = (yargs: Argv) => yargs.options(configOption).options(jsonOption);
const one = (yargs: Argv, describe: string) =>
  common(yargs).positional('reference', { type: 'string', demandOption: true, describe });
const WORDS = {
  type: 'string',
  array: true,
  default: [] as string[],
  describe: 'The same as words: field=value',
} as const;

/** Declares `filters`, which keeps the types of the options that are known by name. */
function filtered<T>(yargs: Argv<T>, filters: Readonly<Record<string, Options>>): Argv<T> {
  for (const [name, filter] of Object.entries(filters)) yargs.option(name, filter);
  return yargs;
}

/** A record as a person reads it (YAML), or as a script does. */
const print = (io: Io, json: boolean, shown: unknown): void =>
  io.out(json ? JSON.stringify(shown) : stringify(shown, { lineWidth: 0 }).trimEnd());

/** Finds one, and goes on with it. */
export async function withOne<Shown extends { readonly id: string }>(
  options: Common,
  io: Io,
  noun: string,
  reference: string,
  find: (records: RecordStore, reference: string) => Promise<Result<Shown>>,
  job: (records: RecordStore, shown: Shown) => Promise<ExitCode>,
): Promise<ExitCode> {
  return withRecords(options.config, io, async ({ records }) => {
    const found = await find(records, reference);
    if (found.ok) return job(records, found.value);
    io.err(found.problem.kind === 'notFound' ? `there is no ${noun} ${reference}` : problemText(found.problem));
    return EXIT.failed;
  });
}

/** Finds a record of a kind whose list is searched by name. */
export async function findNamed<Shown>(
  kind: {
    get(id: string): Promise<Result<Shown>>;
    list(query: NameQuery): Promise<Result<Page<Shown>>>;
  },
  reference: string,
): Promise<Result<Shown>> {
  if (isId(reference)) return kind.get(reference.toLowerCase());
  const listed = await kind.list({ name: reference, limit: 1 });
  if (!listed.ok) return listed;
  const [found] = listed.value.items;
  return found === undefined ? failed({ kind: 'notFound' }) : done(found);
}

/** The five commands of a kind. */
export function recordCommands<
  Shown extends { readonly id: string },
  Create extends z.ZodObject,
  Patch extends z.ZodObject,
>(kind: RecordWord<Shown, Create, Patch>): readonly Command[] {
  const { word, noun, key } = kind;
  const known = `Its ${key} or id`;
  const help: Readonly<Record<string, string | undefined>> = kind.help;
  const creating = fieldOptions(kind.create, kind.keyFirst ? { ...help, [key]: undefined } : help);
  const setting = fieldOptions(kind.patch, help);
  const wrongFields = (io: Io, name: string, problem: RecordProblem): ExitCode =>
    wrongUsage(io, `${word} ${name}`, fieldProblem(problem, kind.keyFirst && name === 'create' ? key : null));

  return [
    command({
      usage: 'list',
      summary: `List ${noun}s`,
      options: (yargs: Argv) =>
        filtered(common(yargs), kind.filters ?? {}).options({
          query: { type: 'string', requiresArg: true, describe: 'Only those that have this in their names' },
          limit: { type: 'number', default: LIST_LIMIT, requiresArg: true, describe: 'At most so many; 0: all' },
        }),
      notes: 'With --json, one JSON object a line, with the fields of the API.',
      run: (options, io) =>
        withRecords(options.config, io, async ({ records }) => {
          const all = options.limit <= 0;
          const part = (cursor: string | undefined, limit: number) =>
            kind.list(records, { cursor, limit, query: options.query }, options);
          // One more than is shown tells whether there are more.
          const items = firstOf(everyItem(part, all ? undefined : options.limit + 1), all ? null : options.limit, () =>
            io.err(`these are the first ${options.limit}; --limit 0 lists all`),
          );
          await printList(io, options.json, items, kind.heads, kind.cells);
          return EXIT.done;
        }),
    }),
    command({
      usage: 'show <reference>',
      summary: `Show a ${noun}`,
      options: (yargs: Argv) => one(yargs, known),
      run: (options, io) =>
        withOne(options, io, noun, options.reference, kind.find, async (_records, shown) => {
          print(io, options.json, shown);
          return EXIT.done;
        }),
    }),
    command({
      usage: kind.keyFirst ? 'create <reference> [fields..]' : 'create [fields..]',
      summary: `Make a ${noun}`,
      repeatable: ['fields', ...repeatableNames(creating)],
      examples: kind.examples.create,
      notes: FIELD_NOTES,
      options: (yargs: Argv) => {
        const named = kind.keyFirst
          ? common(yargs).positional('reference', {
              type: 'string',
              demandOption: true,
              describe: `The new one's ${key}`,
            })
          : common(yargs);
        return declareFields(named.positional('fields', WORDS), creating);
      },
      run: async (options, io) => {
        const fields = await given(io, `${word} create`, options, creating, options.fields);
        if (typeof fields === 'number') return fields;
        const named = kind.keyFirst ? { [key]: options['reference'], ...fields } : fields;
        const generated = kind.generated?.(named) ?? {};
        const input = kind.create.safeParse({ ...generated, ...named });
        if (!input.success) return wrongFields(io, 'create', { kind: 'invalid', errors: fieldErrors(input.error) });
        return withRecords(options.config, io, async ({ records }) =>
          settled(io, await kind.make(records, input.data, commandLineActor()), (shown) =>
            print(io, options.json, { ...shown, ...generated }),
          ),
        );
      },
    }),
    command({
      usage: 'set <reference> [fields..]',
      summary: `Change a ${noun}`,
      repeatable: ['fields', ...repeatableNames(setting)],
      examples: kind.examples.set,
      notes: FIELD_NOTES,
      options: (yargs: Argv) => declareFields(one(yargs, known).positional('fields', WORDS), setting),
      run: async (options, io) => {
        const fields = await given(io, `${word} set`, options, setting, options.fields);
        if (typeof fields === 'number') return fields;
        if (Object.keys(fields).length === 0) return wrongUsage(io, `${word} set`, 'no field was given to change');
        const patch = kind.patch.safeParse(fields);
        if (!patch.success) return wrongFields(io, 'set', { kind: 'invalid', errors: fieldErrors(patch.error) });
        return withOne(options, io, noun, options.reference, kind.find, async (records, { id }) =>
          settled(io, await kind.change(records, id, patch.data, commandLineActor()), (shown) =>
            print(io, options.json, shown),
          ),
        );
      },
    }),
    command({
      usage: 'delete <reference>',
      summary: `Delete a ${noun} for good`,
      options: (yargs: Argv) =>
        one(yargs, known).option('yes', { alias: 'y', type: 'boolean', default: false, describe: 'Do not ask' }),
      notes: 'At a terminal it asks for the name; elsewhere it wants --yes.',
      run: async (options, io) => {
        if (!options.yes && io.ask === null)
          return wrongUsage(io, `${word} delete`, 'nobody is at a terminal to ask; --yes deletes without');
        return withOne(options, io, noun, options.reference, kind.find, async (records, shown) => {
          const name = kind.called(shown);
          if (!options.yes && !(await confirmed(io, noun, name))) {
            io.err('nothing was deleted');
            return EXIT.failed;
          }
          return told(io, await kind.remove(records, shown.id, commandLineActor()), () =>
            io.err(`${noun} ${name} is deleted`),
          );
        });
      },
    }),
  ];
}

async function given(
  io: Io,
  name: string,
  options: Readonly<Record<string, unknown>>,
  declared: readonly FieldOption[],
  words: readonly string[],
): Promise<Record<string, unknown> | ExitCode> {
  try {
    return await fieldsGiven(options, declared, words, io.stdin);
  } catch (error) {
    if (error instanceof UsageError) return wrongUsage(io, name, error.message);
    throw error;
  }
}

/** A refusal by the store in the words of the command line. */
function settled<T>(io: Io, result: Result<T>, print: (value: T) => void): ExitCode {
  if (result.ok) return told(io, result, print);
  io.err(fieldProblem(result.problem, null));
  return EXIT.failed;
}

/** `problem` with fields called as their options; `positional` is the field that stands first and has none. */
function fieldProblem(problem: RecordProblem, positional: string | null): string {
  const named = (pointer: string, message: string): string =>
    pointer === '' ? message : `${pointer === `/${positional}` ? positional : optionName(pointer)}: ${message}`;
  if (problem.kind === 'invalid') return problem.errors.map((error) => named(error.pointer, error.message)).join('\n');
  if (problem.kind === 'conflict') return `${named(problem.pointer, problem.message)} (${problem.with})`;
  return problemText(problem);
}

async function confirmed(io: Io, noun: string, name: string): Promise<boolean> {
  const answer = await io.ask?.(`This deletes the ${noun} ${name} for good. Type ${name} to go on: `);
  return answer !== undefined && nameKey(answer.trim()) === nameKey(name);
}

async function* firstOf<T>(items: AsyncIterable<T>, limit: number | null, more: () => void): AsyncGenerator<T> {
  let count = 0;
  for await (const item of items) {
    count += 1;
    if (limit !== null && count > limit) return more();
    yield item;
  }
}
