/** `sallyport init DIR`: a new installation, ready to serve, with fresh secrets and one administrator. */
import { randomBytes, randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Argv } from 'yargs';
import { Secret } from '../base/secret.js';
import { systemClock } from '../base/units.js';
import { formatListenAddress } from '../config/listen-address.js';
import { type Config, loadConfig } from '../config/load-config.js';
import { MASTER_KEY_OCTETS } from '../config/master-key.js';
import { formatProblems } from '../config/problem.js';
import { type Command, command, EXIT, type ExitCode, type Io } from './command.js';
import { INITIAL_CONFIGURATION } from './initial-configuration.js';
import { NewFiles } from './new-files.js';
import { jsonOption } from './shared-options.js';

export interface InitOptions {
  readonly dir: string;
  /** Further names that clients call this machine by. */
  readonly name: readonly string[] | undefined;
  readonly json: boolean;
}

/** The administrator that a new installation starts with. */
export interface FirstOwner {
  readonly login: string;
  readonly password: Secret;
}

export type OwnerCreated = { readonly ok: true } | { readonly ok: false; readonly message: string };

/** Makes the database of `config` and the owner in it, and closes it again. Left behind on failure: files of the database alone. */
export type CreateOwner = (config: Config, owner: FirstOwner) => Promise<OwnerCreated>;

const OWNER_LOGIN = 'admin';
/** Without what is easily mistaken for something else: 55 characters. Twenty of them are 115 bit. */
const PASSWORD_ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789';
const PASSWORD_LENGTH = 20;

const PRIVATE = 0o600;
const PUBLIC = 0o644;

/** What an installation consists of; any of these means that there is one, or what is left of one. */
const INSTALLATION = ['sallyport.yaml', 'master.key', 'tls', 'sallyport.db'] as const;
/** What SQLite and the daemon's lock put beside the database. */
const DATABASE_FILES = [
  'sallyport.db',
  'sallyport.db-wal',
  'sallyport.db-shm',
  'sallyport.db-journal',
  'sallyport.db.lock',
] as const;

const options = (yargs: Argv) =>
  yargs
    .positional('dir', { type: 'string', demandOption: true, describe: 'The folder; made where it is not there' })
    .option('name', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'A further name or address of this machine, for its certificate',
    })
    .options(jsonOption);

/** Sets up `options.dir`; on any failure what was written is taken back. */
export async function run(options: InitOptions, io: Io, createOwner: CreateOwner): Promise<ExitCode> {
  const folder = resolve(io.cwd, options.dir);
  const found = INSTALLATION.filter((name) => existsSync(join(folder, name)));
  if (found.length > 0) {
    io.err(
      `${folder} holds an installation already (${found.join(', ')}); nothing was written. Choose another folder.`,
    );
    return EXIT.failed;
  }
  const owner: FirstOwner = { login: OWNER_LOGIN, password: Secret.of(newPassword()) };
  const made = await setUp(folder, options.name ?? [], owner, io, createOwner);
  if (!made.ok) {
    io.err(`${made.message}\nNothing was set up.`);
    return made.code;
  }
  report(made.config, owner, options, io);
  return EXIT.done;
}

type SetUp =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly code: ExitCode; readonly message: string };

async function setUp(
  folder: string,
  names: readonly string[],
  owner: FirstOwner,
  io: Io,
  createOwner: CreateOwner,
): Promise<SetUp> {
  let files: NewFiles | null = null;
  let done = false;
  try {
    files = new NewFiles(folder);
    files.write('master.key', `${randomBytes(MASTER_KEY_OCTETS).toString('base64')}\n`, PRIVATE);
    // Loaded here, since no other command needs it and it takes a fifth of a second.
    const { makePrivateAuthority } = await import('./private-authority.js');
    const tls = await makePrivateAuthority(['localhost', ...serverNames(names)], systemClock());
    files.write('tls/ca.crt', tls.caCert, PUBLIC);
    files.write('tls/ca.key', tls.caKey, PRIVATE);
    files.write('tls/server.crt', tls.serverCert, PUBLIC);
    files.write('tls/server.key', tls.serverKey, PRIVATE);
    const file = files.write('sallyport.yaml', INITIAL_CONFIGURATION, PUBLIC);
    const loaded = loadConfig(file, io.env);
    if (!loaded.ok) {
      return {
        ok: false,
        code: EXIT.usage,
        message: formatProblems(loaded.problems, 'the environment overrides them'),
      };
    }
    // Made empty first, for its mode, which SQLite gives to the files beside it: logins, hashes and events are nobody else's.
    const { database } = loaded.config;
    if (database.client === 'sqlite3' && database.connection.filename === join(folder, 'sallyport.db'))
      files.write('sallyport.db', '', PRIVATE);
    for (const name of DATABASE_FILES) files.expect(name);
    const created = await createOwner(loaded.config, owner);
    if (!created.ok) return { ok: false, code: EXIT.failed, message: created.message };
    done = true;
    return { ok: true, config: loaded.config };
  } catch (error) {
    // A folder that may not be written, a full disk: the system's own words say it best.
    if (error instanceof Error && 'syscall' in error) return { ok: false, code: EXIT.failed, message: error.message };
    throw error;
  } finally {
    if (!done) files?.takeBack();
  }
}

/** What clients on this machine and beside it call it, each once. */
function serverNames(further: readonly string[]): readonly string[] {
  const own = hostname().toLowerCase();
  const names = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(own) ? [own] : [];
  return [...new Set([...names, '127.0.0.1', '::1', ...further])].filter((name) => name !== 'localhost');
}

function newPassword(): string {
  return Array.from({ length: PASSWORD_LENGTH }, () =>
    PASSWORD_ALPHABET.charAt(randomInt(PASSWORD_ALPHABET.length)),
  ).join('');
}

function report(config: Config, owner: FirstOwner, options: InitOptions, io: Io): void {
  const password = owner.password.reveal().toString('utf8');
  const api = `${config.http.tls === null ? 'http' : 'https'}://${formatListenAddress(config.http.listen)}/api/v1`;
  if (options.json) {
    io.out(JSON.stringify({ config: config.file, api, login: owner.login, password }));
    return;
  }
  io.out(
    [
      `A new installation: ${config.file}`,
      '',
      `administrator   ${owner.login}`,
      `password        ${password}    (shown this once)`,
      '',
      `start it        sallyport serve -c ${config.file}`,
      `an API key      sallyport api-key create -c ${config.file} --name first --role owner`,
      `the API         ${api}`,
    ].join('\n'),
  );
}

/** The command; who makes the database and the owner comes from outside, since this folder knows how, and not when. */
export function initCommand(createOwner: CreateOwner): Command {
  return command({
    usage: 'init <dir>',
    summary: 'Set up a new installation',
    options,
    repeatable: ['name'],
    examples: [
      ['init /etc/sallyport', 'configuration, master key, private CA, database, first administrator'],
      ['init --name mfa.example.org /etc/sallyport', 'with a further name in the certificate'],
    ],
    notes:
      'Writes sallyport.yaml, master.key and tls/ (a private CA and a server certificate), makes the database, and prints the ' +
      "first administrator's password, once. A folder that holds an installation is left as it is. Keep a copy of master.key " +
      'apart from the backups: without it they cannot be used. tls/ca.key signs further certificates; it may be moved away.',
    run: (given, io) => run(given, io, createOwner),
  });
}
