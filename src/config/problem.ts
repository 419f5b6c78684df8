/**
 * What is wrong in a file that a person wrote, with the place to mend it. All problems are shown at once:
 *
 *   sallyport.yaml:7:12  radius.listen[0]: "0.0.0.0:18l2" is not address:port
 *   sallyport.yaml:9:3   ldap.basedn: no such key; did you mean baseDn?
 *   2 errors, nothing was started
 */

/** Where a problem is: a place in a file, a file as a whole, or an environment variable. Lines and columns count from 1. */
export type Where =
  | { readonly kind: 'place'; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'variable'; readonly name: string };

export interface Problem {
  readonly where: Where;
  /** The key as `radius.listen[0]`; empty for the file as a whole. */
  readonly key: string;
  /** What is wrong and, where that is known, what would be right. Never a secret's value. */
  readonly message: string;
}

/** A path into a document: names of keys and indices of lists. */
export type Path = readonly PropertyKey[];

/** Beyond this many lines nobody reads on; the total is still told. */
const PROBLEMS_SHOWN = 200;

const PLAIN_KEY = /^[A-Za-z_][\w-]*$/;

/** A path as people write it: `radius.listen[0]`, `replyAttributes["Cisco AVPair"]`. */
export function keyText(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (PLAIN_KEY.test(String(part))) text += text === '' ? String(part) : `.${String(part)}`;
    else text += `[${JSON.stringify(String(part))}]`;
  }
  return text;
}

/** Every problem on a line of its own, in columns, and the count with `consequence` ("nothing was started") as the last line. */
export function formatProblems(problems: readonly Problem[], consequence: string): string {
  const shown = problems.slice(0, PROBLEMS_SHOWN);
  const places = shown.map((problem) => whereText(problem.where));
  const width = Math.max(...places.map((place) => place.length));
  const lines = shown.map((problem, i) => {
    const key = problem.key === '' ? '' : `${problem.key}: `;
    return `${(places[i] ?? '').padEnd(width)}  ${key}${problem.message}`;
  });
  if (problems.length > shown.length) lines.push(`… and ${problems.length - shown.length} more`);
  lines.push(`${problems.length} ${problems.length === 1 ? 'error' : 'errors'}, ${consequence}`);
  return lines.join('\n');
}

/** `file:line:column`, `file`, or the variable's name. */
export function whereText(where: Where): string {
  switch (where.kind) {
    case 'place':
      return `${where.file}:${where.line}:${where.column}`;
    case 'file':
      return where.file;
    default:
      return where.name;
  }
}
