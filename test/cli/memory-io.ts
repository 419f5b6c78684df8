/** An Io that keeps what a command said. */
import type { Io } from '../../src/cli/command.js';

export interface MemoryIo extends Io {
  readonly stdout: string[];
  readonly stderr: string[];
}

/** What a test says of the terminal. */
export type Terminal = Partial<Pick<Io, 'colours' | 'ask' | 'stdin'>>;

export function memoryIo(
  env: Readonly<Record<string, string>> = {},
  cwd = '/',
  { colours = false, ask = null, stdin = async () => '' }: Terminal = {},
): MemoryIo {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const out = (text: string) => void stdout.push(text);
  const err = (text: string) => void stderr.push(text);
  return { stdout, stderr, out, err, env, cwd, colours, ask, stdin };
}
