/** An Io that keeps what a command said. */
import type { Io } from '../../src/cli/command.js';

export interface MemoryIo extends Io {
  readonly stdout: string[];
  readonly stderr: string[];
}

export function memoryIo(env: Readonly<Record<string, string>> = {}, cwd = '/'): MemoryIo {
  const stdout: string[] = [];
  const stderr: string[] = [];
  return { stdout, stderr, out: (text) => void stdout.push(text), err: (text) => void stderr.push(text), env, cwd };
}
