/**
 * The daemon: opens the decision first and the doors after it, so that nothing is asked before it can be answered; ends in the
 * other order. Whatever keeps it from starting is one sentence that says what to do.
 */
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Authenticate } from '../access/request.js';
import { millis, systemClock } from '../base/units.js';
import { formatListenAddress } from '../config/listen-address.js';
import type { Config, TlsFiles } from '../config/load-config.js';
import { hashPassword, verifyPassword } from '../first-factor/password.js';
import { type Metrics, makeMetrics } from '../http/metrics.js';
import { buildHttp, type HttpDoor } from '../http/server.js';
import { createLdapServer, type LdapServer } from '../ldap/server.js';
import { replyAttributeFaults } from '../radius/reply-attribute-faults.js';
import { RadiusServer } from '../radius/server.js';
import { ChangeWriter } from '../store/change.js';
import { EventAppender } from '../store/event-appender.js';
import { openRecordStore } from '../store/records/store.js';
import { openDecisions } from './decisions.js';
import { accountingSink, doorEventSink } from './door-events.js';
import { followListeners } from './listeners.js';

/** What each door gets to finish what it has begun. All of it together must end within 10 s of SIGTERM. */
const GRACE = { radius: millis(3_000), ldap: millis(3_000), http: 3_000 } as const;

/** Where it listens. */
export interface Addresses {
  readonly radius: readonly string[];
  readonly accounting: readonly string[];
  readonly ldap: readonly string[];
  readonly ldaps: readonly string[];
  readonly http: string;
}

export interface Daemon {
  readonly addresses: Addresses;
  /** Reads certificates again. */
  reload(): void;
  /** Drains and closes. */
  stop(): Promise<void>;
}

export type DaemonStart =
  | { readonly ok: true; readonly daemon: Daemon }
  | { readonly ok: false; readonly message: string };

/** Starts everything that `config` asks for. `version` is the program's. */
export async function startDaemon(config: Config, log: Logger, version: string): Promise<DaemonStart> {
  const metrics = makeMetrics(version);
  const opened = await openDecisions(config, log, systemClock, metrics.ledger);
  if (!opened.ok) return opened;
  const { decisions } = opened;
  const doors: { stop(): Promise<void> }[] = [];
  const giveUp = async (message: string): Promise<DaemonStart> => {
    for (const door of doors.reverse()) await door.stop();
    await decisions.stop();
    return { ok: false, message };
  };

  try {
    const records = openRecordStore({
      database: decisions.database,
      feed: decisions.feed,
      changes: new ChangeWriter(`${decisions.writer}.r`),
      seal: decisions.seal,
      passwords: {
        hash: hashPassword,
        verify: async (hash, password) => (await verifyPassword(hash, password)) === true,
      },
      clock: systemClock,
      policyChecks: { upstreams: [], replyAttributeFaults },
    });
    const appender = new EventAppender(decisions.database, `${decisions.writer}.d`, (error) =>
      log.error({ err: error }, 'an event could not be written'),
    );
    const listeners = await followListeners(decisions, log);
    const authenticate = measured(decisions.authenticate, metrics);

    const radius = new RadiusServer({
      listen: config.radius.listen.map(formatListenAddress),
      accounting: config.radius.accounting.map(formatListenAddress),
      authenticate,
      clients: listeners.radiusClients,
      rejectDelay: config.radius.rejectDelay,
      clock: systemClock,
      uptime: () => performance.now(),
      recordAccounting: accountingSink(appender),
      storeReady: () => decisions.notReady().length === 0,
      onDoorEvent: doorEventSink('radius', appender, log),
      messageAuthenticatorSeen: (id) => {
        records
          .messageAuthenticatorSeen(id)
          .catch((error: unknown) => log.error({ err: error }, 'could not keep that a client signs its requests'));
      },
      metrics: metrics.radius,
      log,
    });
    const radiusStart = await radius.start();
    if (radiusStart.kind !== 'listening') return await giveUp(`radius: ${listenProblem(radiusStart)}`);
    doors.push({ stop: () => radius.stop(GRACE.radius) });

    const ldap = createLdapServer({
      listen: config.ldap.listen.map(formatListenAddress),
      ldaps: config.ldap.ldaps.map(formatListenAddress),
      tls: readTls(config.ldap.tls),
      requireTls: config.ldap.requireTls,
      rejectDelay: config.ldap.rejectDelay,
      authenticate,
      applications: listeners.ldapApplications,
      clock: systemClock,
      onDoorEvent: doorEventSink('ldap', appender, log),
      metrics: metrics.ldap,
      log,
      vendorVersion: version,
    });
    const ldapProblem = await ldap.start();
    if (ldapProblem !== null)
      return await giveUp(`ldap: ${listenProblem({ address: ldapProblem.endpoint, code: ldapProblem.cause })}`);
    doors.push({ stop: () => ldap.stop(GRACE.ldap) });

    const http = buildHttp({
      listen: config.http.listen,
      tls: readTls(config.http.tls),
      records,
      authenticate,
      ready: () => {
        const reasons = decisions.notReady();
        return { ready: reasons.length === 0, reasons };
      },
      metrics,
      log,
      clock: systemClock,
      rejectDelay: config.radius.rejectDelay,
      version,
    });
    decisions.feed.listen(() => http.invalidate());
    const httpStart = await http.start();
    if (httpStart.kind !== 'listening') {
      return await giveUp(`http: ${listenProblem({ address: formatListenAddress(httpStart), code: httpStart.code })}`);
    }
    doors.push({ stop: () => http.stop(GRACE.http) });

    return {
      ok: true,
      daemon: {
        addresses: {
          ...radiusAddresses(radius),
          ...ldap.addresses(),
          ldap: ldap.addresses().listen,
          http: httpUrl(config, http),
        },
        reload: () => reloadTls(config, ldap, http, log),
        stop: async () => {
          await Promise.all(doors.map((door) => door.stop()));
          listeners.stop();
          await appender.idle();
          await decisions.stop();
        },
      },
    };
  } catch (error) {
    return giveUp(error instanceof Error ? error.message : String(error));
  }
}

