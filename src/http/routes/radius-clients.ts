/** `/radius-clients`: each NAS, its address and the resource that it guards. Its secret is never shown. */
import { radiusClientCreate, radiusClientPatch, radiusClientRecord } from '../../records/radius-client.js';
import type { RecordStore } from '../../store/record-store.js';
import type { App } from '../app.js';
import { activeNameQuery } from '../schemas.js';
import { recordRoutes } from './records.js';

/** The routes below `/radius-clients`. */
export function radiusClientRoutes(app: App, records: RecordStore): void {
  recordRoutes(app, {
    folder: 'radius-clients',
    noun: 'RADIUS client',
    operation: 'RadiusClient',
    shown: radiusClientRecord.meta({ id: 'RadiusClient' }),
    create: radiusClientCreate.meta({
      id: 'RadiusClientCreate',
      examples: [{ name: 'edge', address: '192.0.2.1', secret: 'a long random text', resource: 'vpn' }],
    }),
    patch: radiusClientPatch.meta({ id: 'RadiusClientPatch', examples: [{ requireMessageAuthenticator: 'yes' }] }),
    query: activeNameQuery,
    store: records.radiusClients,
    change: 'write',
  });
}
