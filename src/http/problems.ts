/**
 * Every way in which a request can fail, in one table: RFC 9457 problem details. `type` is a name that programs compare,
 * `title` the sentence for people, the same each time; what is particular stands in `detail` and `errors`.
 */
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { FieldError } from '../records/problem.js';

/** What can go wrong, and how it is answered. */
export const PROBLEMS = {
  malformed_body: { status: 400, title: 'The body is not well-formed JSON' },
  malformed_request: { status: 400, title: 'The request is not well-formed' },
  bad_cursor: { status: 400, title: 'The cursor is not one that this list gave out' },
  unauthenticated: { status: 401, title: 'A valid API key is needed' },
  forbidden: { status: 403, title: 'This key may not do that' },
  not_found: { status: 404, title: 'There is no such thing here' },
  method_not_allowed: { status: 405, title: 'This path does not know the method' },
  request_timeout: { status: 408, title: 'The request took too long to arrive' },
  conflict: { status: 409, title: 'It conflicts with a record that exists' },
  plan_limit_reached: { status: 409, title: 'A limit of the plan is reached' },
  precondition_failed: { status: 412, title: 'The record has changed since it was read' },
  body_too_large: { status: 413, title: 'The body is too large' },
  path_too_long: { status: 414, title: 'The path is too long' },
  unsupported_media_type: { status: 415, title: 'The body must be JSON' },
  invalid: { status: 422, title: 'A value breaks a rule' },
  too_many_requests: { status: 429, title: 'Too many failures, wait before the next try' },
  headers_too_large: { status: 431, title: 'The header fields are too large' },
  internal: { status: 500, title: 'This is a defect of the server' },
  unavailable: { status: 503, title: 'The server cannot answer now, try again' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemKind = keyof typeof PROBLEMS;

/** What one occurrence adds to its row in the table. */
export interface ProblemFacts {
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  /** Further members, which RFC 9457 §3.2 allows: `limit`, `used`, `reasons`. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Seconds for the header Retry-After. */
  readonly retryAfter?: number;
}

/** The media type of a problem, RFC 9457 §6.1. */
export const PROBLEM_TYPE = 'application/problem+json';

/** The body as the OpenAPI document describes it. */
export const problemSchema = z
  .looseObject({
    type: z
      .string()
      .meta({ description: 'A name for the kind of problem, to compare', examples: ['urn:sallyport:problem:invalid'] }),
    title: z.string().meta({ description: 'The same sentence for every problem of the kind' }),
    status: z.int().meta({ description: 'The HTTP status' }),
    detail: z.string().optional().meta({ description: 'What is particular about this occurrence' }),
    instance: z.string().meta({ description: 'The id of the request; the log has the same' }),
    errors: z
      .array(z.object({ pointer: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'Each value that breaks a rule, by its JSON pointer (RFC 6901)' }),
  })
  .meta({ description: 'RFC 9457 problem details' });

/** The body of a problem as text. `requestId` is what the log has for the same request. */
export function problemText(kind: ProblemKind, requestId: string, facts: ProblemFacts = {}): string {
  const { status, title } = PROBLEMS[kind];
  return JSON.stringify({
    type: `urn:sallyport:problem:${kind}`,
    title,
    status,
    detail: facts.detail,
    instance: `urn:uuid:${requestId}`,
    errors: facts.errors,
    ...facts.members,
  });
}

/** Answers with a problem. The text is made here, so that no route's response schema comes between. */
export function sendProblem<R extends FastifyReply>(reply: R, kind: ProblemKind, facts: ProblemFacts = {}): R {
  if (facts.retryAfter !== undefined) reply.header('retry-after', String(facts.retryAfter));
  reply
    .code(PROBLEMS[kind].status)
    .type(PROBLEM_TYPE)
    .send(problemText(kind, reply.request.id, facts));
  return reply;
}
