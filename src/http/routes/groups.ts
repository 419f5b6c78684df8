/** `/groups`: users who share resources. */
import { groupCreate, groupPatch, groupRecord } from '../../records/group.js';
import type { RecordStore } from '../../store/record-store.js';
import type { App } from '../app.js';
import { nameQuery } from '../schemas.js';
import { linkRoutes } from './links.js';
import { recordRoutes } from './records.js';

/** The routes below `/groups`. */
export function groupRoutes(app: App, records: RecordStore): void {
  recordRoutes(app, {
    folder: 'groups',
    noun: 'group',
    operation: 'Group',
    shown: groupRecord.meta({ id: 'Group' }),
    create: groupCreate.meta({ id: 'GroupCreate', examples: [{ name: 'staff', resources: ['vpn'] }] }),
    patch: groupPatch.meta({ id: 'GroupPatch', examples: [{ resources: ['vpn', 'wiki'] }] }),
    query: nameQuery,
    store: records.groups,
    change: 'write',
  });
  linkRoutes(app, records.links.groupResource, {
    left: 'groups',
    leftNoun: 'group',
    right: 'resources',
    rightNoun: 'resource',
  });
}
