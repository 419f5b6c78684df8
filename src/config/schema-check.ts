/** Checks a value against a schema and says what is wrong as (path, message) pairs, each with its own key where it can. */
import type { z } from 'zod';
import { issueText } from './issue-text.js';
import type { Path } from './problem.js';
import { knownKeys } from './schema-walk.js';
import { nearest } from './suggestion.js';

/** One thing that is wrong. `about` says whether the place to point at is the value or the key's name. */
export interface Finding {
  readonly path: Path;
  readonly about: 'value' | 'key';
  readonly message: string;
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** Parses `value`; on failure every finding, in the order in which the schema came upon them. */
export function checkAgainst<S extends z.ZodType>(schema: S, value: unknown): Checked<z.output<S>> {
  const result = schema.safeParse(value, { error: issueText });
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, findings: result.error.issues.flatMap((issue) => findingsOf(issue, [], schema)) };
}

function findingsOf(issue: z.core.$ZodIssue, base: Path, schema: z.ZodType): readonly Finding[] {
  const path = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, path);
    return issue.keys.map((key) => {
      const guess = nearest(key, known);
      const hint = guess !== null ? `did you mean ${guess}?` : known.length > 0 ? `there are: ${known.join(', ')}` : '';
      return { path: [...path, key], about: 'key', message: hint === '' ? 'no such key' : `no such key; ${hint}` };
    });
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const branch = meantBranch(issue.errors);
    if (branch !== null) return branch.flatMap((inner) => findingsOf(inner, path, schema));
    const wanted = issue.errors.flat().map((inner) => inner.message.replace(/^expected /, '').replace(/, got .*$/, ''));
    if (issue.message !== 'is missing' && wanted.length > 0) {
      return [{ path, about: 'value', message: `expected ${[...new Set(wanted)].join(' or ')}` }];
    }
  }
  return [{ path, about: 'value', message: issue.message }];
}

/** Of a union's alternatives the one that the writer meant: the right type at its top, and the least wrong below. */
function meantBranch(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | null {
  const fitting = branches.filter(
    (branch) =>
      !branch.some(
        (issue) => issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value'),
      ),
  );
  return fitting.reduce<readonly z.core.$ZodIssue[] | null>(
    (best, branch) => (best === null || branch.length < best.length ? branch : best),
    null,
  );
}
