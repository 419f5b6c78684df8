/** A running LDAP door for tests: real sockets, a decision that the test makes, everything noted that it tells. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { committedProof, type ResourceFacts } from '../../src/access/ports.js';
import type { AccessRequest, Authenticate, Decision } from '../../src/access/request.js';
import { millis, systemClock } from '../../src/base/units.js';
import { type LdapApplication, ldapApplications } from '../../src/ldap/applications.js';
import type { DoorEvent } from '../../src/ldap/door-event.js';
import { createLdapServer, type LdapServer, type LdapServerDeps } from '../../src/ldap/server.js';

const RESOURCE: ResourceFacts = {
  pk: 1,
  id: 'vpn-id',
  name: 'vpn',
  active: true,
  revision: 1,
  firstFactor: 'none',
  credentialForms: ['otp'],
  separator: '',
  methods: [],
  lockout: { failures: 10, window: millis(900_000), duration: millis(900_000) },
  sourceNetworks: [],
  accessHours: [],
  tokenTypes: [],
  replyAttributes: {},
  rebindGrace: millis(0),
  reconnectGrace: millis(0),
  groups: [],
};

export const accepted = (login: string): Decision => ({
  outcome: 'accepted',
  proof: committedProof('event-1'),
  userId: 'user-1',
  login,
  resource: RESOURCE,
});
export const REFUSED: Decision = { outcome: 'refused', reason: 'wrong_otp', eventId: 'event-2' };

export const WIKI: LdapApplication = {
  id: 'wiki-id',
  name: 'wiki',
  baseDn: 'dc=example,dc=org',
  resourceId: 'vpn-id',
  serviceAccounts: [
    { dn: 'cn=wiki,dc=example,dc=org', verify: async (password) => (password === 'service' ? 'right' : 'wrong') },
  ],
  sourceNetworks: [],
  domains: ['CORP'],
  active: true,
};

/** alice's code is 755224; everything else is wrong. */
const aliceOnly: Authenticate = async ({ login, credential }) => {
  const known = ['alice', 'asmith'].includes(login.toLowerCase());
  return known && credential.kind === 'text' && credential.text === '755224' ? accepted('alice') : REFUSED;
};

export interface Door {
  readonly server: LdapServer;
  /** Port of the plain listener. */
  readonly port: number;
  readonly ldapsPort: number;
  readonly url: string;
  readonly asked: AccessRequest[];
  readonly events: DoorEvent[];
  readonly closed: string[];
  readonly codes: number[];
  readonly binds: string[];
}

const portOf = (address: string | undefined) => Number(address?.split(':').at(-1) ?? 0);

export async function openDoor(
  options: Partial<Omit<LdapServerDeps, 'applications'>> & { applications?: readonly LdapApplication[] } = {},
): Promise<Door> {
  const asked: AccessRequest[] = [];
  const events: DoorEvent[] = [];
  const closed: string[] = [];
  const codes: number[] = [];
  const binds: string[] = [];
  const applications = ldapApplications(options.applications ?? [WIKI]);
  const authenticate = options.authenticate ?? aliceOnly;
  const server = createLdapServer({
    listen: ['127.0.0.1:0'],
    ldaps: [],
    tls: null,
    requireTls: false,
    rejectDelay: millis(20),
    clock: systemClock,
    onDoorEvent: (event) => events.push(event),
    metrics: {
      closed: (cause) => closed.push(cause),
      error: (code) => codes.push(code),
      bind: (outcome) => binds.push(outcome),
    },
    log: { error: () => undefined },
    vendorVersion: '9.9.9',
    ...options,
    applications: () => applications,
    authenticate: (request) => {
      asked.push(request);
      return authenticate(request);
    },
  });
  const error = await server.start();
  if (error !== null) throw new Error(`did not start: ${error.cause}`);
  const { listen, ldaps } = server.addresses();
  const port = portOf(listen[0]);
  return {
    server,
    port,
    ldapsPort: portOf(ldaps[0]),
    url: `ldap://127.0.0.1:${port}`,
    asked,
    events,
    closed,
    codes,
    binds,
  };
}

/** A raw client: what it got so far, and a way to wait for more. */
export class RawClient {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  ended = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    socket.on('error', () => undefined);
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('close', () => {
      this.ended = true;
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connectSocket({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Resolves once `length` octets have come in all; rejects where the server ends before. */
  async until(length: number): Promise<Buffer> {
    while (this.received.length < length) {
      if (this.ended) throw new Error(`ended after ${this.received.length} octets`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return this.received;
  }

  /** Everything up to the server's end; then the client goes, too. */
  async rest(): Promise<Buffer> {
    while (!this.ended) await new Promise((resolve) => setTimeout(resolve, 2));
    this.socket.destroy();
    return this.received;
  }
}

/** Resolves once `condition` holds. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Runs a program; its exit code and what it wrote. */
export function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | string; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(program, [...args], { timeout: 15_000, env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : (error.code ?? 'killed'), stdout, stderr }),
    );
  });
}
