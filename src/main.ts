#!/usr/bin/env node
/** The process: one command line, one command, one exit code. */
import { hideBin } from 'yargs/helpers';
import { COMMANDS } from './cli/commands.js';
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
});
