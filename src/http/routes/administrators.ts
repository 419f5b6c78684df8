/** `/administrators`: who may use the console. Only an owner changes them. */
import { administratorCreate, administratorPatch, administratorRecord } from '../../records/administrator.js';
import type { RecordStore } from '../../store/record-store.js';
import type { App } from '../app.js';
import { activeNameQuery } from '../schemas.js';
import { recordRoutes } from './records.js';

/** The routes below `/administrators`. */
export function administratorRoutes(app: App, records: RecordStore): void {
  recordRoutes(app, {
    folder: 'administrators',
    noun: 'administrator',
    operation: 'Administrator',
    shown: administratorRecord.meta({ id: 'Administrator' }),
    create: administratorCreate.meta({
      id: 'AdministratorCreate',
      examples: [{ login: 'jane', password: 'correct horse battery', role: 'helpdesk' }],
    }),
    patch: administratorPatch.meta({ id: 'AdministratorPatch', examples: [{ role: 'auditor' }] }),
    query: activeNameQuery,
    store: records.administrators,
    change: 'own',
  });
}
