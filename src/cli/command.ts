/**
 * What a command is: a file that exports how its options are declared, a `run` that touches only its options and its `Io`
 * (so that a test needs no process), and both together as a Command for commands.ts.
 */
import type { ArgumentsCamelCase, Argv } from 'yargs';

/** Exit codes, as scripts rely on them. */
export const EXIT = {
  done: 0,
  /** The command was understood and did not succeed. */
  failed: 1,
  /** Wrong usage or configuration. */
  usage: 2,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The world as a command sees it. Results go to `out`, all else to `err`; each call is one or more whole lines. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths on the command line count from here. */
  readonly cwd: string;
  /** True where `out` is a terminal that takes colours. */
  readonly colours: boolean;
  /** Reads standard input to its end, as UTF-8. */
  stdin(): Promise<string>;
  /** Asks whoever sits at the terminal; null where nobody does. */
  readonly ask: ((question: string) => Promise<string>) | null;
}

/** Wrong usage that was found before the command ran; the text is for the user. Thrown through yargs, caught in run-cli.ts. */
export class UsageError extends Error {}

/** What a command's file says about it. `T` is what yargs makes of `options`. */
export interface CommandSpec<T> {
  /** The name and the positional arguments, as yargs writes them: `otp <secret>`. */
  readonly usage: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** Declares positionals and options. */
  options(yargs: Argv): Argv<T>;
  /** Command lines (without `sallyport`) and what each is for. */
  readonly examples?: readonly (readonly [line: string, purpose: string])[];
  /** What a reader of `--help` should know beyond the options. */
  readonly notes?: string;
  /** Options and positionals that may be given several times; any other given twice is wrong usage. */
  readonly repeatable?: readonly string[];
  run(options: ArgumentsCamelCase<T>, io: Io): Promise<ExitCode>;
}

/** A command, or a word with commands below it, ready to be registered. */
export interface Command {
  /** The word that it is called by. */
  readonly name: string;
  /** The words that may follow it; empty for a command proper. */
  readonly subcommands: readonly string[];
  /** Adds it to `yargs`; when it has run, `ended` is told how. */
  register(yargs: Argv, io: Io, ended: (code: ExitCode) => void, prefix?: string): Argv;
}

/** A command from what its file says. */
export function command<T>(spec: CommandSpec<T>): Command {
  return {
    name: firstWord(spec.usage),
    subcommands: [],
    register: (yargs, io, ended, prefix = '') =>
      yargs.command(
        spec.usage,
        spec.summary,
        (y) => spec.options(describeCommand(y, spec, prefix)).check((given) => onlyOnce(given, spec.repeatable ?? [])),
        async (options) => ended(await spec.run(options, io)),
      ),
  };
}

/** A word with commands below it: `api-key create`, `api-key list`. */
export function commandGroup(name: string, summary: string, members: readonly Command[]): Command {
  return {
    name,
    subcommands: members.map((member) => member.name),
    register: (yargs, io, ended, prefix = '') =>
      yargs.command(name, summary, (y) => {
        for (const member of members) member.register(y, io, ended, `${prefix}${name} `);
        return y.usage(`$0 ${prefix}${name} COMMAND\n\n${summary}`).demandCommand(1, `which of ${name}'s commands?`);
      }),
  };
}

/** Tells of wrong usage that the declaration of options cannot express. Returns the exit code. */
export function wrongUsage(io: Io, commandName: string, message: string): ExitCode {
  io.err(`sallyport ${commandName}: ${message}\nTry 'sallyport ${commandName} --help'.`);
  return EXIT.usage;
}

function describeCommand(
  yargs: Argv,
  spec: { usage: string; summary: string; examples?: CommandSpec<unknown>['examples']; notes?: string },
  prefix: string,
): Argv {
  yargs.usage(`$0 ${prefix}${spec.usage}\n\n${spec.summary}`);
  for (const [line, purpose] of spec.examples ?? []) yargs.example(`$0 ${line}`, purpose);
  if (spec.notes !== undefined) yargs.epilogue(spec.notes);
  return yargs;
}

/** yargs makes a list of an option that is given twice, which its declared type does not say. */
function onlyOnce(given: Readonly<Record<string, unknown>>, repeatable: readonly string[]): true {
  for (const [name, value] of Object.entries(given)) {
    if (Array.isArray(value) && name !== '_' && !repeatable.includes(name))
      throw new UsageError(`--${name} may be given once`);
  }
  return true;
}

function firstWord(usage: string): string {
  return usage.split(' ')[0] ?? usage;
}
