/** Looks into a zod schema: which keys an object at some path may have, and what stands at each. */
import { z } from 'zod';
import type { Path } from './problem.js';

/** The keys that the schema knows for the object at `path`; empty where anything may stand there. */
export function knownKeys(schema: z.ZodType, path: Path): readonly string[] {
  let candidates = alternatives(schema);
  for (const part of path) candidates = candidates.flatMap((candidate) => child(candidate, part));
  return [...new Set(candidates.flatMap((candidate) => Object.keys(shapeOf(candidate) ?? {})))];
}

/** The fields of an object schema, or null for any other. */
export function shapeOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> | null {
  if (!(schema instanceof z.ZodObject)) return null;
  const fields: Record<string, z.ZodType> = {};
  for (const [name, field] of Object.entries(schema.shape)) if (field instanceof z.ZodType) fields[name] = field;
  return fields;
}

/** What a value may be, with optional, default, pipe and union taken away. */
export function alternatives(schema: unknown): readonly z.ZodType[] {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly
  ) {
    return alternatives(schema.unwrap());
  }
  if (schema instanceof z.ZodPipe) {
    // A preprocess has its schema behind the transformation, everything else has it before.
    return alternatives(schema.in instanceof z.ZodTransform ? schema.out : schema.in);
  }
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(alternatives);
  return schema instanceof z.ZodType ? [schema] : [];
}

function child(schema: z.ZodType, part: PropertyKey): readonly z.ZodType[] {
  if (schema instanceof z.ZodObject) return alternatives(shapeOf(schema)?.[String(part)]);
  if (schema instanceof z.ZodRecord) return alternatives(schema.valueType);
  if (schema instanceof z.ZodArray) return alternatives(schema.element);
  return [];
}
