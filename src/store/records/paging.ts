/** Parts of lists. A cursor is the place after the last item, so that what is added or deleted meanwhile shifts nothing. */
import { z } from 'zod';
import type { Page, Paging } from '../record-store.js';

const LIMIT = { least: 1, most: 500, usual: 50 } as const;

/** How many items a part holds. */
export const limitOf = ({ limit }: Paging): number =>
  limit === undefined || Number.isNaN(limit)
    ? LIMIT.usual
    : Math.min(LIMIT.most, Math.max(LIMIT.least, Math.trunc(limit)));

const cursorSchema = z.array(z.union([z.string(), z.number()])).max(4);
export type Cursor = readonly (string | number)[];

/** What a cursor says: null where there is none yet, undefined where it is none of ours. */
export function readCursor(text: string | undefined): Cursor | null | undefined {
  if (text === undefined || text === '') return null;
  try {
    const parsed = cursorSchema.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined; // JSON.parse has no other way to say that this is no JSON.
  }
}

/** A part from one item more than `limit`, read to see whether there is a next. */
export function page<T>(items: readonly T[], limit: number, place: (item: T) => Cursor): Page<T> {
  const shown = items.slice(0, limit);
  const last = shown.at(-1);
  const more = items.length > limit && last !== undefined;
  return { items: shown, nextCursor: more ? Buffer.from(JSON.stringify(place(last))).toString('base64url') : null };
}
