/** An installation in a folder of its own, and the command line on it, in this process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMMANDS } from '../../src/cli/commands.js';
import { runCli } from '../../src/cli/run-cli.js';
import { memoryIo } from './memory-io.js';

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
  /** The same with `--json`, parsed; anything but success fails the test. */
  json(...args: readonly string[]): Promise<unknown>;
  remove(): void;
}

/** Sets one up with `init`. */
export async function installed(): Promise<Installed> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-cli-'));
  const config = join(folder, 'sallyport.yaml');
  const sallyport = async (...args: readonly string[]): Promise<Said> => {
    const io = memoryIo({ SALLYPORT_CONFIG: config }, folder);
    const code = await runCli(args, COMMANDS, io);
    return { code, out: io.stdout.join('\n'), err: io.stderr.join('\n') };
  };
  const made = await sallyport('init', folder);
  if (made.code !== 0) throw new Error(made.err);
  return {
    folder,
    config,
    sallyport,
    json: async (...args) => {
      const { code, out, err } = await sallyport(...args, '--json');
      if (code !== 0) throw new Error(`sallyport ${args.join(' ')} ended with ${code}: ${err}`);
      return JSON.parse(out);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