const radiusAddresses = (radius: RadiusServer): Pick<Addresses, 'radius' | 'accounting'> => {
  const { listen, accounting } = radius.addresses();
  return { radius: listen, accounting };
};

function httpUrl(config: Config, http: HttpDoor): string {
  const address = http.address() ?? config.http.listen;
  return `${config.http.tls === null ? 'http' : 'https'}://${formatListenAddress(address)}`;
}

/** The same decision, counted by door, outcome and reason. */
function measured(authenticate: Authenticate, metrics: Metrics): Authenticate {
  return async (request) => {
    const began = performance.now();
    const decision = await authenticate(request);
    metrics.decided(request.door, decision, performance.now() - began);
    return decision;
  };
}

const readTls = (files: TlsFiles | null): { readonly cert: Buffer; readonly key: Buffer } | null =>
  files === null ? null : { cert: readFileSync(files.cert), key: readFileSync(files.key) };

function reloadTls(config: Config, ldap: LdapServer, http: HttpDoor, log: Logger): void {
  try {
    const wrong = ldap.setTls(readTls(config.ldap.tls));
    if (wrong !== null) log.error({ cause: wrong }, 'the certificate for LDAP was not taken; the old one stays');
    const tls = readTls(config.http.tls);
    if (tls !== null) http.reloadTls(tls);
    log.info('certificates were read again');
  } catch (error) {
    log.error({ err: error }, 'certificates could not be read; the old ones stay');
  }
}

/** Why a port is not open, and what to do. */
function listenProblem(problem: {
  readonly address?: string | null;
  readonly code?: string;
  readonly kind?: string;
}): string {
  const where = problem.address ?? 'the certificate';
  switch (problem.code) {
    case 'EADDRINUSE':
      return `${where} is taken by another program; stop it, or listen elsewhere`;
    case 'EACCES':
      return `${where} may not be opened by this user; ports below 1024 need the right to (CAP_NET_BIND_SERVICE)`;
    case 'EADDRNOTAVAIL':
      return `${where} is no address of this machine`;
    case 'no_certificate':
      return 'ldaps needs a certificate; set ldap.tls, or make one with sallyport init';
    default:
      return `${where}: ${problem.code ?? problem.kind ?? 'cannot be opened'}`;
  }
}
