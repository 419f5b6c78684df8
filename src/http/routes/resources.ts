/** `/resources`: what is entered, and the policy for entering it. */
import { resourceCreate, resourcePatch, resourceRecord } from '../../records/resource.js';
import type { RecordStore } from '../../store/record-store.js';
import type { App } from '../app.js';
import { activeNameQuery } from '../schemas.js';
import { recordRoutes } from './records.js';

/** The routes below `/resources`. */
export function resourceRoutes(app: App, records: RecordStore): void {
  recordRoutes(app, {
    folder: 'resources',
    noun: 'resource',
    operation: 'Resource',
    shown: resourceRecord.meta({ id: 'Resource' }),
    create: resourceCreate.meta({
      id: 'ResourceCreate',
      examples: [{ name: 'vpn', firstFactor: 'none', lockout: { failures: 10, window: '15m', duration: '15m' } }],
    }),
    patch: resourcePatch.meta({ id: 'ResourcePatch', examples: [{ sourceNetworks: ['192.0.2.0/24'] }] }),
    query: activeNameQuery,
    store: records.resources,
    change: 'write',
  });
}
