/**
 * Load for tests that pull the plug: users sign in with HOTP codes over RADIUS, LDAP and HTTP and an operator makes users, all at
 * once, each waiting for its answer before it goes on. It notes what was answered: that is what must hold afterwards.
 */
import ldap from 'ldapjs';
import { generateSync } from 'otplib';
import type { Installation } from '../support/installation.js';
import { secretOf } from '../support/otp.js';
import type { RadiusNas, Sent } from '../support/radius-nas.js';

export const SECRET = 'testing123';
const BASE = 'dc=example,dc=org';
/** Eight digits: with six, one code in some thousand would be right twice by chance. */
const DIGITS = 8;

/** Clients of each kind, and the users that each signs in, one after the other. */
const CLIENTS = { radius: 24, ldap: 4, http: 4 } as const;
const USERS_EACH = 6;
const USERS = (CLIENTS.radius + CLIENTS.ldap + CLIENTS.http) * USERS_EACH;

/** Records for the load. Failures must not lock: what was accepted is tried again by the hundred. */
export const RECORDS = {
  resources: [{ name: 'vpn', lockout: { failures: 1_000 } }],
  radiusClients: [{ name: 'edge', address: '127.0.0.1', secret: SECRET, resource: 'vpn' }],
  ldapApplications: [{ name: 'wiki', baseDn: BASE, resource: 'vpn' }],
  users: Array.from({ length: USERS }, (_, n) => ({
    login: loginOf(n),
    resources: ['vpn'],
    tokens: [{ type: 'hotp', digits: DIGITS, secret: secretOf(n) }],
  })),
};

/** User `n` with the code at `counter`. */
export interface SignIn {
  readonly user: number;
  readonly counter: number;
}

export function loginOf(user: number): string {
  return `user${user}`;
}

export const codeOf = ({ user, counter }: SignIn): string =>
  generateSync({ strategy: 'hotp', secret: secretOf(user), counter, digits: DIGITS });

/** What a sign-in over LDAP ended with: a result code, or null where the connection ended. */
export const bind = (client: ldap.Client, login: string, password: string): Promise<number | null> =>
  new Promise((done) => {
    const closed = () => done(null);
    client.once('close', closed);
    client.bind(`uid=${login},ou=users,${BASE}`, password, (error) => {
      client.off('close', closed);
      done(error === null ? 0 : resultOf(error));
    });
  });

/** An error of the connection has no result code, or one beyond those of RFC 4511. */
const resultOf = (error: ldap.Error): number | null =>
  typeof error.code === 'number' && error.code <= 80 ? error.code : null;

export class Load {
  /** Answered with yes. */
  readonly accepted: SignIn[] = [];
  /** Answered with no, though the code was good: there must be none. */
  readonly refused: SignIn[] = [];
  /** RADIUS requests that were never answered. */
  readonly unanswered: (SignIn & { readonly sent: Sent })[] = [];
  /** Logins of users that the API said it had made. */
  readonly made: string[] = [];
  /** Of those, the ones that it said it had given another name. */
  readonly named: string[] = [];
  readonly #its: Installation;
  readonly #nas: RadiusNas;
  /** The next counter of each user. */
  readonly #counters: number[];
  readonly #round: number;
  #running: Promise<unknown> = Promise.resolve();
  #stopped = false;

  /** `before`: the load whose counters this one goes on from; without one they begin at `first`. */
  constructor(its: Installation, nas: RadiusNas, before: Load | null = null, first = 0) {
    this.#its = its;
    this.#nas = nas;
    this.#counters = before === null ? Array.from({ length: USERS }, () => first) : before.#counters;
    this.#round = before === null ? 0 : before.#round + 1;
  }

  start(): void {
    let first = 0;
    const own = () => Array.from({ length: USERS_EACH }, () => first++);
    const each = (clients: number, client: (users: readonly number[]) => Promise<void>) =>
      Array.from({ length: clients }, () => client(own()));
    this.#running = Promise.all([
      ...each(CLIENTS.radius, (users) => this.#overRadius(users)),
      ...each(CLIENTS.ldap, (users) => this.#overLdap(users)),
      ...each(CLIENTS.http, (users) => this.#overHttp(users)),
      this.#operate(),
    ]);
  }

  /** Asks for nothing more; what is asked is waited for. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** The server is gone: asks for nothing more and waits for no answer over UDP, where nothing says so. */
  async giveUp(): Promise<void> {
    this.#stopped = true;
    this.#nas.giveUp();
    await this.#running;
  }

  /** The code that user `n` would send next. */
  next(user: number): SignIn {
    const counter = this.#counters[user] ?? 0;
    this.#counters[user] = counter + 1;
    return { user, counter };
  }

  async #overRadius(users: readonly number[]): Promise<void> {
    for (let turn = 0; !this.#stopped; turn++) {
      const signIn = this.next(users[turn % users.length] ?? 0);
      let request: Sent | null = null;
      const answer = await this.#nas.signIn(loginOf(signIn.user), codeOf(signIn), 10_000, (sent) => {
        request = sent;
      });
      if (answer === 'accept') this.accepted.push(signIn);
      else if (answer === 'reject') this.refused.push(signIn);
      else if (request !== null) this.unanswered.push({ ...signIn, sent: request });
      if (answer === 'silence') return;
    }
  }

  async #overLdap(users: readonly number[]): Promise<void> {
    const client = ldap.createClient({ url: this.#its.ldapUrl });
    client.on('error', () => undefined);
    for (let turn = 0; !this.#stopped; turn++) {
      const signIn = this.next(users[turn % users.length] ?? 0);
      const result = await bind(client, loginOf(signIn.user), codeOf(signIn));
      if (result === 0) this.accepted.push(signIn);
      else if (result === 49) this.refused.push(signIn);
      else break;
    }
    client.destroy();
  }

  async #overHttp(users: readonly number[]): Promise<void> {
    for (let turn = 0; !this.#stopped; turn++) {
      const signIn = this.next(users[turn % users.length] ?? 0);
      const body = { login: loginOf(signIn.user), credential: codeOf(signIn), resource: 'vpn' };
      const answer = await this.#its.api('/api/v1/authenticate', body).catch(() => null);
      if (answer?.body['outcome'] === 'accepted') this.accepted.push(signIn);
      else if (answer?.body['outcome'] === 'refused') this.refused.push(signIn);
      else return;
    }
  }

  /** Makes users and renames them, so that records change under the sign-ins. */
  async #operate(): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      const login = `made-${this.#round}-${n}`;
      const made = await this.#its.api('/api/v1/users', { login, resources: ['vpn'] }).catch(() => null);
      if (made?.status !== 201) return;
      this.made.push(login);
      const path = `/api/v1/users/${String(made.body['id'])}`;
      const named = await this.#its.api(path, { displayName: `Made ${n}` }, 'PATCH').catch(() => null);
      if (named?.status !== 200) return;
      this.named.push(login);
    }
  }
}
