/** `sallyport token`: what makes one-time passwords. */
import type { Argv } from 'yargs';
import { tokenCreate, tokenPatch } from '../records/token.js';
import type { RecordStore } from '../store/record-store.js';
import { command, commandGroup, EXIT } from './command.js';
import { commandLineActor } from './open-records.js';
import { recordCommands, withOne } from './record-commands.js';
import { configOption, jsonOption } from './shared-options.js';
import { problemText, told } from './with-records.js';

const find = (records: RecordStore, reference: string) => records.tokens.find(reference);

export const tokenCommand = commandGroup('token', 'Tokens: what makes one-time passwords', [
  ...recordCommands({
    word: 'token',
    key: 'serial',
    keyFirst: false,
    create: tokenCreate,
    patch: tokenPatch,
    list: (records, query) => records.tokens.list(query),
    find,
    make: (records, input, by) => records.tokens.create(input, by),
    change: (records, id, patch, by) => records.tokens.update(id, patch, by),
    remove: (records, id, by) => records.tokens.remove(id, by),
    heads: ['serial', 'name', 'type', 'user', 'active', 'id'],
    cells: (token) => [
      token.serial ?? '',
      token.name ?? '',
      token.type,
      token.user ?? 'in stock',
      token.active ? 'yes' : 'no',
      token.id,
    ],
  }),
  command({
    usage: 'assign <token> <user>',
    summary: 'Give a token that is in stock to a user',
    options: (yargs: Argv) =>
      yargs
        .positional('token', { type: 'string', demandOption: true, describe: 'Serial or id' })
        .positional('user', { type: 'string', demandOption: true, describe: 'Login, alias or id' })
        .options(configOption)
        .options(jsonOption),
    run: (options, io) =>
      withOne(options, io, 'token', options.token, find, async (records, token) => {
        const user = await records.users.find(options.user);
        if (!user.ok) {
          io.err(user.problem.kind === 'notFound' ? `there is no user ${options.user}` : problemText(user.problem));
          return EXIT.failed;
        }
        const result = await records.links.userToken.put(user.value.id, token.id, commandLineActor());
        return told(io, result, () => io.err(`${options.token} is ${user.value.login}'s`));
      }),
  }),
]);
