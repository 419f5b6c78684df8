/** A whole world for decisions in memory: records, a ledger with group commit of its own kind, first factors, a clock to be set. */
import { createHash } from 'node:crypto';
import { makeAuthenticate } from '../../src/access/authenticate.js';
import type { UnknownLogins } from '../../src/access/entry.js';
import {
  type Commit,
  committedProof,
  type Directory,
  type FirstFactorResult,
  type FirstFactors,
  type Ledger,
  type LedgerEntry,
  type LockoutState,
  type ResourceFacts,
  type TokenFacts,
  type UserFacts,
} from '../../src/access/ports.js';
import type { AccessRequest, Decision } from '../../src/access/request.js';
import { instant, millis, seconds } from '../../src/base/units.js';
import { hotp } from '../../src/otp/hotp.js';

/** The middle of step 1000 of a token with a period of 30 s. */
export const NOW = instant(1000 * 30_000 + 15_000);
export const STEP = 1000;
export const KEY = Buffer.from('12345678901234567890');

/** What a token with KEY shows at a step or counter. */
export const codeAt = (at: number, digits: 6 | 7 | 8 = 6): string => hotp('SHA1', KEY, digits, at);
/** What it shows now. */
export const CODE = codeAt(STEP);

export const aToken = (change: Partial<TokenFacts> = {}): TokenFacts => ({
  pk: 1,
  id: 'token-1',
  type: 'totp',
  key: KEY,
  algorithm: 'SHA1',
  digits: 6,
  period: seconds(30),
  active: true,
  resources: [],
  state: { floor: 0, lastDatagram: null, lastGrace: null },
  ...change,
});

export const aUser = (change: Partial<UserFacts> = {}): UserFacts => ({
  pk: 1,
  id: 'user-1',
  login: 'alice',
  active: true,
  revision: 1,
  passwordHash: null,
  resources: [1],
  groups: [],
  tokens: [aToken()],
  lockouts: new Map(),
  ...change,
});

export const aResource = (change: Partial<ResourceFacts> = {}): ResourceFacts => ({
  pk: 1,
  id: 'resource-1',
  name: 'vpn',
  active: true,
  revision: 1,
  firstFactor: 'none',
  credentialForms: ['otp'],
  separator: '',
  methods: [],
  lockout: { failures: 3, window: millis(900_000), duration: millis(600_000) },
  sourceNetworks: [],
  accessHours: [],
  tokenTypes: [],
  replyAttributes: {},
  rebindGrace: millis(0),
  reconnectGrace: millis(0),
  groups: [],
  ...change,
});

/** A resource that asks for a password and for the code behind it. */
export const withPassword = (change: Partial<ResourceFacts> = {}): ResourceFacts =>
  aResource({ firstFactor: 'local', credentialForms: ['password+otp', 'challenge'], ...change });

export const aRequest = (text: string, change: Partial<AccessRequest> = {}): AccessRequest => ({
  door: 'radius',
  method: 'pap',
  client: 'edge',
  domains: [],
  resourceId: 'resource-1',
  login: 'alice',
  credential: { kind: 'text', text },
  source: '192.0.2.1',
  station: null,
  peer: '198.51.100.1',
  datagram: null,
  receivedAt: NOW,
  ...change,
});

export interface World {
  now: number;
  users: Map<string, UserFacts>;
  resource: ResourceFacts | null;
  /** Whether the directory answers at once. */
  answers: 'at once' | 'later';
  shared: boolean;
  /** What the next commits say, before the ledger decides for itself. */
  readonly commits: (Commit | (() => Commit | undefined))[];
  readonly entries: LedgerEntry[];
  readonly lookedUp: string[];
  readonly asked: string[];
  readonly errors: unknown[];
  /** What was hashed for a grace. */
  readonly graceHashes: string[];
  password: FirstFactorResult;
  /** Where the feed stood when a name or a resource's id was read; 1 where this does not say. */
  readonly positions: Map<string, number>;
  unknownLogins: UnknownLogins;
  /** Runs before each lookup. */
  onLookUp: (name: string, fresh: boolean) => void;
  ask(request: AccessRequest): Promise<Decision>;
  /** The reason of the decision, or its outcome where it has none. */
  reason(request: AccessRequest): Promise<string>;
  last(): LedgerEntry;
}

