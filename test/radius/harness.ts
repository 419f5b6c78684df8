/** A RADIUS server on ports of its own, and a NAS that speaks raw datagrams or runs FreeRADIUS's radclient. */
import { execFile } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { committedProof, type ResourceFacts } from '../../src/access/ports.js';
import type { AccessRequest, Authenticate, Decision } from '../../src/access/request.js';
import { Secret } from '../../src/base/secret.js';
import { millis, systemClock } from '../../src/base/units.js';
import type { AccountingRecord } from '../../src/radius/accounting.js';
import { SecretKey } from '../../src/radius/authenticator.js';
import { buildRadiusClients, type RadiusClient } from '../../src/radius/clients.js';
import type { DoorEvent } from '../../src/radius/door-event.js';
import type { RadiusServerDeps } from '../../src/radius/ports.js';
import { RadiusServer } from '../../src/radius/server.js';
import { hidePassword } from '../../src/radius/user-password.js';

export const SECRET = 'testing123';

export const resource = (replyAttributes: ResourceFacts['replyAttributes'] = {}): ResourceFacts => ({
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
  replyAttributes,
  rebindGrace: millis(0),
  reconnectGrace: millis(0),
  groups: [],
});

export const client = (fields: Partial<RadiusClient> = {}): RadiusClient => ({
  id: 'edge-id',
  name: 'edge',
  address: '127.0.0.1/32',
  secret: Secret.of(SECRET),
  resourceId: 'vpn-id',
  requireMessageAuthenticator: 'auto',
  messageAuthenticatorSeen: false,
  domains: ['CORP'],
  nasIdentifier: null,
  active: true,
  limitProxyState: true,
  ...fields,
});

export const accepted = (its: ResourceFacts = resource()): Decision => ({
  outcome: 'accepted',
  proof: committedProof('event'),
  userId: 'alice-id',
  login: 'alice',
  resource: its,
});
export const refused: Decision = { outcome: 'refused', reason: 'wrong_otp', eventId: 'event' };

/** Accepts alice with 755224, refuses everyone else. */
export const aliceOnly =
  (its: ResourceFacts = resource()): Authenticate =>
  async ({ login, credential }) =>
    login === 'alice' && credential.kind === 'text' && credential.text === '755224' ? accepted(its) : refused;

export interface Running {
  readonly server: RadiusServer;
  readonly port: number;
  readonly accountingPort: number;
  readonly requests: AccessRequest[];
  readonly records: AccountingRecord[];
  readonly events: DoorEvent[];
  readonly seen: string[];
  readonly errors: string[];
  /** Lines for the operator. */
  readonly warnings: Record<string, unknown>[];
  /** Counters by name and label, such as `dropped unknown_client`. */
  readonly counts: Map<string, number>;
  stop(): Promise<void>;
}

export interface Setup extends Partial<RadiusServerDeps> {
  readonly records?: readonly RadiusClient[];
}

/** Starts a server on free loopback ports with what a test does not say taken from above. */
export async function startServer(setup: Setup = {}): Promise<Running> {
  const { records: clientRecords = [client(), client({ id: 'six-id', name: 'six', address: '::1' })], ...deps } = setup;
  const requests: AccessRequest[] = [];
  const records: AccountingRecord[] = [];
  const events: DoorEvent[] = [];
  const seen: string[] = [];
  const errors: string[] = [];
  const warnings: Record<string, unknown>[] = [];
  const counts = new Map<string, number>();
  const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  const { clients } = buildRadiusClients(clientRecords);
  const authenticate = deps.authenticate ?? aliceOnly();
  const server = new RadiusServer({
    listen: ['127.0.0.1:0'],
    accounting: ['127.0.0.1:0'],
    clients: () => clients,
    rejectDelay: millis(20),
    clock: systemClock,
    uptime: () => performance.now(),
    recordAccounting: async (record) => {
      records.push(record);
      return 'stored';
    },
    storeReady: () => true,
    onDoorEvent: (event) => events.push(event),
    messageAuthenticatorSeen: (id) => seen.push(id),
    metrics: {
      dropped: (cause) => count(`dropped ${cause}`),
      duplicate: (kind) => count(`duplicate ${kind}`),
      answered: (code) => count(`answered ${code}`),
      internalError: () => count('internalError'),
    },
    log: {
      info: () => {},
      warn: (fields, message) => void warnings.push({ ...fields, message }),
      error: (_fields, message) => errors.push(message),
    },
    ...deps,
    authenticate: (request) => {
      requests.push(request);
      return authenticate(request);
    },
  });
  const started = await server.start();
  if (started.kind !== 'listening') throw new Error(`${started.kind} ${started.address}`);
  const portOf = (text: string | undefined) => Number(/:(\d+)$/.exec(text ?? '')?.[1] ?? 0);
  const { listen, accounting } = server.addresses();
  return {
    server,
    port: portOf(listen[0]),
    accountingPort: portOf(accounting[0]),
    requests,
    records,
    events,
    seen,
    errors,
    warnings,
    counts,
    stop: () => server.stop(millis(1000)),
  };
}

