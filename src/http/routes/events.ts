/** `/events`: the log, newest first. */
import { z } from 'zod';
import { eventRecord, OUTCOMES } from '../../records/event.js';
import type { RecordStore } from '../../store/record-store.js';
import { API, type App } from '../app.js';
import { valid, validPath } from '../errors.js';
import { answer } from '../results.js';
import { byId, filter, moment, pageOf, paging } from '../schemas.js';

/** The filters of a list of events. */
export const eventFilters = {
  ...paging,
  user: filter.optional().meta({ description: 'Id, login or alias; what names nobody finds the events that carry it' }),
  resource: filter.optional(),
  client: filter.optional().meta({ description: 'RADIUS client, LDAP application or API key' }),
  outcome: z.enum(OUTCOMES).optional(),
  reason: filter.optional(),
  kind: filter.optional(),
  from: moment.optional().meta({ description: 'The earliest time, inclusive' }),
  to: moment.optional().meta({ description: 'The latest time, exclusive' }),
  query: filter.optional().meta({ description: 'A part of login, resource, client, source, reason or author' }),
};
const eventQuery = z.strictObject(eventFilters);
const shown = eventRecord.meta({ id: 'Event' });

/** A page of events. */
export const eventPage = pageOf(shown);

/** The routes below `/events`. */
export function eventRoutes(app: App, records: RecordStore): void {
  app.route({
    method: 'GET',
    url: `${API}/events`,
    config: { permission: 'read' },
    schema: {
      tags: ['events'],
      summary: 'List events, newest first',
      operationId: 'listEvents',
      querystring: eventQuery,
      response: { 200: eventPage },
    },
    handler: (request, reply) => answer(reply, records.events.list(valid(eventQuery, request.query))),
  });
  app.route({
    method: 'GET',
    url: `${API}/events/:id`,
    config: { permission: 'read' },
    schema: {
      tags: ['events'],
      summary: 'Read an event',
      operationId: 'getEvent',
      params: byId,
      response: { 200: shown },
    },
    handler: (request, reply) => answer(reply, records.events.get(validPath(byId, request.params).id)),
  });
}
