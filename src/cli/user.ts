/** `sallyport user`: who signs in. */
import type { Argv } from 'yargs';
import { userCreate, userPatch } from '../records/user.js';
import { type Command, command, commandGroup } from './command.js';
import { RESOURCE, USER } from './ends.js';
import { linkCommands } from './links.js';
import { commandLineActor } from './open-records.js';
import { recordCommands, withOne } from './record-commands.js';
import { configOption } from './shared-options.js';
import { told } from './with-records.js';

const aUser = (yargs: Argv) =>
  yargs.positional('user', { type: 'string', demandOption: true, describe: USER.describe }).options(configOption);

const blocking = (word: 'block' | 'unblock', summary: string, said: string): Command =>
  command({
    usage: `${word} <user>`,
    summary,
    options: aUser,
    run: (options, io) =>
      withOne(options, io, 'user', options.user, USER.find, async (records, { id }) =>
        told(io, await records.users.update(id, { active: word === 'unblock' }, commandLineActor()), ({ login }) =>
          io.err(`${login} ${said}`),
        ),
      ),
  });

export const userCommand = commandGroup('user', 'Users: who signs in', [
  ...recordCommands({
    word: 'user',
    noun: 'user',
    key: 'login',
    keyFirst: true,
    create: userCreate,
    patch: userPatch,
    help: {
      login: 'Another login',
      aliases: 'A further login name',
      displayName: 'The name for people',
      email: 'Mail address',
      phone: 'Telephone number',
      password: 'For resources with firstFactor local; - reads it',
      passwordHash: 'The same as an argon2id hash',
      active: 'Whether the user may sign in at all',
      groups: 'A group, by name or id',
      resources: 'A resource that the user may enter directly',
      tokens: 'All tokens, with their keys as in the records file',
    },
    filters: {
      active: { type: 'boolean', describe: 'Only the active, or with --no-active only the blocked' },
    },
    list: (records, query, { active }) =>
      records.users.list({ ...query, active: typeof active === 'boolean' ? active : undefined }),
    find: USER.find,
    make: (records, input, by) => records.users.create(input, by),
    change: (records, id, patch, by) => records.users.update(id, patch, by),
    remove: (records, id, by) => records.users.remove(id, by),
    called: USER.called,
    heads: ['LOGIN', 'ALIASES', 'NAME', 'ACTIVE', 'TOKENS', 'GROUPS', 'RESOURCES'],
    cells: (user) => [
      user.login,
      user.aliases.join(','),
      user.displayName ?? '',
      user.active ? 'yes' : 'no',
      String(user.tokens.length),
      user.groups.join(','),
      user.resources.join(','),
    ],
    examples: {
      create: [
        ['user create alice --display-name "Alice Smith" --resource vpn', 'she may enter vpn, once she has a token'],
        [
          'user create bob --group staff --tokens "[{ type: totp }]"',
          "with a token, whose secret is in the answer's otpauthUri",
        ],
      ],
      set: [
        ['user set alice --email alice@example.org --alias asmith', 'asmith is her only alias then'],
        ["user set alice --email ''", 'no mail address any more'],
      ],
    },
  }),
  command({
    usage: 'unlock <user>',
    summary: 'Forget the failed attempts of a user, which opens every lock',
    options: aUser,
    run: (options, io) =>
      withOne(options, io, 'user', options.user, USER.find, async (records, user) =>
        told(io, await records.users.unlock(user.id, commandLineActor()), () => io.err(`${user.login} is unlocked`)),
      ),
  }),
  blocking('block', 'Let a user in nowhere, from the next sign-in on', 'is blocked'),
  blocking('unblock', 'End that', 'is active'),
  ...linkCommands({
    link: (records) => records.links.userResource,
    left: USER,
    right: RESOURCE,
    put: {
      word: 'assign',
      summary: 'Let a user enter a resource',
      said: (user, resource) => `${user} may enter ${resource}`,
    },
    remove: {
      word: 'unassign',
      summary: 'End that; a group may still let the user in',
      said: (user, resource) => `${user} may no longer enter ${resource} directly`,
    },
  }),
]);
