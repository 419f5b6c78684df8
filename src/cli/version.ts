/** `sallyport version`: which release this is, and what runs it. */
import { readFileSync } from 'node:fs';
import type { Argv } from 'yargs';
import { z } from 'zod';
import { command, EXIT, type ExitCode, type Io } from './command.js';
import { jsonOption } from './shared-options.js';

export interface VersionOptions {
  readonly json: boolean;
}

const manifest = z.object({ version: z.string() });

/** The version in package.json, two folders above both src/cli and dist/cli. */
export function sallyportVersion(): string {
  return manifest.parse(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))).version;
}

const options = (yargs: Argv) => yargs.options(jsonOption);

export async function run(options: VersionOptions, io: Io): Promise<ExitCode> {
  const version = sallyportVersion();
  io.out(options.json ? JSON.stringify({ sallyport: version, node: process.versions.node }) : `sallyport ${version}`);
  return EXIT.done;
}

export const versionCommand = command({ usage: 'version', summary: 'Print the version', options, run });
