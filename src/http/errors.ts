/** What was thrown on the way of a request, as a problem. What nobody foresaw is a bug: 500, with its id in the log. */
import type { FastifyReply, FastifyRequest, FastifySchemaCompiler } from 'fastify';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { type FieldError, fieldErrors } from '../records/problem.js';
import { MalformedBody } from './json-body.js';
import { HTTP_LIMITS, RETRY_AFTER_SECONDS } from './limits.js';
import type { Metrics } from './metrics.js';
import { type ProblemKind, sendProblem } from './problems.js';

/** A body, query or path that breaks its schema. Fastify wants an error; `errors` is what it says. */
export class InvalidValues extends Error {
  readonly errors: readonly FieldError[];

  constructor(errors: readonly FieldError[]) {
    super('values break their schema');
    this.errors = errors;
  }
}

/** A path whose ids have no id's form. */
export class NoSuchPath extends Error {}

/** The store could not be asked; nothing is known to have been written. */
export class StoreUnavailable extends Error {}

/** What the store answers; where it cannot, an error that becomes 503. */
export async function fromStore<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (cause) {
    throw new StoreUnavailable('the store cannot be asked', { cause });
  }
}

/** `data` as `schema` makes it; throws `InvalidValues`, each mistake with its JSON pointer. */
export function valid<S extends z.ZodType>(schema: S, data: unknown): z.output<S> {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new InvalidValues(fieldErrors(parsed.error));
}

const ID_IN_PATH = /^\/(id|\w+Id)$/;

/** The names in a path as `schema` makes them. An id that has not the form of one names nothing: 404. */
export function validPath<S extends z.ZodType>(schema: S, params: unknown): z.output<S> {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  const errors = fieldErrors(parsed.error);
  throw errors.some((error) => ID_IN_PATH.test(error.pointer)) ? new NoSuchPath() : new InvalidValues(errors);
}

/**
 * Fastify's own validation is off: what it hands to a handler is `unknown`, and only `valid` with the route's schema makes
 * something of it, so that no handler can read what was not checked.
 */
export const inHandler: FastifySchemaCompiler<unknown> = () => (data: unknown) => ({ value: data });

/** Fastify's own refusals, by its code. */
const FRAMEWORK: Readonly<Record<string, ProblemKind>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed_request',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_body',
  FST_ERR_BAD_URL: 'malformed_request',
  FST_ERR_MAX_PARAM_LENGTH: 'path_too_long',
  FST_ERR_ROUTE_MISSING_CONTENT_TYPE: 'malformed_request',
};

function kindOf(error: Error): ProblemKind {
  if (error instanceof InvalidValues) return 'invalid';
  if (error instanceof NoSuchPath) return 'not_found';
  if (error instanceof StoreUnavailable) return 'unavailable';
  if (error instanceof MalformedBody) return 'malformed_body';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return FRAMEWORK[code] ?? 'internal';
}

/** Answers what was thrown, and tells the log what only the log may know. */
export function errorAnswerer(log: Logger, metrics: Metrics) {
  return (error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const kind = kindOf(error);
    switch (kind) {
      case 'invalid':
        return sendProblem(reply, kind, error instanceof InvalidValues ? { errors: error.errors } : {});
      case 'malformed_body':
        return sendProblem(reply, kind, error instanceof MalformedBody ? { detail: error.message } : {});
      case 'body_too_large':
        return sendProblem(reply, kind, { detail: `At most ${HTTP_LIMITS.bodyOctets} octets are read.` });
      case 'unavailable':
        log.warn({ err: error.cause, request: request.id }, 'the store cannot be asked');
        return sendProblem(reply, kind, { retryAfter: RETRY_AFTER_SECONDS });
      case 'internal':
        metrics.internalError('http');
        log.error({ err: error, request: request.id, route: request.routeOptions.url }, 'an exception in a handler');
        return sendProblem(reply, kind, { detail: 'The log says more, under the id of this request.' });
      default:
        return sendProblem(reply, kind);
    }
  };
}
