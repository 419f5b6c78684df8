#!/usr/bin/env node
/** The process: one command line, one command, one exit code. */
import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { hideBin } from 'yargs/helpers';
import { COMMANDS } from './cli/commands.js';
import { takesColours } from './cli/paint.js';
import { runCli } from './cli/run-cli.js';

// `sallyport events | head` closes the pipe early; that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runCli(hideBin(process.argv), COMMANDS, {
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  env: process.env,
  cwd: process.cwd(),
  colours: takesColours(process.stdout, process.env),
  stdin: () => text(process.stdin),
  ask: process.stdin.isTTY && process.stderr.isTTY ? ask : null,
});

/** On stderr, since stdout is for results. End of input is an empty answer. */
async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await Promise.race([
      terminal.question(question),
      new Promise<string>((resolve) => terminal.once('close', () => resolve(''))),
    ]);
  } finally {
    terminal.close();
  }
}
