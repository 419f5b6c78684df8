/** `/users`: who signs in, with aliases, what is assigned, unlocking and what happened. */
import { z } from 'zod';
import { userCreate, userPatch, userRecord } from '../../records/user.js';
import { login } from '../../records/values.js';
import type { RecordStore } from '../../store/record-store.js';
import { API, type App } from '../app.js';
import { valid, validPath } from '../errors.js';
import { actorOf, answer, answerDone } from '../results.js';
import { byId, filter, flag, paging, pathId } from '../schemas.js';
import { eventFilters, eventPage } from './events.js';
import { linkRoutes } from './links.js';
import { recordRoutes } from './records.js';

const userQuery = z.strictObject({
  ...paging,
  login: filter.optional().meta({ description: 'Exactly this login or alias, whatever the case' }),
  query: filter.optional().meta({ description: 'A part of login, alias, display name or mail address' }),
  active: flag.optional(),
});
const aliasPath = z.object({ id: pathId, alias: login });
const { user: _, ...ownEventFilters } = eventFilters;
const userEventQuery = z.strictObject(ownEventFilters);

const create = userCreate.meta({
  id: 'UserCreate',
  examples: [
    { login: 'alice', aliases: ['asmith'], email: 'alice@example.org', resources: ['vpn'], tokens: [{ type: 'totp' }] },
  ],
});
const patch = userPatch.meta({ id: 'UserPatch', examples: [{ active: false }] });
const shown = userRecord.meta({ id: 'User' });
const nothing = { 204: z.undefined().meta({ description: 'So it is now' }) };

/** The routes below `/users`. */
export function userRoutes(app: App, records: RecordStore): void {
  recordRoutes(app, {
    folder: 'users',
    noun: 'user',
    operation: 'User',
    shown,
    create,
    patch,
    query: userQuery,
    store: records.users,
    change: 'write',
  });
  const names = { left: 'users', leftNoun: 'user' };
  linkRoutes(app, records.links.userResource, { ...names, right: 'resources', rightNoun: 'resource' });
  linkRoutes(app, records.links.userToken, { ...names, right: 'tokens', rightNoun: 'token' });
  linkRoutes(app, records.links.userGroup, { ...names, right: 'groups', rightNoun: 'group' });

  app.route({
    method: 'PUT',
    url: `${API}/users/:id/aliases/:alias`,
    config: { permission: 'write' },
    schema: {
      tags: ['users'],
      summary: 'Give a user an alias',
      operationId: 'putAlias',
      params: aliasPath,
      response: nothing,
    },
    handler: (request, reply) => {
      const { id, alias } = validPath(aliasPath, request.params);
      return answerDone(reply, records.users.putAlias(id, alias, actorOf(request)));
    },
  });
  app.route({
    method: 'DELETE',
    url: `${API}/users/:id/aliases/:alias`,
    config: { permission: 'write' },
    schema: {
      tags: ['users'],
      summary: 'Take an alias away',
      operationId: 'deleteAlias',
      params: aliasPath,
      response: nothing,
    },
    handler: (request, reply) => {
      const { id, alias } = validPath(aliasPath, request.params);
      return answerDone(reply, records.users.removeAlias(id, alias, actorOf(request)));
    },
  });
  app.route({
    method: 'POST',
    url: `${API}/users/:id/unlock`,
    config: { permission: 'support' },
    schema: {
      tags: ['users'],
      summary: 'Forget the failures that were counted for a user',
      operationId: 'unlockUser',
      params: byId,
      response: nothing,
    },
    handler: (request, reply) => {
      const { id } = validPath(byId, request.params);
      return answerDone(reply, records.users.unlock(id, actorOf(request)));
    },
  });
  app.route({
    method: 'GET',
    url: `${API}/users/:id/events`,
    config: { permission: 'read' },
    schema: {
      tags: ['users'],
      summary: 'What a user did, and what was done to it',
      operationId: 'listUserEvents',
      params: byId,
      querystring: userEventQuery,
      response: { 200: eventPage },
    },
    handler: (request, reply) => {
      const { id } = validPath(byId, request.params);
      return answer(reply, records.users.events(id, valid(userEventQuery, request.query)));
    },
  });
}
