/** `sallyport admin`: the administrators and their roles. */
import { randomBytes } from 'node:crypto';
import type { Argv } from 'yargs';
import { administratorCreate, administratorPatch } from '../records/administrator.js';
import { fieldErrors } from '../records/problem.js';
import type { RecordStore } from '../store/record-store.js';
import { command, commandGroup, EXIT, type ExitCode, type Io, wrongUsage } from './command.js';
import { commandLineActor } from './open-records.js';
import { findNamed, recordCommands, withOne } from './record-commands.js';
import { configOption, jsonOption } from './shared-options.js';
import { problemText, told } from './with-records.js';

/** 120 bit: what is typed once is copied, not remembered. */
const PASSWORD_OCTETS = 15;
const newPassword = (): string => randomBytes(PASSWORD_OCTETS).toString('base64url');

const find = (records: RecordStore, reference: string) => findNamed(records.administrators, reference);

interface ResetOptions {
  readonly config: string | undefined;
  readonly login: string;
  readonly passwordStdin: boolean;
  readonly json: boolean;
}

async function resetPassword(options: ResetOptions, io: Io): Promise<ExitCode> {
  const brought = options.passwordStdin ? (await io.stdin()).replace(/\r?\n$/, '') : null;
  const patch = administratorPatch.safeParse({ password: brought ?? newPassword() });
  if (!patch.success)
    return wrongUsage(io, 'admin reset-password', problemText({ kind: 'invalid', errors: fieldErrors(patch.error) }));
  return withOne(options, io, 'administrator', options.login, find, async (records, { id, login, active }) => {
    const changed = await records.administrators.update(id, patch.data, commandLineActor());
    const { password } = patch.data;
    const code = told(io, changed, () => {
      if (brought !== null) io.err(`${login} has the new password`);
      else io.out(options.json ? JSON.stringify({ login, password }) : (password ?? ''));
    });
    if (code === EXIT.done && !active) io.err(`${login} is not active: sallyport admin set ${login} --active true`);
    return code;
  });
}

export const adminCommand = commandGroup('admin', 'Administrators and their roles', [
  ...recordCommands({
    word: 'admin',
    noun: 'administrator',
    key: 'login',
    keyFirst: true,
    create: administratorCreate,
    patch: administratorPatch,
    help: {
      login: 'Another login',
      password: 'A new administrator without one gets one, which is printed; - reads it',
      role: 'What the administrator may do',
      active: 'Whether the administrator may sign in',
    },
    list: (records, query) => records.administrators.list(query),
    find,
    generated: ({ password }) => (password === undefined ? { password: newPassword() } : {}),
    make: (records, input, by) => records.administrators.create(input, by),
    change: (records, id, patch, by) => records.administrators.update(id, patch, by),
    remove: (records, id, by) => records.administrators.remove(id, by),
    called: ({ login }) => login,
    heads: ['LOGIN', 'ROLE', 'ACTIVE', 'ID'],
    cells: ({ login, role, active, id }) => [login, role, active ? 'yes' : 'no', id],
    examples: {
      create: [['admin create jane --role helpdesk', 'prints her password, once']],
      set: [['admin set jane --role admin', 'the last active owner stays one']],
    },
  }),
  command({
    usage: 'reset-password <login>',
    summary: 'Give an administrator a new password and print it, once',
    options: (yargs: Argv) =>
      yargs
        .positional('login', { type: 'string', demandOption: true, describe: 'Login or id' })
        .options(configOption)
        .option('password-stdin', { type: 'boolean', default: false, describe: 'Read it from standard input instead' })
        .options(jsonOption),
    examples: [['admin reset-password admin', 'only the password goes to stdout']],
    run: resetPassword,
  }),
]);
