/** What every request passes before its handler: headers that all answers have, a place in flight, and who may. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { type Clock, instant } from '../base/units.js';
import { unreachable } from '../base/unreachable.js';
import type { App } from './app.js';
import type { BearerAuth } from './auth.js';
import { HTTP_LIMITS, RETRY_AFTER_SECONDS } from './limits.js';
import type { Metrics } from './metrics.js';
import { canonicalAddress, hostOf } from './peer.js';
import { mayDo, type Permission } from './permission.js';
import { Places } from './places.js';
import { sendProblem } from './problems.js';

/**
 * OWASP's list for an API that answers no page: nothing may be run, framed, sniffed or kept. HSTS only under TLS, where a
 * browser heeds it (RFC 6797 §7.2).
 */
export const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};
const HSTS = 'max-age=31536000';

export interface GateParts {
  readonly auth: BearerAuth;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly clock: Clock;
  readonly tls: boolean;
}

/** Routes that health checks ask must answer when all places are taken. */
const needsPlace = (permission: Permission): boolean => permission !== 'open';

/** Puts the gate before every route of `app`, those that do not exist included. */
export function guard(app: App, parts: GateParts): void {
  const { auth, metrics, log, clock, tls } = parts;
  const places = new Places(HTTP_LIMITS);
  metrics.gauge('http_in_flight', 'HTTP requests that are worked on', () => places.taken);

  app.decorateRequest('caller', null);
  app.decorateRequest('place', null);
  app.decorateRequest('receivedAt', instant(0));
  app.decorateRequest('peer', '');

  app.addHook('onRoute', (route) => {
    if (route.config?.permission === undefined) throw new Error(`${route.method} ${route.url} has no permission`);
  });

  app.addHook('onRequest', async (request, reply) => {
    request.receivedAt = clock();
    request.peer = canonicalAddress(request.ip) ?? request.ip;
    reply.headers(HEADERS);
    if (tls) reply.header('strict-transport-security', HSTS);
    const permission = request.is404 ? 'open' : (request.routeOptions.config.permission ?? 'own');
    if (!needsPlace(permission)) return;
    const place = places.take(hostOf(request.peer));
    if (place === null) {
      return sendProblem(reply, 'unavailable', {
        detail: 'Too many requests at once.',
        retryAfter: RETRY_AFTER_SECONDS,
      });
    }
    request.place = place;
    reply.raw.once('close', place.release);
    return identify(request, reply, permission);
  });

  app.addHook('preValidation', async (request, reply) => {
    if (request.body === undefined && request.routeOptions.schema?.body !== undefined) {
      return sendProblem(reply, 'malformed_body', { detail: 'A body is needed.' });
    }
  });

  app.addHook('onResponse', async (request, reply) => {
    const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
    metrics.http.answered(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
    if (reply.statusCode >= 400) metrics.http.problem(reply.statusCode);
  });

  async function identify(request: FastifyRequest, reply: FastifyReply, permission: Permission) {
    const known = await auth.identify(request.headers.authorization, request.peer);
    switch (known.kind) {
      case 'caller':
        request.caller = known.caller;
        if (mayDo(known.caller.role, permission)) return;
        return sendProblem(reply, 'forbidden', { detail: `The role ${known.caller.role} does not have this right.` });
      case 'no_key':
        // RFC 6750 §3.1: without credentials, no error code.
        reply.header('www-authenticate', 'Bearer realm="sallyport"');
        return sendProblem(reply, 'unauthenticated');
      case 'wrong_key':
        log.warn({ request: request.id, peer: request.peer }, 'a key that is none of ours, or no longer one');
        reply.header('www-authenticate', 'Bearer realm="sallyport", error="invalid_token"');
        return sendProblem(reply, 'unauthenticated');
      case 'too_many':
        return sendProblem(reply, 'too_many_requests', { detail: 'Too many wrong keys.', retryAfter: known.wait });
      case 'store_unavailable':
        log.warn({ err: known.cause, request: request.id }, 'the store cannot be asked');
        return sendProblem(reply, 'unavailable', { retryAfter: RETRY_AFTER_SECONDS });
      default:
        return unreachable(known);
    }
  }
}
