/** `sallyport admin`: who may use the console. */
import { randomBytes } from 'node:crypto';
import type { Argv } from 'yargs';
import { administratorCreate, administratorPatch } from '../records/administrator.js';
import { done, failed } from '../records/problem.js';
import { isId, nameKey } from '../records/values.js';
import type { RecordStore } from '../store/record-store.js';
import { command, commandGroup, EXIT } from './command.js';
import { commandLineActor } from './open-records.js';
import { recordCommands, withOne } from './record-commands.js';
import { configOption, jsonOption } from './shared-options.js';
import { told } from './with-records.js';

/** 120 bit: what is typed once is copied, not remembered. */
const PASSWORD_OCTETS = 15;

async function find(records: RecordStore, reference: string) {
  if (isId(reference)) return records.administrators.get(reference);
  const listed = await records.administrators.list({ name: nameKey(reference) });
  if (!listed.ok) return listed;
  const [found] = listed.value.items;
  return found === undefined ? failed({ kind: 'notFound' }) : done(found);
}

export const adminCommand = commandGroup('admin', 'Administrators: who may use the console', [
  ...recordCommands({
    word: 'admin',
    key: 'login',
    keyFirst: true,
    create: administratorCreate,
    patch: administratorPatch,
    list: (records, query) => records.administrators.list(query),
    find,
    make: (records, input, by) => records.administrators.create(input, by),
    change: (records, id, patch, by) => records.administrators.update(id, patch, by),
    remove: (records, id, by) => records.administrators.remove(id, by),
    heads: ['login', 'role', 'active', 'id'],
    cells: (administrator) => [
      administrator.login,
      administrator.role,
      administrator.active ? 'yes' : 'no',
      administrator.id,
    ],
  }),
  command({
    usage: 'reset-password <login>',
    summary: 'Give an administrator a new password and print it, once',
    options: (yargs: Argv) =>
      yargs
        .positional('login', { type: 'string', demandOption: true, describe: 'Login or id' })
        .options(configOption)
        .options(jsonOption),
    run: (options, io) =>
      withOne(options, io, 'admin', options.login, find, async (records, administrator) => {
        const password = randomBytes(PASSWORD_OCTETS).toString('base64url');
        const result = await records.administrators.update(administrator.id, { password }, commandLineActor());
        const code = told(io, result, () =>
          io.out(options.json ? JSON.stringify({ login: administrator.login, password }) : password),
        );
        if (code === EXIT.done && !administrator.active)
          io.err(`${administrator.login} is not active: admin set ${administrator.login} active=true`);
        return code;
      }),
  }),
]);
