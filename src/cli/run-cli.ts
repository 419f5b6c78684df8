/** From a command line to one command, and from what came of it to an exit code. */
import yargs from 'yargs';
import { type Command, EXIT, type ExitCode, type Io, UsageError } from './command.js';
import { sallyportVersion } from './version.js';

/** Wide enough for a line of help with its default, narrow enough for a terminal beside an editor. */
const HELP_COLUMNS = 100;
/** yargs says this of positionals, and counts them; which one is missing stands in the help. */
const TOO_FEW = 'Not enough non-option arguments';

/** Runs the command that `args` (without node and script) names. Resolves when it has ended. Rejects for bugs alone. */
export async function runCli(args: readonly string[], commands: readonly Command[], io: Io): Promise<ExitCode> {
  let code: ExitCode = EXIT.done;
  const ended = (result: ExitCode) => {
    code = result;
  };
  const parser = yargs([])
    .scriptName('sallyport')
    .detectLocale(false)
    .wrap(HELP_COLUMNS)
    .parserConfiguration({ 'strip-aliased': true, 'greedy-arrays': false, 'parse-positional-numbers': false })
    .usage('$0 COMMAND\n\nMulti-factor authentication over RADIUS, LDAP and HTTP.')
    .epilogue(
      'Results go to stdout, all else to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.\n' +
        "'sallyport COMMAND --help' says more about each.",
    )
    .version(sallyportVersion())
    .alias('help', 'h')
    .strict()
    .demandCommand(1, 'which command?')
    .recommendCommands()
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((message, error) => {
      throw error ?? new UsageError(message.startsWith(TOO_FEW) ? 'an argument is missing' : message);
    });
  for (const each of commands) each.register(parser, io, ended);
  let shown = '';
  try {
    await parser.parseAsync([...args], {}, (_error, _argv, output) => {
      shown = output;
    });
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof Error && error.name === 'YError')) throw error;
    const words = ['sallyport', ...commandWords(args, commands)].join(' ');
    io.err(`${words}: ${error.message}\nTry '${words} --help'.`);
    return EXIT.usage;
  }
  if (shown !== '') io.out(shown);
  return code;
}

/** The words of `args` that name a command, for messages. */
function commandWords(args: readonly string[], commands: readonly Command[]): readonly string[] {
  const [first, second] = args.filter((arg) => !arg.startsWith('-'));
  const found = commands.find((each) => each.name === first);
  if (found === undefined) return [];
  return second !== undefined && found.subcommands.includes(second) ? [found.name, second] : [found.name];
}
