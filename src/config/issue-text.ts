/** What zod found, in words for the person who wrote the file. A schema's own messages win over these. */
import type { z } from 'zod';
import { nearest } from './suggestion.js';

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a section with keys',
  record: 'a section with keys',
  null: 'nothing',
};

/** Passed to zod as the error map of a parse. Never repeats a value but a short one that stands in place of a fixed word. */
export function issueText(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined && issue.code !== 'unrecognized_keys') return 'is missing';
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === null) return `is empty; expected ${typeName(issue.expected)}`;
      if (issue.expected === 'string' && typeof issue.input !== 'object') {
        return `expected a text, got ${typeOf(issue.input)}; put it in quotes`;
      }
      return `expected ${typeName(issue.expected)}, got ${typeOf(issue.input)}`;
    case 'invalid_value':
      return oneOf(issue.values, issue.input);
    case 'too_small':
      return `${subject(issue.origin)} at least ${issue.minimum}${unitOf(issue.origin, issue.minimum)}`;
    case 'too_big':
      return `${subject(issue.origin)} at most ${issue.maximum}${unitOf(issue.origin, issue.maximum)}`;
    case 'invalid_union':
      if ('discriminator' in issue && issue.discriminator !== undefined) {
        // The input is the whole section; what is wrong is the one key that says which kind it is.
        const given = fieldOf(issue.input, issue.discriminator);
        return given === undefined ? 'is missing' : oneOf(Array.isArray(issue.options) ? issue.options : [], given);
      }
      return 'is none of the forms that may stand here';
    default:
      return undefined;
  }
}

function oneOf(values: readonly unknown[], given: unknown): string {
  const words = values.map(String);
  const guess = typeof given === 'string' ? nearest(given, words) : null;
  const hint = guess === null ? '' : `; did you mean ${guess}?`;
  return `expected ${words.length === 1 ? '' : 'one of '}${words.join(', ')}${hint}`;
}

function fieldOf(section: unknown, name: string): unknown {
  return new Map(Object.entries(typeof section === 'object' && section !== null ? section : {})).get(name);
}

function typeName(expected: string): string {
  return TYPE_NAMES[expected] ?? `a ${expected}`;
}

function typeOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return TYPE_NAMES[typeof value] ?? typeof value;
}

function subject(origin: string): string {
  return origin === 'string' || origin === 'array' || origin === 'set' ? 'needs' : 'must be';
}

function unitOf(origin: string, count: number | bigint): string {
  if (origin === 'string') return Number(count) === 1 ? ' character' : ' characters';
  if (origin === 'array' || origin === 'set') return Number(count) === 1 ? ' entry' : ' entries';
  return '';
}
