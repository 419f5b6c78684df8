/**
 * The Fastify application that routes are added to, and what it says about each request. The way of a request:
 *
 *   onRequest     headers that every answer has → a place in flight (503) → who calls (401, 429) → may it (403)
 *   parsing       media type (415), size (413), JSON (400)
 *   preValidation a body where one is needed (400)
 *   handler       the route's zod schemas make values of body, query and path (422, 404); it
 *                 returns what its response schema describes, or sends a problem
 *   onResponse    counted, its place given back
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Instant } from '../base/units.js';
import type { Caller } from './auth.js';
import type { Permission } from './permission.js';
import type { Place } from './places.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the caller must be allowed to do. A route without one does not start. */
    permission?: Permission;
    /** True for the answer to a method that the path does not know; not part of the API. */
    otherMethod?: boolean;
  }
  interface FastifyRequest {
    /** Who calls; null on routes that are open. */
    caller: Caller | null;
    /** The place in flight that this request holds. */
    place: Place | null;
    /** When the headers had arrived. */
    receivedAt: Instant;
    /** The canonical address that it came from. */
    peer: string;
  }
}

/** The application; bodies, queries and parameters are `unknown` until a schema has made something of them. */
export type App = FastifyInstance;

/** Where records are. */
export const API = '/api/v1';

/** The caller of a route that is not open. Throws where a route is: that would be a bug. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new Error(`${request.routeOptions.url ?? 'a route'} is open, it has no caller`);
  return request.caller;
}
