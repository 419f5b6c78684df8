/**
 * The LDAP door: TCP with StartTLS, and ldaps. Sockets, limits and time-outs are here; what is said on a connection is
 * decided in connection.ts, who may enter by `authenticate`.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { canonicalAddress } from '../access/networks.js';
import type { Authenticate } from '../access/request.js';
import type { Clock, Millis } from '../base/units.js';
import type { LdapApplications } from './applications.js';
import { DelayQueue } from './delay-queue.js';
import { ldapDirectory } from './directory.js';
import type { DoorEvent } from './door-event.js';
import { formatEndpoint, parseEndpoint } from './endpoint.js';
import { LIMITS } from './limits.js';
import { type PeerLimits, Peers } from './peers.js';
import { type LdapLog, type LdapMetrics, Session, type SessionWorld } from './session.js';

/** A certificate chain and its key, PEM. */
export interface LdapTls {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface LdapServerDeps {
  /** `address:port`; port 0 takes any free one. */
  readonly listen: readonly string[];
  readonly ldaps: readonly string[];
  /** For StartTLS and ldaps; null: neither works. */
  readonly tls: LdapTls | null;
  /** Passwords are taken under TLS only. */
  readonly requireTls: boolean;
  /** Default true: a bind without name and password succeeds. */
  readonly allowAnonymous?: boolean;
  readonly rejectDelay: Millis;
  readonly authenticate: Authenticate;
  /** Those of now; asked for at each bind. */
  applications(): LdapApplications;
  readonly clock: Clock;
  onDoorEvent(event: DoorEvent): void;
  readonly metrics: LdapMetrics;
  readonly log: LdapLog;
  /** Shown in the root DSE. */
  readonly vendorVersion: string;
  /** Default: LIMITS. */
  readonly limits?: Partial<PeerLimits>;
}

/** Why a server did not start; nothing listens then. */
export interface LdapStartError {
  /** As the configuration has it; null where it is the certificate that is wrong. */
  readonly endpoint: string | null;
  /** A code of the system (`EADDRINUSE`, `EACCES`), `invalid_endpoint`, `no_certificate`, or what OpenSSL says. */
  readonly cause: string;
}

export interface LdapServer {
  /** Resolves to null once it listens everywhere. */
  start(): Promise<LdapStartError | null>;
  /** Where it listens, as `address:port`, in the order of the configuration. */
  addresses(): { readonly listen: readonly string[]; readonly ldaps: readonly string[] };
  /** For handshakes from now on. Returns what is wrong with the pair, the old one staying, or null. */
  setTls(tls: LdapTls | null): string | null;
  connections(): number;
  bindsInFlight(): number;
  /** Takes nothing new, finishes running binds, says goodbye (LDAP-12); what is left after `grace` is cut. */
  stop(grace: Millis): Promise<void>;
}

interface Listener {
  readonly server: Server;
  readonly endpoint: string;
  readonly secure: boolean;
}

export function createLdapServer(deps: LdapServerDeps): LdapServer {
  const sessions = new Set<Session>();
  const peers = new Peers({ ...LIMITS, ...deps.limits });
  const delays = new DelayQueue();
  let secureContext: SecureContext | null = null;
  let listeners: Listener[] = [];
  let sweeper: NodeJS.Timeout | null = null;
  let stopping = false;
  let onEmpty: (() => void) | null = null;

  const startTls = () => secureContext !== null;
  const world: SessionWorld = {
    connection: {
      requireTls: deps.requireTls,
      allowAnonymous: deps.allowAnonymous ?? true,
      rejectDelay: deps.rejectDelay,
      startTls,
      directory: ldapDirectory({
        applications: () => deps.applications(),
        startTls,
        vendorVersion: deps.vendorVersion,
      }),
    },
    applications: () => deps.applications(),
    authenticate: deps.authenticate,
    clock: deps.clock,
    peers,
    delays,
    metrics: deps.metrics,
    log: deps.log,
    secureContext: () => secureContext,
    onDoorEvent: (event) => deps.onDoorEvent(event),
    onGone: (session) => {
      sessions.delete(session);
      if (sessions.size === 0) onEmpty?.();
    },
  };

  const take = (socket: Socket, secure: boolean): void => {
    const address = canonicalAddress(socket.remoteAddress ?? '');
    const peer = stopping || address === null ? null : peers.connect(address);
    if (peer === null) {
      socket.on('error', () => undefined);
      socket.destroy();
      deps.metrics.closed('connections');
      return;
    }
    sessions.add(new Session(world, socket, peer, secure));
  };

  const setTls = (tls: LdapTls | null): string | null => {
    const made = tls === null ? null : contextOf(tls);
    if (typeof made === 'string') return made;
    secureContext = made;
    return null;
  };

  const closeListeners = async (): Promise<void> => {
    const closing = listeners;
    listeners = [];
    await Promise.all(closing.map(({ server }) => new Promise((resolve) => server.close(resolve))));
  };

  return {
    async start() {
      const wrong = setTls(deps.tls);
      if (wrong !== null) return { endpoint: null, cause: wrong };
      if (deps.ldaps.length > 0 && secureContext === null) return { endpoint: null, cause: 'no_certificate' };
      const wanted = [
        ...deps.listen.map((endpoint) => ({ endpoint, secure: false })),
        ...deps.ldaps.map((endpoint) => ({ endpoint, secure: true })),
      ];
      for (const { endpoint, secure } of wanted) {
        // Half-open: who has sent its last request still gets the answer.
        const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => take(socket, secure));
        const cause = await listenAt(server, endpoint);
        if (cause !== null) {
          await closeListeners();
          return { endpoint, cause };
        }
        server.on('error', (error) => deps.log.error({ err: error, endpoint }, 'ldap: a listener failed'));
        listeners.push({ server, endpoint, secure });
      }
      sweeper = setInterval(() => {
        const now = deps.clock();
        for (const session of sessions) session.sweep(now);
      }, LIMITS.sweepEvery);
      return null;
    },

    addresses() {
      const of = (secure: boolean) => listeners.filter((each) => each.secure === secure).map(addressOf);
      return { listen: of(false), ldaps: of(true) };
    },

    setTls,
    connections: () => peers.connections,
    bindsInFlight: () => peers.bindsInFlight,

    async stop(grace) {
      stopping = true;
      // A closed listener is done when its last socket is: not waited for before the sessions are told.
      const closed = closeListeners();
      for (const session of sessions) session.shutdown();
      if (sessions.size > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, grace);
          onEmpty = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      for (const session of sessions) session.destroy();
      if (sweeper !== null) clearInterval(sweeper);
      await closed;
      delays.clear();
    },
  };
}

function contextOf({ cert, key }: LdapTls): SecureContext | string {
  try {
    return createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function listenAt(server: Server, text: string): Promise<string | null> {
  const endpoint = parseEndpoint(text);
  if (endpoint === null) return Promise.resolve('invalid_endpoint');
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message);
    server.once('error', failed);
    server.listen({ host: endpoint.address, port: endpoint.port, backlog: 511 }, () => {
      server.off('error', failed);
      resolve(null);
    });
  });
}

function addressOf({ server }: Listener): string {
  const at = server.address();
  return at === null || typeof at === 'string' ? '' : formatEndpoint(at);
}
