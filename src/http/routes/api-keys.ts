/** `/api-keys`: who may use this API. The answer to a POST alone has the key. Only an owner makes and revokes them. */
import { z } from 'zod';
import { apiKeyCreate, apiKeyRecord } from '../../records/administrator.js';
import type { RecordStore } from '../../store/record-store.js';
import { API, type App } from '../app.js';
import { valid, validPath } from '../errors.js';
import { actorOf, answer, answerCreated, answerDone } from '../results.js';
import { byId, nameQuery, pageOf } from '../schemas.js';

const folder = `${API}/api-keys`;
const tags = ['api-keys'];
const shown = apiKeyRecord.meta({ id: 'ApiKey' });
const create = apiKeyCreate.meta({
  id: 'ApiKeyCreate',
  examples: [{ name: 'shop', role: 'application', resources: ['shop'] }],
});

/** The routes below `/api-keys`. `revoked` is called once a key has stopped working. */
export function apiKeyRoutes(app: App, records: RecordStore, revoked: () => void): void {
  app.route({
    method: 'GET',
    url: folder,
    config: { permission: 'read' },
    schema: {
      tags,
      summary: 'List API keys, without the keys themselves',
      operationId: 'listApiKeys',
      querystring: nameQuery,
      response: { 200: pageOf(shown) },
    },
    handler: (request, reply) => answer(reply, records.apiKeys.list(valid(nameQuery, request.query))),
  });
  app.route({
    method: 'POST',
    url: folder,
    config: { permission: 'own' },
    schema: {
      tags,
      summary: 'Create an API key; `key` is in this answer and in no other',
      operationId: 'createApiKey',
      body: create,
      response: { 201: shown },
    },
    handler: (request, reply) =>
      answerCreated(reply, folder, records.apiKeys.create(valid(create, request.body), actorOf(request))),
  });
  app.route({
    method: 'GET',
    url: `${folder}/:id`,
    config: { permission: 'read' },
    schema: { tags, summary: 'Read an API key', operationId: 'getApiKey', params: byId, response: { 200: shown } },
    handler: (request, reply) => answer(reply, records.apiKeys.get(validPath(byId, request.params).id)),
  });
  app.route({
    method: 'DELETE',
    url: `${folder}/:id`,
    config: { permission: 'own' },
    schema: {
      tags,
      summary: 'Revoke an API key: it stops working at once and stays in the list',
      operationId: 'deleteApiKey',
      params: byId,
      response: { 204: z.undefined().meta({ description: 'Revoked' }) },
    },
    handler: (request, reply) => {
      const { id } = validPath(byId, request.params);
      return answerDone(reply, records.apiKeys.revoke(id, actorOf(request)).finally(revoked));
    },
  });
}
