/** The HTTP door on a free port of loopback, over a real SQLite file, for tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { hash, verify } from '@node-rs/argon2';
import pino from 'pino';
import { expect } from 'vitest';
import { Secret } from '../../src/base/secret.js';
import { instant, millis } from '../../src/base/units.js';
import { makeMetrics } from '../../src/http/metrics.js';
import { buildHttp, type HttpDoor, type HttpParts } from '../../src/http/server.js';
import type { Role } from '../../src/records/administrator.js';
import { ChangeWriter } from '../../src/store/change.js';
import { openDatabase } from '../../src/store/database.js';
import type { RecordStore } from '../../src/store/record-store.js';
import { openRecordStore } from '../../src/store/records/store.js';
import { Seal } from '../../src/store/seal.js';

/** A body as a client has it: what tests read of any kind of record or list. A member that is not there fails the assertion. */
export interface Body {
  readonly id: string;
  readonly login: string;
  readonly name: string;
  readonly displayName: string | null;
  readonly aliases: readonly string[];
  readonly resources: readonly string[];
  readonly groups: readonly string[];
  readonly tokens: readonly Body[];
  readonly key: string;
  readonly secret: string;
  readonly otpauthUri: string;
  readonly time: string;
  readonly createdAt: string;
  readonly revokedAt: string | null;
  readonly items: readonly Body[];
  readonly nextCursor: string | null;
  readonly instance: string;
  readonly errors: readonly { readonly pointer: string }[];
  readonly [member: string]: unknown;
}

/** What a test asks with; without a key it is the owner who asks. */
export interface Asked extends Omit<RequestInit, 'headers' | 'method'> {
  readonly key?: string;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly duplex?: 'half';
}

export interface Door {
  readonly http: HttpDoor;
  readonly records: RecordStore;
  /** `http://127.0.0.1:…` or https. */
  readonly origin: string;
  /** The API below it. */
  readonly base: string;
  readonly port: number;
  /** A key of role `owner`. */
  readonly owner: string;
  /** A key of `role`, one a role; an application's is tied to a resource of its own. */
  key(role: Role): Promise<string>;
  as(key: string): { readonly authorization: string };
  fetch(method: string, path: string, asked?: Asked): Promise<Response>;
  body(response: Response): Promise<Body>;
  /** The body of an answer that is a success; anything else fails the test. */
  json(method: string, path: string, asked?: Asked): Promise<Body>;
  /** Lines of the log. */
  log(): readonly { readonly level: number; readonly request?: string }[];
  /** Moves the door's clock on. */
  pass(ms: number): void;
  /** Closes the database under the door. */
  loseStore(): Promise<void>;
  close(): Promise<void>;
}

type Options = Partial<Pick<HttpParts, 'authenticate' | 'ready' | 'rejectDelay' | 'tls'>> & {
  readonly port?: number;
  readonly start?: boolean;
};

const TEST = { name: 'test', source: null } as const;

/** Opens a door with a database of its own. */
export async function openDoor(options: Options = {}): Promise<Door> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-http-'));
  const database = await openDatabase({ client: 'sqlite3', connection: { filename: join(folder, 'records.db') } });
  let ahead = 0;
  const clock = () => instant(Date.now() + ahead);
  const records = openRecordStore({
    database,
    changes: new ChangeWriter('test'),
    seal: new Seal(Secret.of(Buffer.alloc(32, 7))),
    // Parameters that cost nothing: these tests are about the door.
    passwords: { hash: (password) => hash(password, { memoryCost: 64, timeCost: 1 }), verify },
    clock,
  });
  const keys = new Map<string, string>();
  const makeKey = async (role: Role) => {
    const resources = role === 'application' ? ['of-the-application'] : [];
    for (const name of resources) await records.resources.create({ name }, TEST);
    const made = await records.apiKeys.create({ name: role, role, resources }, TEST);
    if (!made.ok || made.value.key === undefined) throw new Error(`no key: ${JSON.stringify(made)}`);
    keys.set(role, made.value.key);
    return made.value.key;
  };
  const owner = await makeKey('owner');

  const lines: string[] = [];
  const log = pino(
    new Writable({
      write: (line, _encoding, done) => {
        lines.push(String(line));
        done();
      },
    }),
  );
  const tls = options.tls ?? null;
  const http = buildHttp({
    listen: { host: '127.0.0.1', port: options.port ?? 0 },
    tls,
    records,
    authenticate: options.authenticate ?? (async () => ({ outcome: 'refused', reason: 'unknown_user', eventId: 'e' })),
    ready: options.ready ?? (() => ({ ready: true, reasons: [] })),
    metrics: makeMetrics('test'),
    log,
    clock,
    rejectDelay: options.rejectDelay ?? millis(50),
    version: '1.0.0',
  });
  if (options.start !== false) expect(await http.start()).toMatchObject({ kind: 'listening' });
  const port = http.address()?.port ?? 0;
  const origin = `${tls === null ? 'http' : 'https'}://127.0.0.1:${port}`;
  const base = `${origin}/api/v1`;
  let lost = false;
  const loseStore = async () => {
    if (!lost) await database.close();
    lost = true;
  };

  const door: Door = {
    http,
    records,
    origin,
    base,
    port,
    owner,
    key: async (role) => keys.get(role) ?? makeKey(role),
    as: (key) => ({ authorization: `Bearer ${key}` }),
    fetch: (method, path, { key = owner, json, headers = {}, ...rest } = {}) =>
      fetch(`${base}${path}`, {
        method,
        ...rest,
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        headers: {
          authorization: `Bearer ${key}`,
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
      }),
    body: async (response) => JSON.parse(await response.text()),
    json: async (method, path, asked) => {
      const response = await door.fetch(method, path, asked);
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path} is ${response.status}: ${text}`);
      return text === '' ? null : JSON.parse(text);
    },
    log: () => lines.map((line) => JSON.parse(line)),
    pass: (ms) => {
      ahead += ms;
    },
    loseStore,
    close: async () => {
      await http.stop(1_000);
      await loseStore();
      await rm(folder, { recursive: true });
    },
  };
  return door;
}
