/**
 * Every key of sallyport.yaml has a variable: `SALLYPORT_` and its path in capitals, `radius.rejectDelay` →
 * `SALLYPORT_RADIUS_REJECT_DELAY`. A list is split at commas. What a variable says wins over the file; one that names no key
 * is an error, since a misspelt override is a setting that somebody believes in.
 */
import { z } from 'zod';
import { keyText, type Path, type Problem } from './problem.js';
import { alternatives, shapeOf } from './schema-walk.js';
import { nearest } from './suggestion.js';

/** A process's environment, as Node has it. */
export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'SALLYPORT_';
/** Variables of ours that stand for no key. */
const NOT_KEYS: ReadonlySet<string> = new Set(['SALLYPORT_CONFIG', 'SALLYPORT_MASTER_KEY']);

/** One key that a variable sets. */
export interface Override {
  readonly name: string;
  readonly path: Path;
  readonly value: unknown;
}

export interface Overrides {
  readonly overrides: readonly Override[];
  readonly problems: readonly Problem[];
}

interface Setting {
  readonly path: Path;
  readonly kind: 'text' | 'list' | 'boolean';
}

/** What the environment sets of `schema`, and what it tries to set in vain. */
export function readEnvironment(schema: z.ZodType, env: Environment): Overrides {
  const settings = settingsOf(schema);
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  for (const name of Object.keys(env).sort()) {
    const text = env[name];
    if (text === undefined || !name.startsWith(PREFIX) || NOT_KEYS.has(name)) continue;
    const setting = settings.get(name);
    if (setting === undefined) {
      const guess = nearest(name, [...settings.keys(), ...NOT_KEYS]);
      const hint = guess === null ? '' : `; did you mean ${guess}?`;
      problems.push({ where: { kind: 'variable', name }, key: '', message: `no key has this variable${hint}` });
      continue;
    }
    overrides.push({ name, path: setting.path, value: parsedValue(text, setting.kind) });
  }
  return { overrides, problems };
}

/** The variable of each key, with the key; sorted as the schema has them. */
export function environmentVariables(schema: z.ZodType): readonly { readonly name: string; readonly key: string }[] {
  return [...settingsOf(schema)].map(([name, { path }]) => ({ name, key: keyText(path) }));
}

/** `root` with the overrides in place; `root` itself stays as it is. */
export function withOverrides(root: unknown, overrides: readonly Override[]): unknown {
  return overrides.reduce<unknown>((value, override) => placed(value, override.path, override.value), root);
}

/** The override that decided what stands at `path`, if one did. */
export function overrideAt(overrides: readonly Override[], path: Path): Override | null {
  return overrides.find((override) => override.path.every((part, i) => part === path[i])) ?? null;
}

function settingsOf(schema: z.ZodType): ReadonlyMap<string, Setting> {
  const settings = new Map<string, Setting>();
  const visit = (node: z.ZodType, path: Path) => {
    for (const candidate of alternatives(node)) {
      const shape = shapeOf(candidate);
      if (shape === null) {
        const name = PREFIX + path.map((part) => String(part).replace(/[A-Z]/g, '_$&').toUpperCase()).join('_');
        settings.set(name, { path, kind: kindOf(candidate) });
        continue;
      }
      for (const [key, field] of Object.entries(shape)) visit(field, [...path, key]);
    }
  };
  visit(schema, []);
  return settings;
}

function kindOf(schema: z.ZodType): Setting['kind'] {
  if (schema instanceof z.ZodArray) return 'list';
  return schema instanceof z.ZodBoolean ? 'boolean' : 'text';
}

/** A wrong boolean stays a text, which the schema then refuses. */
function parsedValue(text: string, kind: Setting['kind']): unknown {
  switch (kind) {
    case 'list':
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    default:
      return text;
  }
}

function placed(value: unknown, path: Path, leaf: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return leaf;
  const fields: Record<PropertyKey, unknown> = typeof value === 'object' && !Array.isArray(value) ? { ...value } : {};
  return { ...fields, [first]: placed(fields[first], rest, leaf) };
}
