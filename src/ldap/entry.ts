/** Entries as a search sees them: which attributes are shown (LDAP-43), and whether a filter matches (LDAP-45). */
import { prepared } from './dn.js';
import type { Filter } from './filter.js';
import type { SearchRequest } from './message.js';
import type { Attribute } from './response.js';

export interface Entry {
  readonly dn: string;
  /** Shown unless others are asked for. */
  readonly user: readonly Attribute[];
  /** Shown for `+` or by name. */
  readonly operational: readonly Attribute[];
}

/** True, false, or null for Undefined (RFC 4511 §4.5.1.7). */
export type Truth = boolean | null;

/** The attributes of `entry` that `request` asks for. Unknown names are ignored, `1.1` alone means none. */
export function selectAttributes(entry: Entry, request: SearchRequest): readonly Attribute[] {
  const names = new Set(request.attributes.map((name) => name.toLowerCase()));
  const all = names.size === 0 || names.has('*');
  const operational = names.has('+');
  const named = (attribute: Attribute) => names.has(attribute.name.toLowerCase());
  const chosen = [
    ...entry.user.filter((attribute) => all || named(attribute)),
    ...entry.operational.filter((attribute) => operational || named(attribute)),
  ];
  return request.typesOnly ? chosen.map(({ name }) => ({ name, values: [] })) : chosen;
}

/**
 * Whether `entry` matches. An attribute that it does not have makes a comparison Undefined; so do ordering and extensible
 * rules, which no attribute of such an entry has. The recursion is bounded: a decoded filter has at most 32 levels.
 */
export function matches(filter: Filter, entry: Entry): Truth {
  switch (filter.kind) {
    case 'and':
      return combined(filter.parts, entry, false);
    case 'or':
      return combined(filter.parts, entry, true);
    case 'not': {
      const inner = matches(filter.part, entry);
      return inner === null ? null : !inner;
    }
    case 'present':
      return valuesOf(entry, filter.attribute) !== null;
    case 'equal':
    case 'approx': {
      const asserted = prepareAssertion(filter.value);
      return valuesOf(entry, filter.attribute)?.some((value) => value === asserted) ?? null;
    }
    case 'substrings': {
      const texts = [filter.initial, ...filter.any, filter.final].map((part) => part?.toString('utf8') ?? null);
      return valuesOf(entry, filter.attribute)?.some((value) => hasParts(value, texts)) ?? null;
    }
    default:
      return null;
  }
}

/** `and` is false as soon as one part is, `or` true; else Undefined wins over the rest. */
function combined(parts: readonly Filter[], entry: Entry, decisive: boolean): Truth {
  let result: Truth = !decisive;
  for (const part of parts) {
    const truth = matches(part, entry);
    if (truth === decisive) return decisive;
    if (truth === null) result = null;
  }
  return result;
}

/** The octets of an assertion value as `valuesOf` would have them. */
export const prepareAssertion = (value: Buffer): string => prepared(value.toString('utf8'));

/** The values of an attribute, prepared for comparison; null where the entry does not have it. */
export function valuesOf(entry: Entry, name: string): readonly string[] | null {
  const key = name.toLowerCase();
  const attribute = [...entry.user, ...entry.operational].find((each) => each.name.toLowerCase() === key);
  return attribute?.values.map((value) => prepared(value.toString())) ?? null;
}

/** `parts`: initial or null, any number of middles, final or null. */
function hasParts(value: string, parts: readonly (string | null)[]): boolean {
  const initial = prepared(parts.at(0) ?? '');
  const final = prepared(parts.at(-1) ?? '');
  if (!value.startsWith(initial)) return false;
  let at = initial.length;
  for (const part of parts.slice(1, -1)) {
    const text = prepared(part ?? '');
    const found = value.indexOf(text, at);
    if (found === -1) return false;
    at = found + text.length;
  }
  return value.length - final.length >= at && value.endsWith(final);
}
