/**
 * The five routes that every kind of record has. A kind brings its schemas and its part of the store; the schema that
 * validates a body is the one that types it and the one that the OpenAPI document shows.
 */
import type { RouteOptions } from 'fastify';
import { z } from 'zod';
import type { Kind, Paging } from '../../store/record-store.js';
import { API, type App } from '../app.js';
import { valid, validPath } from '../errors.js';
import type { Permission } from '../permission.js';
import { actorOf, answer, answerCreated, answerDone, answerRecord, revisionFor } from '../results.js';
import { byId, ifMatchHeader, ifNoneMatchHeader, pageOf } from '../schemas.js';

/** What distinguishes one kind from another. */
export interface RecordKind<
  Shown extends z.ZodType<{ readonly id: string; readonly revision: number }>,
  Create extends z.ZodType,
  Patch extends z.ZodType,
  Query extends z.ZodType<Paging>,
> {
  /** The folder below the API, also the tag: `radius-clients`. */
  readonly folder: string;
  /** What one is called: `RADIUS client`; and its name in operation ids: `RadiusClient`. */
  readonly noun: string;
  readonly operation: string;
  readonly shown: Shown;
  readonly create: Create;
  readonly patch: Patch;
  readonly query: Query;
  readonly store: Kind<z.output<Shown>, z.output<Create>, z.output<Patch>, z.output<Query>>;
  /** Who may change them. */
  readonly change: Permission;
}

/** `GET POST /folder`, `GET PATCH DELETE /folder/{id}`. */
export function recordRoutes<
  Shown extends z.ZodType<{ readonly id: string; readonly revision: number }>,
  Create extends z.ZodType,
  Patch extends z.ZodType,
  Query extends z.ZodType<Paging>,
>(app: App, kind: RecordKind<Shown, Create, Patch, Query>): void {
  const { noun, operation, store } = kind;
  const folder = `${API}/${kind.folder}`;
  const tags = [kind.folder];
  // Named, so that Fastify does not infer an answer's type from schemas that are type parameters here.
  const route = (options: RouteOptions) => app.route(options);

  route({
    method: 'GET',
    url: folder,
    config: { permission: 'read' },
    schema: {
      tags,
      summary: `List ${noun}s`,
      operationId: `list${operation}s`,
      querystring: kind.query,
      response: { 200: pageOf(kind.shown) },
    },
    handler: (request, reply) => answer(reply, store.list(valid(kind.query, request.query))),
  });

  route({
    method: 'POST',
    url: folder,
    config: { permission: kind.change },
    schema: {
      tags,
      summary: `Create a ${noun}`,
      operationId: `create${operation}`,
      body: kind.create,
      response: { 201: kind.shown },
    },
    handler: (request, reply) =>
      answerCreated(reply, folder, store.create(valid(kind.create, request.body), actorOf(request))),
  });

  route({
    method: 'GET',
    url: `${folder}/:id`,
    config: { permission: 'read' },
    schema: {
      tags,
      summary: `Read a ${noun}`,
      operationId: `get${operation}`,
      params: byId,
      headers: ifNoneMatchHeader,
      response: { 200: kind.shown },
    },
    handler: (request, reply) => answerRecord(request, reply, store.get(validPath(byId, request.params).id)),
  });

  route({
    method: 'PATCH',
    url: `${folder}/:id`,
    config: { permission: kind.change },
    schema: {
      tags,
      summary: `Change a ${noun}`,
      description: 'A merge patch (RFC 7396): null clears or restores the default; a list is the whole list.',
      operationId: `update${operation}`,
      params: byId,
      headers: ifMatchHeader,
      body: kind.patch,
      response: { 200: kind.shown },
    },
    handler: async (request, reply) => {
      const { id } = validPath(byId, request.params);
      const patch = valid(kind.patch, request.body);
      const revision = await revisionFor(request, () => store.get(id));
      return answerRecord(request, reply, store.update(id, patch, actorOf(request), revision));
    },
  });

  route({
    method: 'DELETE',
    url: `${folder}/:id`,
    config: { permission: kind.change },
    schema: {
      tags,
      summary: `Delete a ${noun}`,
      operationId: `delete${operation}`,
      params: byId,
      headers: ifMatchHeader,
      response: { 204: z.undefined().meta({ description: 'Deleted' }) },
    },
    handler: async (request, reply) => {
      const { id } = validPath(byId, request.params);
      const revision = await revisionFor(request, () => store.get(id));
      return answerDone(reply, store.remove(id, actorOf(request), revision));
    },
  });
}
