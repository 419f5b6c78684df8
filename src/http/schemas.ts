/** The parts that the schemas of many routes share: ids in paths, filters in queries, pages of lists. */
import { z } from 'zod';
import { isId } from '../records/values.js';

/** An id in a path. What has not the form of one names nothing: 404, not 422. */
export const pathId = z.string().refine(isId, 'is not an id').meta({ format: 'uuid', description: 'UUIDv7' });

/** `/{id}` */
export const byId = z.object({ id: pathId });

/** What a filter compares with: as long as the longest name, and without U+0000, which no database compares. */
export const filter = z
  .string()
  .max(255, 'at most 255 characters')
  .refine((text) => !text.includes('\0'), 'must not contain U+0000');

/** `true` or `false`. */
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** HTTP-2: 1 to 500, 50 where not given. */
const LIST_LIMITS = { most: 500, usual: 50 } as const;

/** `limit` and `cursor` of every list. */
export const paging = {
  // Coerced from the text of the query.
  limit: z.coerce
    .number({ error: 'must be a whole number' })
    .int('must be a whole number')
    .min(1, 'at least 1')
    .max(LIST_LIMITS.most, `at most ${LIST_LIMITS.most}`)
    .optional()
    .meta({ description: `How many at most; ${LIST_LIMITS.usual} where not given` }),
  cursor: z
    .string()
    .max(2048, 'is longer than any of ours')
    .optional()
    .meta({ description: '`nextCursor` of the page before; opaque' }),
};

/** The filters of lists by name. */
export const nameQuery = z.strictObject({
  ...paging,
  name: filter.optional().meta({ description: 'Exactly this name, whatever the case' }),
  query: filter.optional().meta({ description: 'A part of the name' }),
});
export const activeNameQuery = nameQuery.extend({ active: flag.optional() });

/** A page: `nextCursor` is null on the last one. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

/** A date or a date-time as milliseconds since the epoch. */
export const moment = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], { error: 'is not a date or date-time of RFC 3339' })
  .transform((text) => Date.parse(text));

/** For changes of a record. */
export const ifMatchHeader = z.object({
  'if-match': z.string().optional().meta({ description: 'The ETag that the change starts from; another one now: 412' }),
});

/** For reads of a record. */
export const ifNoneMatchHeader = z.object({
  'if-none-match': z.string().optional().meta({ description: 'The ETag that the reader has; the same now: 304' }),
});
