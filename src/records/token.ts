/** Tokens: what makes one-time passwords. Its seed (type, secret, algorithm, digits, period) never changes; another seed is another token. */
import { z } from 'zod';
import { LIMITS, list, nameKey, recordHead, reference, references, serial, text, time, tokenSecret } from './values.js';

export const TOKEN_TYPES = ['totp', 'hotp'] as const;
export const ALGORITHMS = ['SHA1', 'SHA256', 'SHA512'] as const;
/** What a token has where nobody says otherwise: what every authenticator app understands. */
export const TOKEN_DEFAULTS = { algorithm: 'SHA1', digits: 6, period: 30, counter: 0 } as const;

export const tokenType = z.enum(TOKEN_TYPES);
export const algorithm = z.enum(ALGORITHMS);
export const digits = z.union([z.literal(6), z.literal(7), z.literal(8)], { error: 'must be 6, 7 or 8' });
/** Seconds. */
export const period = z
  .int('must be a whole number of seconds')
  .min(15, 'at least 15 seconds')
  .max(120, 'at most 120 seconds');
/** Half of what a double holds exactly, so that a floor one above it is exact too. */
export const counter = z
  .int('must be a whole number')
  .min(0, 'must not be negative')
  .max(2 ** 52, 'at most 2^52');

/** What may be changed of a token that is there. */
const changeable = {
  serial: serial.nullish(),
  name: text(LIMITS.name, (value) => (value === '' ? 'must not be empty' : null)).nullish(),
  active: z.boolean().nullish(),
  /** The only resources that it opens; none named: every one that its user may enter. */
  resources: references(LIMITS.resourcesOfUser).nullish(),
};

const seed = {
  type: tokenType,
  /** Base32; without it one of 160 bit is made. */
  secret: tokenSecret.nullish(),
  algorithm: algorithm.nullish(),
  digits: digits.nullish(),
  /** TOTP only; seconds. */
  period: period.nullish(),
  /** HOTP only; counts at creation and never again. */
  counter: counter.nullish(),
};

/** Either moving factor has its own field; the other's is a mistake. */
function seedFits(
  token: { type: string; period?: number | null | undefined; counter?: number | null | undefined },
  context: z.RefinementCtx,
) {
  const foreign = token.type === 'totp' ? 'counter' : 'period';
  if (typeof token[foreign] === 'number')
    context.addIssue({ code: 'custom', path: [foreign], message: `a ${token.type} token has no ${foreign}` });
}

/** A token inside its user. */
export const tokenOfUser = z.strictObject({ ...seed, ...changeable }).superRefine(seedFits);
export type TokenOfUser = z.output<typeof tokenOfUser>;

/** `POST /tokens`, and `tokens` of a records file. Without a user it is in stock. */
export const tokenCreate = z.strictObject({ ...seed, ...changeable, user: reference.nullish() }).superRefine(seedFits);
export type TokenCreate = z.output<typeof tokenCreate>;

/** `user: null` returns it to stock. */
export const tokenPatch = z.strictObject({ ...changeable, user: reference.nullish() });
export type TokenPatch = z.output<typeof tokenPatch>;

/** The tokens of a user, as a whole list. */
export const tokensOfUser = list(tokenOfUser, LIMITS.tokensOfUser, (token, i) => {
  if (typeof token.serial === 'string') return `serial ${token.serial}`;
  if (typeof token.name === 'string') return `name ${nameKey(token.name)}`;
  return `secret ${token.secret ?? i}`;
});

/** A token as the API shows it. `secret` (Base32) and `otpauthUri` are there once, in the answer to its creation. */
export const tokenRecord = z.object({
  ...recordHead,
  type: tokenType,
  serial: z.string().nullable(),
  name: z.string().nullable(),
  algorithm,
  digits: z.number(),
  period: z.number(),
  active: z.boolean(),
  hardware: z.boolean(),
  user: z.string().nullable(),
  userId: z.string().nullable(),
  resources: z.array(z.string()),
  usedAt: time.nullable(),
  secret: z.string().optional(),
  otpauthUri: z.string().optional(),
});
export type TokenRecord = z.output<typeof tokenRecord>;
