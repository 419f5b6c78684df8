/** What the record store answers, as HTTP: records with their tags, or the problem that kept a change from being made. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { unreachable } from '../base/unreachable.js';
import type { RecordProblem, Result } from '../records/problem.js';
import type { Actor } from '../store/actor.js';
import { callerOf } from './app.js';
import { alreadyHas, entityTag, ifMatch } from './entity-tag.js';
import { fromStore } from './errors.js';
import { sendProblem } from './problems.js';

/** Who changes records, for the events that say so. */
export function actorOf(request: FastifyRequest): Actor {
  return { name: `api-key:${callerOf(request).name}`, source: request.peer };
}

/** A problem of the store as one of HTTP. */
export function sendRecordProblem<R extends FastifyReply>(reply: R, problem: RecordProblem): R {
  switch (problem.kind) {
    case 'invalid':
      return sendProblem(reply, 'invalid', { errors: problem.errors });
    case 'conflict':
      return sendProblem(reply, 'conflict', {
        detail: `Conflicts with ${problem.with}.`,
        errors: [{ pointer: problem.pointer, message: problem.message }],
        members: { with: problem.with },
      });
    case 'notFound':
      return sendProblem(reply, 'not_found');
    case 'stale':
      return sendProblem(reply, 'precondition_failed', { members: { revision: problem.revision } });
    case 'limit':
      return sendProblem(reply, 'plan_limit_reached', {
        detail: `The plan allows ${problem.limit} ${problem.which}. Raise plan.${problem.which} in the configuration, or delete some.`,
        members: { which: problem.which, limit: problem.limit },
      });
    case 'badCursor':
      return sendProblem(reply, 'bad_cursor');
    default:
      return unreachable(problem);
  }
}

/** 200 with what was found or changed, and its tag; 304 to a reader that has it. */
export async function answerRecord<T extends { readonly revision: number }, R extends FastifyReply>(
  request: FastifyRequest,
  reply: R,
  asked: Promise<Result<T>>,
): Promise<R> {
  const result = await fromStore(asked);
  if (!result.ok) return sendRecordProblem(reply, result.problem);
  const tag = entityTag(result.value);
  reply.header('etag', tag);
  const reading = request.method === 'GET' || request.method === 'HEAD';
  if (reading && alreadyHas(request.headers['if-none-match'], tag)) reply.code(304).send();
  else reply.send(result.value);
  return reply;
}

/** 200 with whatever has no revision: a page of a list, an event. */
export async function answer<T, R extends FastifyReply>(reply: R, asked: Promise<Result<T>>): Promise<R> {
  const result = await fromStore(asked);
  if (!result.ok) return sendRecordProblem(reply, result.problem);
  reply.send(result.value);
  return reply;
}

/** 201 with the new record and its place, `folder/<id>`. */
export async function answerCreated<
  T extends { readonly id: string; readonly revision?: number },
  R extends FastifyReply,
>(reply: R, folder: string, asked: Promise<Result<T>>): Promise<R> {
  const result = await fromStore(asked);
  if (!result.ok) return sendRecordProblem(reply, result.problem);
  const { revision } = result.value;
  if (revision !== undefined) reply.header('etag', entityTag({ ...result.value, revision }));
  reply.code(201).header('location', `${folder}/${result.value.id}`).send(result.value);
  return reply;
}

/** 204, or the problem. */
export async function answerDone<R extends FastifyReply>(reply: R, asked: Promise<Result<null>>): Promise<R> {
  const result = await fromStore(asked);
  if (!result.ok) return sendRecordProblem(reply, result.problem);
  reply.code(204).send();
  return reply;
}

/** No record has it: the store answers `stale`, or `notFound`. */
const NO_REVISION = -1;

/** The one revision that a change may start from, of those that If-Match names; null: any. `get` reads the record. */
export async function revisionFor(
  request: FastifyRequest,
  get: () => Promise<Result<{ readonly revision: number }>>,
): Promise<number | null> {
  const revisions = ifMatch(request.headers['if-match']);
  if (revisions === null) return null;
  const [first, ...more] = revisions;
  if (more.length === 0) return first ?? NO_REVISION;
  const present = await fromStore(get());
  return present.ok && revisions.includes(present.value.revision) ? present.value.revision : NO_REVISION;
}
