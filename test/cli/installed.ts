/** An installation in a folder of its own, and the command line on it, in this process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMMANDS } from '../../src/cli/commands.js';
import { runCli } from '../../src/cli/run-cli.js';
import { memoryIo, type Terminal } from './memory-io.js';

/** What a command line did. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Installed {
  readonly folder: string;
  /** sallyport.yaml. */
  readonly config: string;
  /** Runs `sallyport …args` on it. */
  sallyport(...args: readonly string[]): Promise<Said>;
  /** The same by somebody who sits at a terminal that takes colours, and answers what is asked. */
  onTerminal(...args: readonly string[]): Promise<Said>;
  /** The same with something on standard input. */
  withInput(input: string, ...args: readonly string[]): Promise<Said>;
  /** What is answered at the terminal, and what was asked there. */
  answer: string;
  readonly questions: string[];
  /** The same with `--json`, parsed; anything but success fails the test. */
  json(...args: readonly string[]): Promise<unknown>;
  remove(): void;
}

/** Sets one up with `init`. */
export async function installed(): Promise<Installed> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-cli-'));
  const config = join(folder, 'sallyport.yaml');
  const at = async (terminal: Terminal, args: readonly string[]): Promise<Said> => {
    const io = memoryIo({ SALLYPORT_CONFIG: config }, folder, terminal);
    const code = await runCli(args, COMMANDS, io);
    return { code, out: io.stdout.join('\n'), err: io.stderr.join('\n') };
  };
  const sallyport = (...args: readonly string[]) => at({}, args);
  const made = await sallyport('init', folder);
  if (made.code !== 0) throw new Error(made.err);
  const questions: string[] = [];
  const it: Installed = {
    folder,
    config,
    answer: '',
    questions,
    sallyport,
    onTerminal: (...args) => {
      const ask = async (question: string) => {
        questions.push(question);
        return it.answer;
      };
      return at({ colours: true, ask }, args);
    },
    withInput: (input, ...args) => at({ stdin: async () => input }, args),
    json: async (...args) => {
      const { code, out, err } = await sallyport(...args, '--json');
      if (code !== 0) throw new Error(`sallyport ${args.join(' ')} ended with ${code}: ${err}`);
      return JSON.parse(out);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  return it;
}
