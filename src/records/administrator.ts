/** Who may use console and API: administrators by password, programs by API key. */
import { z } from 'zod';
import { id, LIMITS, login, name, password, recordHead, references, time } from './values.js';

export const ADMINISTRATOR_ROLES = ['owner', 'admin', 'helpdesk', 'auditor'] as const;
/** `application` may ask for decisions on its resources, and nothing else. */
export const API_KEY_ROLES = [...ADMINISTRATOR_ROLES, 'application'] as const;
export type Role = (typeof API_KEY_ROLES)[number];

/** `POST /administrators`. */
export const administratorCreate = z.strictObject({
  login,
  password,
  role: z.enum(ADMINISTRATOR_ROLES),
  active: z.boolean().nullish(),
});
export type AdministratorCreate = z.output<typeof administratorCreate>;
export const administratorPatch = z.strictObject({
  login: login.optional(),
  password: password.optional(),
  role: z.enum(ADMINISTRATOR_ROLES).optional(),
  active: z.boolean().nullish(),
});
export type AdministratorPatch = z.output<typeof administratorPatch>;

export const administratorRecord = z.object({
  ...recordHead,
  login: z.string(),
  role: z.enum(ADMINISTRATOR_ROLES),
  active: z.boolean(),
});
export type AdministratorRecord = z.output<typeof administratorRecord>;

/** `POST /api-keys`. A key of role `application` is tied to resources; others are not. */
export const apiKeyCreate = z
  .strictObject({ name, role: z.enum(API_KEY_ROLES), resources: references(LIMITS.resourcesOfUser).nullish() })
  .superRefine((key, context) => {
    const tied = (key.resources ?? []).length > 0;
    if (tied === (key.role === 'application')) return;
    const message = tied
      ? 'only a key of role application is tied to resources'
      : 'a key of role application needs resources';
    context.addIssue({ code: 'custom', path: ['resources'], message });
  });
export type ApiKeyCreate = z.output<typeof apiKeyCreate>;

/** A key as the API shows it. `key` is there once, in the answer to its creation. */
export const apiKeyRecord = z.object({
  id,
  name: z.string(),
  role: z.enum(API_KEY_ROLES),
  resources: z.array(z.string()),
  createdAt: time,
  lastUsedAt: time.nullable(),
  revokedAt: time.nullable(),
  key: z.string().optional(),
});
export type ApiKeyRecord = z.output<typeof apiKeyRecord>;
