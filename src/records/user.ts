/** Users: who signs in. */
import { z } from 'zod';
import { tokenRecord, tokensOfUser } from './token.js';
import {
  displayName,
  email,
  LIMITS,
  list,
  login,
  nameKey,
  password,
  passwordHash,
  phone,
  recordHead,
  references,
} from './values.js';

const fields = {
  aliases: list(login, LIMITS.aliases, nameKey).nullish(),
  displayName: displayName.nullish(),
  email: email.nullish(),
  phone: phone.nullish(),
  password: password.nullish(),
  passwordHash: passwordHash.nullish(),
  active: z.boolean().nullish(),
  groups: references(LIMITS.groupsOfUser).nullish(),
  resources: references(LIMITS.resourcesOfUser).nullish(),
  tokens: tokensOfUser.nullish(),
};

function passwordOnce(
  user: { password?: string | null | undefined; passwordHash?: string | null | undefined },
  context: z.RefinementCtx,
) {
  if (typeof user.password === 'string' && typeof user.passwordHash === 'string')
    context.addIssue({ code: 'custom', path: ['passwordHash'], message: 'give either password or passwordHash' });
}

/** `POST /users`, and `users` of a records file (there a patch of the user with that login, where one is). */
export const userCreate = z.strictObject({ login, ...fields }).superRefine(passwordOnce);
export type UserCreate = z.output<typeof userCreate>;

/** A merge patch (RFC 7396): null clears, or restores the default; a list is the whole list. */
export const userPatch = z.strictObject({ login: login.optional(), ...fields }).superRefine(passwordOnce);
export type UserPatch = z.output<typeof userPatch>;

/** A user as the API shows it: groups and resources (the direct ones) by name. */
export const userRecord = z.object({
  ...recordHead,
  login: z.string(),
  aliases: z.array(z.string()),
  displayName: z.string().nullable(),
  email: z.string().nullable(),
  phone: z.string().nullable(),
  hasPassword: z.boolean(),
  active: z.boolean(),
  groups: z.array(z.string()),
  resources: z.array(z.string()),
  tokens: z.array(tokenRecord),
});
export type UserRecord = z.output<typeof userRecord>;
