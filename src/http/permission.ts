/** Who may do what: every route names one permission, and this table says which roles have it. */

import type { Role } from '../records/administrator.js';

/** `open` needs no key at all. */
export type Permission = 'open' | 'read' | 'support' | 'write' | 'own' | 'authenticate';

const HOLDERS: Readonly<Record<Exclude<Permission, 'open'>, readonly Role[]>> = {
  // Records and events, never a secret.
  read: ['auditor', 'helpdesk', 'admin', 'owner'],
  // What gets a user in again and hands nobody a secret: unlocking.
  support: ['helpdesk', 'admin', 'owner'],
  write: ['admin', 'owner'],
  // Who hands out keys or makes administrators could hand out the owner's power, so only the owner does.
  own: ['owner'],
  // Admins could make a user and a token for themselves; refusing them this would only cost a detour.
  authenticate: ['application', 'admin', 'owner'],
};

/** True where a caller of `role` has `permission`. */
export function mayDo(role: Role, permission: Permission): boolean {
  return permission === 'open' || HOLDERS[permission].includes(role);
}
