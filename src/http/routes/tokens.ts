/** `/tokens`: OTP generators, in stock or of a user. The answer to a POST alone has `secret` and `otpauthUri`. */
import { z } from 'zod';
import { tokenCreate, tokenPatch, tokenRecord, tokenType } from '../../records/token.js';
import type { RecordStore } from '../../store/record-store.js';
import type { App } from '../app.js';
import { filter, flag, paging } from '../schemas.js';
import { linkRoutes } from './links.js';
import { recordRoutes } from './records.js';

const tokenQuery = z.strictObject({
  ...paging,
  user: filter.optional().meta({ description: 'Id, login or alias' }),
  serial: filter.optional(),
  query: filter.optional().meta({ description: 'A part of serial or name' }),
  type: tokenType.optional(),
  inStock: flag.optional(),
  active: flag.optional(),
});

/** The routes below `/tokens`. */
export function tokenRoutes(app: App, records: RecordStore): void {
  recordRoutes(app, {
    folder: 'tokens',
    noun: 'token',
    operation: 'Token',
    shown: tokenRecord.meta({ id: 'Token' }),
    create: tokenCreate.meta({ id: 'TokenCreate', examples: [{ type: 'totp', user: 'alice', name: 'phone' }] }),
    patch: tokenPatch.meta({ id: 'TokenPatch', examples: [{ active: false }] }),
    query: tokenQuery,
    store: records.tokens,
    change: 'write',
  });
  linkRoutes(app, records.links.tokenResource, {
    left: 'tokens',
    leftNoun: 'token',
    right: 'resources',
    rightNoun: 'resource',
  });
}
