/**
 * YAML files (sallyport.yaml, records files) as checked values. Whatever is wrong is told with file, line, column and key,
 * all of it at once. YAML 1.2 core schema by the `yaml` package, whose nodes keep their offsets; JSON is YAML too.
 */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLError,
} from 'yaml';
import type { z } from 'zod';
import { keyText, type Path, type Problem, type Where } from './problem.js';
import { checkAgainst, type Finding } from './schema-check.js';

/** What a file may cost before anything in it was checked. */
export const YAML_LIMITS = {
  octets: 64 * 1024 * 1024, // a record of a user with two tokens is about 300 octets; larger estates are `import`ed
  aliases: 100, // each may repeat all that its anchor holds; `yaml`'s own default against "billion laughs"
} as const;

/** A file that was read as YAML, not yet checked against a schema. */
export interface YamlSource {
  /** The plain value; `{}` for an empty file. */
  readonly root: unknown;
  /** A problem with the value (or the key's name) at `path`; points at the nearest thing above where nothing stands there. */
  problem(path: Path, message: string, about?: 'value' | 'key'): Problem;
}

/** Where the parser's own words are about programs, not about files. */
const SYNTAX_MESSAGES: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'holds more than one YAML document',
  RESOURCE_EXHAUSTION: 'is nested too deeply',
};

export type YamlRead =
  | { readonly ok: true; readonly source: YamlSource }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export type YamlParsed<T> =
  | { readonly ok: true; readonly value: T; readonly source: YamlSource }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Reads `text` and checks it against `schema`. `fileName` is what problems show. With the value comes the source, for what
 * a schema cannot see (a name that refers to nothing): `source.problem(['users', 0, 'resources', 1], 'no such resource')`.
 */
export function parseYamlFile<S extends z.ZodType>(text: string, fileName: string, schema: S): YamlParsed<z.output<S>> {
  const read = readYaml(text, fileName);
  if (!read.ok) return read;
  const { source } = read;
  const checked = checkAgainst(schema, source.root);
  if (checked.ok) return { ok: true, value: checked.value, source };
  return { ok: false, problems: inOrder(checked.findings.map((finding) => findingProblem(source, finding))) };
}

/** Reads `text` as one YAML document. Problems are syntax errors, duplicate keys, and files beyond the limits. */
export function readYaml(text: string, fileName: string): YamlRead {
  const whole = (message: string): YamlRead => ({
    ok: false,
    problems: [{ where: { kind: 'file', file: fileName }, key: '', message }],
  });
  if (Buffer.byteLength(text) > YAML_LIMITS.octets) return whole(`is larger than ${YAML_LIMITS.octets} octets`);
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    const place = (offset: number): Where => {
      const at = lines.linePos(offset);
      return { kind: 'place', file: fileName, line: Math.max(at.line, 1), column: Math.max(at.col, 1) };
    };
    if (document.errors.length > 0) {
      return { ok: false, problems: document.errors.map((error) => syntaxProblem(error, document, place)) };
    }
    const root: unknown = document.toJS({ maxAliasCount: YAML_LIMITS.aliases }) ?? {};
    return {
      ok: true,
      source: {
        root,
        problem: (path, message, about = 'value') => ({
          where: place(offsetOf(document, path, about)),
          key: keyText(path),
          message,
        }),
      },
    };
  } catch (error) {
    // The parser and toJS recurse (RangeError: the stack is full) and count aliases (ReferenceError); anything else is a bug.
    if (error instanceof RangeError) return whole('is nested too deeply');
    if (error instanceof ReferenceError) return whole('has an alias that repeats too much, or that names no anchor');
    throw error;
  }
}

/** A finding of the schema as a problem of the file. */
export function findingProblem(source: YamlSource, finding: Finding): Problem {
  return source.problem(finding.path, finding.message, finding.about);
}

/** Problems sorted by where the reader meets them. */
export function inOrder(problems: readonly Problem[]): readonly Problem[] {
  const rank = ({ where }: Problem) => (where.kind === 'place' ? where.line * 1e6 + where.column : 0);
  return [...problems].sort((a, b) => rank(a) - rank(b));
}

function syntaxProblem(error: YAMLError, document: Document, place: (offset: number) => Where): Problem {
  const offset = error.pos[0];
  if (error.code === 'DUPLICATE_KEY') {
    const path = pathOfKey(document.contents, offset, []);
    return { where: place(offset), key: keyText(path ?? []), message: 'the same key stands here twice' };
  }
  return { where: place(offset), key: '', message: SYNTAX_MESSAGES[error.code] ?? error.message };
}

/** The path of the key that starts at `offset`, for duplicates, which no path alone can tell apart. */
function pathOfKey(node: unknown, offset: number, path: Path): Path | null {
  if (isMap(node)) {
    for (const pair of node.items) {
      const here = [...path, keyName(pair.key)];
      if (isNode(pair.key) && pair.key.range?.[0] === offset) return here;
      const below = pathOfKey(pair.value, offset, here);
      if (below !== null) return below;
    }
  }
  if (isSeq(node)) {
    for (const [i, item] of node.items.entries()) {
      const below = pathOfKey(item, offset, [...path, i]);
      if (below !== null) return below;
    }
  }
  return null;
}

/** The offset of what stands at `path`, or of the last thing on the way to it that has one. */
function offsetOf(document: Document, path: Path, about: 'value' | 'key'): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, part] of path.entries()) {
    const found: Node | null = isAlias(node) ? (node.resolve(document) ?? null) : isNode(node) ? node : null;
    if (isMap(found)) {
      const pair = found.items.find((item) => isPair(item) && keyName(item.key) === String(part));
      if (pair === undefined) return offset;
      const last = depth === path.length - 1;
      const key = startOf(pair.key);
      const value = startOf(pair.value);
      // An empty value ("ldap:") has no place of its own, and a section is best found by its name.
      const byName = (last && about === 'key') || isMap(pair.value) || isSeq(pair.value);
      offset = (byName ? key : (value ?? key)) ?? offset;
      node = pair.value;
    } else if (isSeq(found) && typeof part === 'number') {
      node = found.items[part];
      offset = startOf(node) ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

function startOf(node: unknown): number | null {
  return isNode(node) && node.range ? node.range[0] : null;
}

function keyName(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}
