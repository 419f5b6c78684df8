/**
 * A record's fields as options, from the schema that checks them: `--display-name "Alice Smith" --resource vpn --resource wiki`.
 * Fields of several parts are YAML, as in the records file: `--lockout "{ failures: 5 }"`. Nothing is checked here but the form.
 */
import { parse } from 'yaml';
import type { Argv, Options } from 'yargs';
import { z } from 'zod';
import { UsageError } from './command.js';

/** What a field holds, as far as a command line can tell. */
type Form =
  | { readonly kind: 'text'; readonly choices: readonly string[] | null }
  | { readonly kind: 'list' }
  /** True or false. */
  | { readonly kind: 'flag' }
  | { readonly kind: 'yaml' };

/** A field and the option that sets it. */
export interface FieldOption {
  readonly field: string;
  /** In kebab-case: `display-name`. */
  readonly option: string;
  /** A list may be spoken of in the singular; null for the others. */
  readonly singular: string | null;
  readonly form: Form;
  readonly describe: string;
}

const SINGULARS: Readonly<Record<string, string>> = { aliases: 'alias' };

/** The options for the fields of `schema`, with what `help` says of each; a field without help is none. */
export function fieldOptions(
  schema: z.ZodObject,
  help: Readonly<Record<string, string | undefined>>,
): readonly FieldOption[] {
  return Object.entries(schema.shape).flatMap(([field, type]) => {
    const describe = help[field];
    if (describe === undefined) return [];
    const form = formOf(type);
    const option = kebab(field);
    const singular = form.kind === 'list' ? (SINGULARS[option] ?? option.replace(/s$/, '')) : null;
    return [{ field, option, singular, form, describe }];
  });
}

/** Names that yargs may give a list under; they may be given several times. */
export const repeatableNames = (options: readonly FieldOption[]): readonly string[] =>
  options.filter(({ form }) => form.kind === 'list').flatMap(({ field, option }) => [field, option]);

/** Declares `options`, each with its group in the help. */
export function declareFields<T>(yargs: Argv<T>, options: readonly FieldOption[]): Argv<T> {
  for (const { option, singular, form, describe } of options) {
    const shown: Options = { type: 'string', requiresArg: true, group: 'Fields:', describe };
    if (form.kind === 'text' && form.choices !== null) shown.describe = `${describe}: ${form.choices.join(', ')}`;
    if (form.kind === 'flag') shown.describe = `${describe}: true or false`;
    if (form.kind === 'list')
      Object.assign(shown, { array: true, alias: singular, describe: `${describe}; may be given several times` });
    if (form.kind === 'yaml') shown.describe = `${describe} (YAML)`;
    yargs.option(option, shown);
  }
  return yargs;
}

/** How fields are given, for the help of a command. */
export const FIELD_NOTES =
  'An empty value clears a field or brings its default back; a list that is given is the whole list. Where a password or secret is -, it is ' +
  'read from standard input, so that it stands in no list of processes. Fields may also be given as words, field=value, with values in YAML.';

/** Fields whose value may be on standard input. */
const SECRETS = ['password', 'passwordHash', 'secret'];

/**
 * The fields that were given, as `given` (yargs' options) or as `words` (`field=value`). Throws UsageError for a word without
 * `=` and for a field that was given twice.
 */
export async function fieldsGiven(
  given: Readonly<Record<string, unknown>>,
  options: readonly FieldOption[],
  words: readonly string[],
  stdin: () => Promise<string>,
): Promise<Record<string, unknown>> {
  const fields: Record<string, unknown> = {};
  for (const { field, option, form } of options) {
    const value = given[option];
    if (value !== undefined) fields[field] = fieldValue(value, form);
  }
  for (const word of words) {
    const at = word.indexOf('=');
    const field = word.slice(0, at);
    if (at <= 0) throw new UsageError(`${word}: fields are given as --field VALUE or field=value`);
    if (Object.hasOwn(fields, field)) throw new UsageError(`${field} may be given once`);
    fields[field] = yaml(word.slice(at + 1));
  }
  for (const field of SECRETS) if (fields[field] === '-') fields[field] = (await stdin()).replace(/\r?\n$/, '');
  return fields;
}

/** How the option for the field at the top of a JSON pointer is called: `/sourceNetworks/0` is --source-networks. */
export const optionName = (pointer: string): string => `--${kebab(pointer.split('/')[1] ?? '')}`;

const kebab = (field: string): string => field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function formOf(type: z.core.$ZodType): Form {
  if (type instanceof z.ZodOptional || type instanceof z.ZodNullable) return formOf(type.unwrap());
  if (type instanceof z.ZodString) return { kind: 'text', choices: null };
  if (type instanceof z.ZodEnum) return { kind: 'text', choices: type.options.map(String) };
  if (type instanceof z.ZodBoolean) return { kind: 'flag' };
  if (type instanceof z.ZodArray) {
    const { element } = type;
    return { kind: element instanceof z.ZodString || element instanceof z.ZodEnum ? 'list' : 'yaml' };
  }
  return { kind: 'yaml' };
}

function fieldValue(value: unknown, form: Form): unknown {
  if (Array.isArray(value)) return value.length === 1 && value[0] === '' ? [] : value.map(String);
  const text = String(value);
  if (text === '') return null;
  return form.kind === 'text' ? text : yaml(text);
}

function yaml(text: string): unknown {
  try {
    const value: unknown = parse(text);
    return value;
  } catch {
    return text; // What is no YAML is meant as it stands; the schema says what is wrong with it.
  }
}
