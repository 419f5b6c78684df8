/** Programs from outside npm that tests run, and what became of them. */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Ran {
  /** The exit code; null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where administrators' programs are, whoever runs the tests. */
const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
/** A program that takes longer hangs. */
const TIMEOUT_MS = 30_000;

/** The path of `program`, or null where this machine does not have it. */
export function findProgram(program: string): string | null {
  for (const folder of FOLDERS) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return null;
}

/** What of `programs` is missing, as the end of a suite's name: `, skipped without radclient`; empty where all are there. */
export function without(...programs: readonly string[]): string {
  const missing = programs.filter((program) => findProgram(program) === null);
  return missing.length === 0 ? '' : `, skipped without ${missing.join(' and ')}`;
}

/** Runs `program` to its end with `input` on its standard input. Rejects only where it cannot be started. */
export function run(
  program: string,
  args: readonly string[],
  options: { readonly input?: string; readonly env?: Readonly<Record<string, string | undefined>> } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      findProgram(program) ?? program,
      [...args],
      { env: { ...process.env, ...options.env }, timeout: TIMEOUT_MS },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code === 'string') reject(error);
        else resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : null, stdout, stderr });
      },
    );
    // A program that does not read its input may be gone before it was written.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}

/** Waits until `holds` says so; rejects after `limitMs` with what was waited for. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 20_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms for ${what}`);
    await new Promise((next) => setTimeout(next, 5));
  }
}