export interface RadclientRun {
  readonly stdout: string;
  readonly ok: boolean;
}

/** Runs radclient with attributes on its standard input. */
export function radclient(
  target: string,
  command: string,
  attributes: string,
  options: string[] = [],
): Promise<RadclientRun> {
  return new Promise((done) => {
    const args = ['-x', '-r', '1', '-t', '3', ...options, target, command, SECRET];
    const child = execFile('radclient', args, (error, stdout, stderr) =>
      done({ stdout: `${stdout}${stderr}`, ok: error === null }),
    );
    child.stdin?.end(attributes);
  });
}

/** One attribute. */
export const attribute = (type: number, value: Buffer | string): Buffer => {
  const octets = Buffer.from(value);
  return Buffer.concat([Buffer.from([type, octets.length + 2]), octets]);
};

export interface RequestShape {
  readonly id?: number;
  readonly code?: number;
  readonly login?: string | null;
  /** Null: no User-Password. */
  readonly password?: string | null;
  readonly signed?: boolean;
  readonly more?: readonly Buffer[];
  readonly secret?: string;
  readonly authenticator?: Buffer;
}

/** An Access-Request (or, by `code`, a Status-Server) as a NAS would write it. */
export function accessRequest(shape: RequestShape = {}): Buffer {
  const { id = 1, code = 1, login = 'alice', password = '755224', signed = false, more = [], secret = SECRET } = shape;
  const authenticator = shape.authenticator ?? randomBytes(16);
  const hidden =
    password === null ? null : hidePassword(Buffer.from(password), authenticator, new SecretKey(Secret.of(secret)));
  const parts = [
    ...(signed ? [attribute(80, Buffer.alloc(16))] : []),
    ...(login === null ? [] : [attribute(1, login)]),
    ...(hidden === null ? [] : [attribute(2, hidden)]),
    ...more,
  ];
  const packet = Buffer.concat([Buffer.from([code, id, 0, 0]), authenticator, ...parts]);
  packet.writeUInt16BE(packet.length, 2);
  if (signed) createHmac('md5', secret).update(packet).digest().copy(packet, 22);
  return packet;
}

/** A NAS at an address of its own; keeps every reply. */
export class Nas {
  readonly replies: Buffer[] = [];
  /** The address and port that each reply came from. */
  readonly origins: string[] = [];
  readonly #socket: Socket;
  readonly #port: number;
  readonly #host: string;

  private constructor(socket: Socket, port: number, host: string) {
    this.#socket = socket;
    this.#port = port;
    this.#host = host;
    socket.on('message', (reply, { address, port: from }) => {
      this.replies.push(reply);
      this.origins.push(`${address} ${from}`);
    });
  }

  static async open(port: number, host = '127.0.0.1', local = host): Promise<Nas> {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.bind(0, local);
    await once(socket, 'listening');
    return new Nas(socket, port, host);
  }

  send(packet: Buffer): void {
    this.#socket.send(packet, this.#port, this.#host);
  }

  /** Sends and waits for `count` more replies; the last of them. */
  async ask(packet: Buffer): Promise<Buffer> {
    const before = this.replies.length;
    this.send(packet);
    await until(() => this.replies.length > before);
    return this.replies[before] ?? Buffer.alloc(0);
  }

  close(): void {
    this.#socket.close();
  }
}

/** Waits until `holds`; a test's own time limit ends the waiting. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((next) => setTimeout(next, 2));
}
