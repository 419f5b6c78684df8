/**
 * An installation for tests of the built program: set up by `init`, filled by `apply`, served by a process of its own at ports of
 * its own. Nothing of src/ runs in the test's process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import knex from 'knex';
import { parseDocument, stringify } from 'yaml';
import { type Ran, run, until } from './program.js';

/** The built program. */
export const PROGRAM = resolve(import.meta.dirname, '../../dist/main.js');

/** Below the range that the system gives out by itself, so that a port that is free now stays so over a restart. */
const PORTS = { from: 20_000, to: 32_000 } as const;
/** Starts with other ports, where another test took one in between. */
const STARTS = 3;
const READY_MS = 30_000;
/** SIGTERM must end the daemon within 10 s. */
const STOP_MS = 12_000;

export interface Ports {
  readonly radius: number;
  readonly accounting: number;
  readonly ldap: number;
  readonly ldaps: number;
  readonly http: number;
}

/** Sections of sallyport.yaml, as they are merged into what `init` wrote. */
export type Settings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** For tests with many refusals that are not about their timing. */
export const QUICK: Settings = { radius: { rejectDelay: '20ms' }, ldap: { rejectDelay: '20ms' } };

/** An answer of the API: its status and its body, parsed. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
}

export class Installation {
  readonly folder: string;
  /** sallyport.yaml. */
  readonly config: string;
  /** The authority's certificate, for clients. */
  readonly ca: string;
  /** The SQLite file. */
  readonly database: string;
  readonly #settings: Settings;
  /** Whether somebody else made the folder. */
  readonly #given: boolean;
  #ports: Ports;
  #child: ChildProcess | null = null;
  #log = '';
  #key: string | null = null;

  private constructor(folder: string, given: boolean, ports: Ports, settings: Settings) {
    this.#given = given;
    this.folder = folder;
    this.config = join(folder, 'sallyport.yaml');
    this.ca = join(folder, 'tls', 'ca.crt');
    this.database = join(folder, 'sallyport.db');
    this.#settings = settings;
    this.#ports = ports;
  }

  /** Sets one up, with `records` in it; not yet started. `folder`: an empty one to use. */
  static async make(
    records: object | null = null,
    options: { readonly settings?: Settings; readonly folder?: string } = {},
  ): Promise<Installation> {
    if (!existsSync(PROGRAM)) throw new Error('the program is not built; run: npm run build');
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'sallyport-installation-'));
    const installation = new Installation(
      folder,
      options.folder !== undefined,
      await freePorts(),
      options.settings ?? {},
    );
    await installation.command('init', folder);
    installation.#configure();
    if (records !== null) await installation.apply(records);
    return installation;
  }

  /** The same, started. */
  static async serving(...given: Parameters<typeof Installation.make>): Promise<Installation> {
    const installation = await Installation.make(...given);
    try {
      await installation.start();
    } catch (error) {
      await installation.remove();
      throw error;
    }
    return installation;
  }

  get ports(): Ports {
    return this.#ports;
  }

  /** Everything that the daemon has written, over all starts. */
  get log(): string {
    return this.#log;
  }

  /** The daemon's process; 0 where it does not run. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get ldapUrl(): string {
    return `ldap://127.0.0.1:${this.#ports.ldap}`;
  }

  get ldapsUrl(): string {
    return `ldaps://127.0.0.1:${this.#ports.ldaps}`;
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${this.#ports.http}`;
  }

  /** Runs `sallyport …` to its end. */
  cli(...args: readonly string[]): Promise<Ran> {
    return run(process.execPath, [PROGRAM, ...args], { env: NO_OVERRIDES });
  }

  /** The same, where anything but success is a failure of the test; what it printed. */
  async command(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.cli(...args);
    if (code !== 0) throw new Error(`sallyport ${args.join(' ')} ended with ${code}\n${stderr}${stdout}`);
    return stdout;
  }

  /** Makes the records what `records` (a records file) says. */
  async apply(records: object): Promise<void> {
    const file = join(this.folder, 'records.yaml');
    writeFileSync(file, stringify(records));
    await this.command('apply', '-c', this.config, '-f', file);
  }

  /** A new API key. `resources`: for the role `application`. */
  async apiKey(name: string, role: string, resources: readonly string[] = []): Promise<string> {
    const tied = resources.flatMap((resource) => ['--resource', resource]);
    const printed = await this.command('api-key', 'create', '-c', this.config, '--name', name, '--role', role, ...tied);
    return printed.trim();
  }

  /** Starts the daemon and waits until it is ready. */
  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const child = this.spawn();
      if (await this.#becameReady(child)) return;
      const told = this.#log;
      if (attempt === STARTS || !told.includes('is taken by another program'))
        throw new Error(`the daemon ended with ${child.exitCode ?? child.signalCode}\n${told}`);
      this.#ports = await freePorts();
      this.#configure();
    }
  }

  /** Starts the daemon and waits for nothing. */
  spawn(): ChildProcess {
    const child = spawn(process.execPath, [PROGRAM, 'serve', '-c', this.config], {
      env: { ...process.env, ...NO_OVERRIDES },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const gather = (chunk: Buffer) => {
      this.#log += chunk.toString('utf8');
    };
    child.stdout.on('data', gather);
    child.stderr.on('data', gather);
    this.#child = child;
    return child;
  }

  /** SIGTERM; the exit code, null where it had to be killed. */
  async stop(): Promise<number | null> {
    const child = this.#child;
    if (child === null) return null;
    this.#child = null;
    if (isRunning(child)) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(timer);
    }
    return child.exitCode;
  }

  /** SIGKILL: the process is gone when it resolves, without having finished anything. */
  async kill9(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || !isRunning(child)) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Ends the daemon and empties the folder, which goes too, unless it was given. */
  async remove(): Promise<void> {
    await this.stop();
    for (const name of readdirSync(this.folder)) rmSync(join(this.folder, name), { recursive: true, force: true });
    if (!this.#given) rmdirSync(this.folder);
  }

  /** Asks the API as an owner. `body` makes it a POST, unless `method` says otherwise. */
  async api(path: string, body?: object, method = body === undefined ? 'GET' : 'POST'): Promise<Answer> {
    this.#key ??= await this.apiKey(`test of ${this.folder}`, 'owner');
    const response = await fetch(`${this.httpUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : JSON.parse(text), headers: response.headers };
  }

  /** Rows of the database, read beside the daemon. */
  async rows(sql: string, bindings: readonly (string | number)[] = []): Promise<readonly Row[]> {
    const db = knex({ client: 'sqlite3', connection: { filename: this.database }, useNullAsDefault: true });
    try {
      return await db.raw(sql, [...bindings]);
    } finally {
      await db.destroy();
    }
  }

  /** Events of decisions, oldest first. */
  events(where = 'true', bindings: readonly (string | number)[] = []): Promise<readonly Row[]> {
    return this.rows(
      `select pos, outcome, reason, login, user_id, resource, client, door, source, method, token_pk, step, detail, kind
       from events where ${where} order by pos`,
      bindings,
    );
  }

  async #becameReady(child: ChildProcess): Promise<boolean> {
    await until(
      'the daemon to be ready',
      async () => {
        if (!isRunning(child)) return true;
        const answer = await fetch(`${this.httpUrl}/readyz`).catch(() => null);
        await answer?.arrayBuffer();
        return answer?.status === 200;
      },
      READY_MS,
    );
    return isRunning(child);
  }

  /** Writes ports and settings into what `init` wrote. */
  #configure(): void {
    const document = parseDocument(readFileSync(this.config, 'utf8'));
    const { radius, accounting, ldap, ldaps, http } = this.#ports;
    const sections: Settings[] = [
      {
        radius: { listen: [`127.0.0.1:${radius}`, `[::1]:${radius}`], accounting: [`127.0.0.1:${accounting}`] },
        ldap: { listen: [`127.0.0.1:${ldap}`], ldaps: [`127.0.0.1:${ldaps}`] },
        http: { listen: `127.0.0.1:${http}` },
      },
      this.#settings,
    ];
    for (const settings of sections) {
      for (const [section, keys] of Object.entries(settings))
        for (const [key, value] of Object.entries(keys)) document.setIn([section, key], document.createNode(value));
    }
    writeFileSync(this.config, document.toString());
  }
}

export type Row = Readonly<Record<string, string | number | null>>;

/** Whoever runs the tests may have variables that override a configuration; these take them away. */
const NO_OVERRIDES: Readonly<Record<string, undefined>> = Object.fromEntries(
  Object.keys(process.env).flatMap((name) => (name.startsWith('SALLYPORT_') ? [[name, undefined]] : [])),
);

const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

/** Ports that nobody has on loopback, neither over UDP nor over TCP. */
export async function freePorts(): Promise<Ports> {
  const free = new Set<number>();
  while (free.size < 5) {
    const port = randomInt(PORTS.from, PORTS.to);
    if ((await isFreeUdp(port)) && (await isFreeTcp(port))) free.add(port);
  }
  const [radius = 0, accounting = 0, ldap = 0, ldaps = 0, http = 0] = free;
  return { radius, accounting, ldap, ldaps, http };
}

function isFreeUdp(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const socket = createSocket('udp4');
    socket.once('error', () => socket.close(() => answer(false)));
    socket.bind(port, '127.0.0.1', () => socket.close(() => answer(true)));
  });
}

function isFreeTcp(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const server = createServer();
    server.once('error', () => answer(false));
    server.listen(port, '127.0.0.1', () => server.close(() => answer(true)));
  });
}
