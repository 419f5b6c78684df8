/** `sallyport api-key`: keys by which programs use the API. */
import type { Argv } from 'yargs';
import { API_KEY_ROLES, type ApiKeyRecord, apiKeyCreate, type Role } from '../records/administrator.js';
import { fieldErrors } from '../records/problem.js';
import { isId } from '../records/values.js';
import { command, commandGroup, EXIT, type ExitCode, type Io, wrongUsage } from './command.js';
import { commandLineActor } from './open-records.js';
import { configOption, jsonOption } from './shared-options.js';
import { everyItem, printList, problemText, told, withRecords } from './with-records.js';

interface CreateOptions {
  readonly config: string | undefined;
  readonly name: string;
  readonly role: Role;
  /** Names or ids. */
  readonly resource: readonly string[] | undefined;
  readonly json: boolean;
}

/** Makes a key and prints it, and nothing else unless JSON was asked for. */
async function create(options: CreateOptions, io: Io): Promise<ExitCode> {
  const input = apiKeyCreate.safeParse({ name: options.name, role: options.role, resources: options.resource });
  if (!input.success) {
    const message = problemText({ kind: 'invalid', errors: fieldErrors(input.error) });
    return wrongUsage(io, 'api-key create', message.replace(/^resources/gm, '--resource').replace(/^name/gm, '--name'));
  }
  return withRecords(options.config, io, async ({ records }) =>
    told(io, await records.apiKeys.create(input.data, commandLineActor()), (made) =>
      io.out(options.json ? JSON.stringify(made) : (made.key ?? '')),
    ),
  );
}

interface ListOptions {
  readonly config: string | undefined;
  /** The revoked ones too. */
  readonly all: boolean;
  readonly json: boolean;
}

async function list(options: ListOptions, io: Io): Promise<ExitCode> {
  return withRecords(options.config, io, async ({ records }) => {
    const active = options.all ? undefined : true;
    const keys = everyItem((cursor, limit) => records.apiKeys.list({ cursor, limit, active }));
    await printList(io, options.json, keys, HEADS, cells);
    return EXIT.done;
  });
}

const HEADS = ['NAME', 'ROLE', 'RESOURCES', 'CREATED', 'LAST USED', 'REVOKED', 'ID'];
const day = (time: string | null): string => time?.slice(0, 10) ?? '–';
const cells = ({ name, role, resources, createdAt, lastUsedAt, revokedAt, id }: ApiKeyRecord): readonly string[] => [
  name,
  role,
  resources.length === 0 ? '–' : resources.join(','),
  day(createdAt),
  day(lastUsedAt),
  day(revokedAt),
  id,
];

interface RevokeOptions {
  readonly config: string | undefined;
  /** Name or id. */
  readonly key: string;
}

async function revoke({ config, key }: RevokeOptions, io: Io): Promise<ExitCode> {
  return withRecords(config, io, async ({ records }) => {
    // By name, one that works: revoking frees the name.
    const listed = isId(key) ? null : await records.apiKeys.list({ name: key, active: true, limit: 1 });
    const id = listed === null ? key.toLowerCase() : listed.ok ? listed.value.items[0]?.id : undefined;
    const revoked = id === undefined ? null : await records.apiKeys.revoke(id, commandLineActor());
    if (revoked === null || (!revoked.ok && revoked.problem.kind === 'notFound')) {
      io.err(`there is no API key ${key}`);
      return EXIT.failed;
    }
    return told(io, revoked, () => io.err(`${key} no longer works`));
  });
}

export const apiKeyCommand = commandGroup('api-key', 'Keys by which programs use the API', [
  command({
    usage: 'create',
    summary: 'Make a key, and print it',
    options: (yargs: Argv) =>
      yargs
        .options(configOption)
        .option('name', { type: 'string', demandOption: true, requiresArg: true, describe: 'What it is called' })
        .option('role', { choices: API_KEY_ROLES, demandOption: true, requiresArg: true, describe: 'What it may do' })
        .option('resource', {
          type: 'string',
          array: true,
          requiresArg: true,
          describe: 'Role application: a resource that it may ask about; may be given several times',
        })
        .options(jsonOption),
    repeatable: ['resource'],
    examples: [
      ['api-key create --name deploy --role admin', 'for a script that keeps records'],
      [
        'api-key create --name shop --role application --resource shop',
        'for an application that signs users in over HTTP',
      ],
    ],
    notes:
      'Only the key goes to stdout. It is shown this once: the database keeps a hash. Programs send it as "Authorization: Bearer KEY".\n' +
      'Roles: auditor reads, helpdesk also unlocks users, admin also changes records, owner also hands out keys; application asks for ' +
      'decisions on its resources and does nothing else.',
    run: create,
  }),
  command({
    usage: 'list',
    summary: 'List the keys that work',
    options: (yargs: Argv) =>
      yargs
        .options(configOption)
        .option('all', { type: 'boolean', default: false, describe: 'The revoked ones too' })
        .options(jsonOption),
    run: list,
  }),
  command({
    usage: 'revoke <key>',
    summary: 'End a key',
    options: (yargs: Argv) =>
      yargs.positional('key', { type: 'string', demandOption: true, describe: 'Its name or id' }).options(configOption),
    examples: [['api-key revoke deploy', 'from the next request on it is refused; its name is free again']],
    run: revoke,
  }),
]);
