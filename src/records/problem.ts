/** What can be wrong with a change of a record, and where: a JSON pointer (RFC 6901) into the body or file. */
import type { z } from 'zod';

/** One thing that is wrong. */
export interface FieldError {
  /** RFC 6901, from the record's own top; empty for the record as a whole. */
  readonly pointer: string;
  readonly message: string;
}

/** Why a change was not made. Nothing was written. */
export type RecordProblem =
  | { readonly kind: 'invalid'; readonly errors: readonly FieldError[] }
  /** The value is taken, or the record is in use: `with` names by whom (`user alice`, `radius client edge`). */
  | { readonly kind: 'conflict'; readonly pointer: string; readonly message: string; readonly with: string }
  | { readonly kind: 'notFound' }
  /** If-Match named another revision than the present one. */
  | { readonly kind: 'stale'; readonly revision: number }
  /** The plan's limit of `which` is reached. */
  | { readonly kind: 'limit'; readonly which: 'users' | 'tokens' | 'resources'; readonly limit: number }
  /** The cursor of a list is none of ours. */
  | { readonly kind: 'badCursor' };

export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: RecordProblem };

export const done = <T>(value: T): Result<T> => ({ ok: true, value });
export const failed = (problem: RecordProblem): { readonly ok: false; readonly problem: RecordProblem } => ({
  ok: false,
  problem,
});

/** A JSON pointer from path segments, escaped by RFC 6901 §3. */
export const pointer = (...segments: readonly (string | number | symbol)[]): string =>
  segments.map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** zod's issues as ours: one entry a mistake, an unknown key pointed at by itself. */
export function fieldErrors(error: z.core.$ZodError): FieldError[] {
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ pointer: pointer(...issue.path, key), message: 'no such field' }))
      : [{ pointer: pointer(...issue.path), message: issue.message }],
  );
}
