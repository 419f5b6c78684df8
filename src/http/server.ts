/**
 * The HTTP door: the API under `/api/v1`, health, metrics and the description of it all. `buildHttp` puts the parts
 * together; app.ts draws the way of a request.
 */
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import type { Authenticate } from '../access/request.js';
import type { Clock, Millis } from '../base/units.js';
import { uuid7 } from '../base/uuid7.js';
import { isId } from '../records/values.js';
import type { RecordStore } from '../store/record-store.js';
import { BearerAuth } from './auth.js';
import { BriefCache } from './brief-cache.js';
import { errorAnswerer, inHandler } from './errors.js';
import { guard, HEADERS } from './gate.js';
import { readJsonOnly } from './json-body.js';
import { HTTP_LIMITS, NAME_CACHE } from './limits.js';
import { watchMethods } from './methods.js';
import type { Metrics } from './metrics.js';
import { collectRoutes } from './openapi.js';
import { sendProblem } from './problems.js';
import { administratorRoutes } from './routes/administrators.js';
import { apiKeyRoutes } from './routes/api-keys.js';
import { authenticateRoute, type ResourceName } from './routes/authenticate.js';
import { eventRoutes } from './routes/events.js';
import { groupRoutes } from './routes/groups.js';
import { ldapApplicationRoutes } from './routes/ldap-applications.js';
import { radiusClientRoutes } from './routes/radius-clients.js';
import { resourceRoutes } from './routes/resources.js';
import { type Readiness, systemRoutes } from './routes/system.js';
import { tokenRoutes } from './routes/tokens.js';
import { userRoutes } from './routes/users.js';
import { makeServer, refuseUnparsed, type TlsFiles } from './socket.js';

export interface HttpParts {
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls: TlsFiles | null;
  readonly records: RecordStore;
  readonly authenticate: Authenticate;
  readonly ready: () => Readiness | Promise<Readiness>;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly clock: Clock;
  /** From a request's arrival to a refusal of `/authenticate`. */
  readonly rejectDelay: Millis;
  /** The version of the API's description. */
  readonly version: string;
}

/** Whether the socket is open; `code` as the operating system has it (EADDRINUSE, EACCES, EADDRNOTAVAIL). */
export type Started =
  | { readonly kind: 'listening'; readonly host: string; readonly port: number }
  | { readonly kind: 'not_listening'; readonly host: string; readonly port: number; readonly code: string };

export interface HttpDoor {
  start(): Promise<Started>;
  /** Where it listens; null before `start` and after `stop`. */
  address(): { readonly host: string; readonly port: number } | null;
  /** Takes no more connections, lets what is in flight finish for `graceMs`, then closes what is left. */
  stop(graceMs: number): Promise<void>;
  /** Forgets API keys and names that were looked up: the change feed moved. */
  invalidate(): void;
  /** New certificate and key for connections to come; nothing where it does not speak TLS. */
  reloadTls(tls: TlsFiles): void;
}

/** Builds the door; nothing listens before `start`. */
export function buildHttp(parts: HttpParts): HttpDoor {
  const { listen, tls, records, metrics, log, clock } = parts;
  const auth = new BearerAuth(records.apiKeys, clock);
  const names = new BriefCache<ResourceName>(NAME_CACHE, clock);
  const answerError = errorAnswerer(log, metrics);
  const servers: ReturnType<typeof makeServer>[] = [];
  let stopping = false;
  const app = Fastify({
    logger: false, // what deserves a line is said by gate.ts and errors.ts, with the request's id
    trustProxy: false, // HTTP-11: forwarded headers come from whoever connects
    genReqId: () => uuid7(clock()),
    requestIdHeader: false,
    bodyLimit: HTTP_LIMITS.bodyOctets,
    requestTimeout: HTTP_LIMITS.requestMillis,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    routerOptions: { maxParamLength: HTTP_LIMITS.paramOctets, caseSensitive: true, ignoreTrailingSlash: false },
    clientErrorHandler: refuseUnparsed,
    serverFactory: (handler) => {
      const server = makeServer(handler, tls);
      servers.push(server);
      return server;
    },
    frameworkErrors: (error, request, reply) => {
      answerError(error, request, reply.headers(HEADERS));
    },
  });

  app.setValidatorCompiler(inHandler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler<Error>(answerError);
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, 'not_found'));
  // A connection that is kept would hold up the end; what is answered from now on is its last answer.
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (stopping) reply.header('connection', 'close');
    done(null, payload);
  });
  readJsonOnly(app);
  guard(app, { auth, metrics, log, clock, tls: tls !== null });
  collectRoutes(app, parts.version);
  app.register(async (routes) => {
    const answerOtherMethods = watchMethods(routes);
    systemRoutes(routes, parts);
    userRoutes(routes, records);
    tokenRoutes(routes, records);
    groupRoutes(routes, records);
    resourceRoutes(routes, records);
    radiusClientRoutes(routes, records);
    ldapApplicationRoutes(routes, records);
    administratorRoutes(routes, records);
    apiKeyRoutes(routes, records, () => auth.invalidate());
    eventRoutes(routes, records);
    authenticateRoute(routes, {
      ...parts,
      resource: (reference) => names.getOr(reference.toLowerCase(), () => findResource(records, reference)),
    });
    answerOtherMethods();
  });

  const address = () => {
    const bound = servers[0]?.address();
    return isAddress(bound) ? { host: bound.address, port: bound.port } : null;
  };
  return {
    address,
    start: async () => {
      try {
        await app.listen({ ...listen, backlog: HTTP_LIMITS.backlog });
      } catch (error) {
        const code = listenFault(error);
        if (code === null) throw error;
        return { kind: 'not_listening', ...listen, code };
      }
      return { kind: 'listening', ...(address() ?? listen) };
    },
    stop: async (graceMs) => {
      stopping = true;
      const hurry = setTimeout(() => {
        for (const server of servers) server.closeAllConnections();
      }, graceMs);
      await app.close();
      clearTimeout(hurry);
    },
    invalidate: () => {
      auth.invalidate();
      names.invalidate();
    },
    reloadTls: (files) => {
      for (const server of servers) {
        if ('setSecureContext' in server && typeof server.setSecureContext === 'function') {
          server.setSecureContext({ cert: files.cert, key: files.key });
        }
      }
    },
  };
}

const isAddress = (bound: AddressInfo | string | null | undefined): bound is AddressInfo =>
  typeof bound === 'object' && bound !== null;

/** What the world has against listening, or null where the error is a bug of ours. */
function listenFault(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

/** By id, else by name. Rejects where the store cannot be read. */
async function findResource(records: RecordStore, reference: string): Promise<ResourceName | null> {
  if (isId(reference)) {
    const found = await records.resources.get(reference.toLowerCase());
    return found.ok ? { id: found.value.id, name: found.value.name } : null;
  }
  const found = await records.resources.list({ name: reference, limit: 1 });
  const [first] = found.ok ? found.value.items : [];
  return first === undefined ? null : { id: first.id, name: first.name };
}
