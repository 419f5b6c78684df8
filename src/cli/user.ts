/** `sallyport user`: who signs in. */
import type { Argv } from 'yargs';
import { userCreate, userPatch } from '../records/user.js';
import type { RecordStore } from '../store/record-store.js';
import { command, commandGroup, EXIT } from './command.js';
import { commandLineActor } from './open-records.js';
import { recordCommands, withOne } from './record-commands.js';
import { configOption, jsonOption } from './shared-options.js';
import { byName, told } from './with-records.js';

const find = (records: RecordStore, reference: string) => records.users.find(reference);

const userAndResource = (yargs: Argv) =>
  yargs
    .positional('user', { type: 'string', demandOption: true, describe: 'Login, alias or id' })
    .positional('resource', { type: 'string', demandOption: true, describe: 'Name or id' })
    .options(configOption)
    .options(jsonOption);

const assignment = (name: 'assign' | 'unassign', summary: string) =>
  command({
    usage: `${name} <user> <resource>`,
    summary,
    options: userAndResource,
    run: (options, io) =>
      withOne(options, io, 'user', options.user, find, async (records, user) => {
        const resource = await byName(io, 'resource', records.resources, options.resource);
        if (resource === null) return EXIT.failed;
        const { put, remove } = records.links.userResource;
        const result = await (name === 'assign' ? put : remove)(user.id, resource.id, commandLineActor());
        return told(io, result, () =>
          io.err(
            `${user.login} ${name === 'assign' ? 'may now enter' : 'may no longer directly enter'} ${resource.name}`,
          ),
        );
      }),
  });

export const userCommand = commandGroup('user', 'Users: who signs in', [
  ...recordCommands({
    word: 'user',
    key: 'login',
    keyFirst: true,
    create: userCreate,
    patch: userPatch,
    list: (records, query) => records.users.list(query),
    find,
    make: (records, input, by) => records.users.create(input, by),
    change: (records, id, patch, by) => records.users.update(id, patch, by),
    remove: (records, id, by) => records.users.remove(id, by),
    heads: ['login', 'aliases', 'name', 'active', 'tokens', 'groups', 'resources'],
    cells: (user) => [
      user.login,
      user.aliases.join(' '),
      user.displayName ?? '',
      user.active ? 'yes' : 'no',
      String(user.tokens.length),
      user.groups.join(' '),
      user.resources.join(' '),
    ],
  }),
  command({
    usage: 'unlock <user>',
    summary: 'Forget the failed attempts of a user',
    options: (yargs: Argv) =>
      yargs
        .positional('user', { type: 'string', demandOption: true, describe: 'Login, alias or id' })
        .options(configOption)
        .options(jsonOption),
    run: (options, io) =>
      withOne(options, io, 'user', options.user, find, async (records, user) =>
        told(io, await records.users.unlock(user.id, commandLineActor()), () => io.err(`${user.login} is unlocked`)),
      ),
  }),
  assignment('assign', 'Let a user enter a resource'),
  assignment('unassign', 'End that; a group may still let the user in'),
]);
