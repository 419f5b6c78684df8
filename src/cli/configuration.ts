/** How a command comes by its configuration. */
import { resolve } from 'node:path';
import { type Config, loadConfig } from '../config/load-config.js';
import { formatProblems, whereText } from '../config/problem.js';
import type { Io } from './command.js';

/**
 * The configuration that `--config` (given) or SALLYPORT_CONFIG names. Null where there is none or it is wrong; everything
 * that is wrong has then been told, and the command ends with EXIT.usage. Warnings are told and stop nothing.
 */
export function configurationFor(given: string | undefined, io: Io): Config | null {
  const path = given ?? io.env['SALLYPORT_CONFIG'];
  if (path === undefined || path === '') {
    io.err('Which installation? Say -c FILE (its sallyport.yaml), or set SALLYPORT_CONFIG.');
    return null;
  }
  const loaded = loadConfig(resolve(io.cwd, path), io.env, path);
  if (!loaded.ok) {
    io.err(formatProblems(loaded.problems, 'nothing was started'));
    return null;
  }
  for (const { where, key, message } of loaded.warnings) io.err(`warning: ${whereText(where)}  ${key}: ${message}`);
  return loaded.config;
}