/** A world with alice, who may enter the VPN, and what `change` says. */
export function aWorld(change: Partial<World> = {}): World {
  let ids = 0;
  const find = (name: string, fresh: boolean) => {
    world.lookedUp.push(fresh ? `${name} fresh` : name);
    world.onLookUp(name, fresh);
    return { value: world.users.get(name) ?? null, position: world.positions.get(name) ?? 1 };
  };
  const later = <T>(make: () => T): T | Promise<T> => (world.answers === 'at once' ? make() : delay().then(make));
  const directory: Directory = {
    userByName: (name, fresh) => later(() => find(name, fresh)),
    resourceById: (id) =>
      later(() => ({
        value: world.resource?.id === id ? world.resource : null,
        position: world.positions.get(id) ?? 1,
      })),
  };
  const ledger: Ledger = {
    get shared() {
      return world.shared;
    },
    async commit(entry) {
      await delay();
      const next = world.commits.shift();
      const said = typeof next === 'function' ? next() : next;
      return said ?? apply(world, entry);
    },
  };
  const firstFactors: FirstFactors = {
    async check(firstFactor, user, login, password) {
      await delay();
      world.asked.push(`${firstFactor} ${user === null ? 'nobody' : user.id} ${login} ${password}`);
      return world.password;
    },
  };
  const world: World = {
    now: NOW,
    users: new Map([['alice', aUser()]]),
    resource: aResource(),
    answers: 'at once',
    shared: false,
    commits: [],
    entries: [],
    lookedUp: [],
    asked: [],
    errors: [],
    graceHashes: [],
    password: 'right',
    positions: new Map(),
    unknownLogins: 'shortened',
    onLookUp: () => {},
    ask: (request) => authenticate(request),
    async reason(request) {
      const decision = await authenticate(request);
      return decision.outcome === 'refused' ? decision.reason : decision.outcome;
    },
    last() {
      const entry = world.entries.at(-1);
      if (entry === undefined) throw new Error('nothing was committed');
      return entry;
    },
    ...change,
  };
  const authenticate = makeAuthenticate({
    directory,
    ledger,
    firstFactors,
    clock: () => instant(world.now),
    micros: () => world.now * 1000,
    newId: (now) => `event-${now}-${ids++}`,
    hashWrong: (text) => `hash(${text})`,
    hashGrace: (text) => {
      world.graceHashes.push(text);
      return createHash('sha256').update(text).digest('base64url');
    },
    unknownLogins: world.unknownLogins,
    onError: (error) => world.errors.push(error),
  });
  return world;
}

const delay = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a ledger does once it is on disk; stale where the state is not what the decision was made on. */
function apply(world: World, entry: LedgerEntry): Commit {
  const { consumption, lockouts, user } = entry;
  if (consumption !== null && consumption.at < consumption.token.state.floor) return { kind: 'stale' };
  if (consumption !== null) {
    consumption.token.state.floor = consumption.at + 1;
    consumption.token.state.lastDatagram = consumption.datagram;
    consumption.token.state.lastGrace = consumption.grace;
  }
  if (user !== null && lockouts.length > 0) {
    const states = new Map<string, LockoutState>(user.lockouts);
    for (const change of lockouts) {
      if ((states.get(change.source) ?? null) !== change.before) return { kind: 'stale' };
      states.set(change.source, change.after);
    }
    user.lockouts = states;
  }
  world.entries.push(entry);
  return { kind: 'committed', proof: committedProof(entry.event.id) };
}
