/** Options that several commands have, declared once so that they read the same everywhere. */
import type { Options } from 'yargs';

/** `-c FILE`; see configuration.ts for what happens without. */
export const configOption = {
  config: {
    alias: 'c',
    type: 'string',
    requiresArg: true,
    describe: 'The configuration (sallyport.yaml); else SALLYPORT_CONFIG',
  },
} as const satisfies Record<string, Options>;

/** `--json`, for commands that a script reads. */
export const jsonOption = {
  json: { type: 'boolean', default: false, describe: 'Print JSON' },
} as const satisfies Record<string, Options>;
