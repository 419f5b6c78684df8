/**
 * Search filters as they travel (RFC 4511 §4.5.1.7), read into a tree without recursion: a stranger chooses the depth, so
 * the stack is ours and has a limit (LDAP-46). Values stay octets; what they mean is the business of whoever evaluates.
 */
import { type BerReader, TAG } from './ber.js';
import { LIMITS } from './limits.js';

export type Filter =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Filter[] }
  | { readonly kind: 'not'; readonly part: Filter }
  | {
      readonly kind: 'equal' | 'greaterOrEqual' | 'lessOrEqual' | 'approx';
      readonly attribute: string;
      readonly value: Buffer;
    }
  | {
      readonly kind: 'substrings';
      readonly attribute: string;
      readonly initial: Buffer | null;
      readonly any: readonly Buffer[];
      readonly final: Buffer | null;
    }
  | { readonly kind: 'present'; readonly attribute: string }
  | {
      readonly kind: 'extensible';
      /** A matching rule's name or OID; where null the attribute's own equality rule. Never null together with `attribute`. */
      readonly rule: string | null;
      readonly attribute: string | null;
      readonly value: Buffer;
      /** `:dn:`, the attributes of the entry's name count too. */
      readonly dnAttributes: boolean;
    };

/** `malformed` is answered with protocolError (2), `tooLarge` with unwillingToPerform (53). */
export type FilterError = 'malformed' | 'tooLarge';

const AND = 0xa0;
const OR = 0xa1;
const NOT = 0xa2;
const COMPARISONS = new Map<number, 'equal' | 'greaterOrEqual' | 'lessOrEqual' | 'approx'>([
  [0xa3, 'equal'],
  [0xa5, 'greaterOrEqual'],
  [0xa6, 'lessOrEqual'],
  [0xa8, 'approx'],
]);
const SUBSTRINGS = 0xa4;
const INITIAL = 0x80;
const ANY = 0x81;
const FINAL = 0x82;
const PRESENT = 0x87;
const EXTENSIBLE = 0xa9;
const RULE = 0x81;
const TYPE = 0x82;
const VALUE = 0x83;
const DN_ATTRIBUTES = 0x84;

interface OpenSet {
  readonly tag: number;
  readonly reader: BerReader;
  readonly parts: Filter[];
}

/** Reads one filter, the next element of `reader`. */
export function decodeFilter(reader: BerReader): Filter | FilterError {
  const open: OpenSet[] = [];
  let nodes = 0;
  let inner = reader;
  for (;;) {
    nodes += 1;
    if (nodes > LIMITS.filterNodes || open.length >= LIMITS.filterDepth) return 'tooLarge';
    const tag = inner.tag;
    let complete: Filter | null = null;
    if (tag === AND || tag === OR || tag === NOT) {
      const set = inner.enter(tag);
      if (set === null) return 'malformed';
      open.push({ tag, reader: set, parts: [] });
    } else {
      complete = decodeItem(inner, tag);
      if (complete === null) return 'malformed';
    }
    // What is complete goes into the set around it, which may complete that one too.
    for (;;) {
      const around = open.at(-1);
      if (around === undefined) return complete ?? 'malformed';
      if (complete !== null) around.parts.push(complete);
      if (!around.reader.done) {
        inner = around.reader;
        break;
      }
      complete = close(around);
      if (complete === null) return 'malformed';
      open.pop();
    }
  }
}

function close(set: OpenSet): Filter | null {
  if (set.tag === AND) return { kind: 'and', parts: set.parts };
  if (set.tag === OR) return { kind: 'or', parts: set.parts };
  const [part] = set.parts;
  return part === undefined || set.parts.length > 1 ? null : { kind: 'not', part };
}

function decodeItem(reader: BerReader, tag: number): Filter | null {
  if (tag === PRESENT) {
    const attribute = reader.text(tag);
    return attribute === null ? null : { kind: 'present', attribute };
  }
  const item = reader.enter(tag);
  if (item === null) return null;
  if (tag === SUBSTRINGS) return decodeSubstrings(item);
  if (tag === EXTENSIBLE) return decodeExtensible(item);
  const kind = COMPARISONS.get(tag);
  if (kind === undefined) return null;
  const attribute = item.text(TAG.octetString);
  const value = attribute === null ? null : item.read(TAG.octetString);
  return attribute === null || value === null || !item.done ? null : { kind, attribute, value };
}

/** At least one part; `initial` only at the beginning, `final` only at the end. */
function decodeSubstrings(item: BerReader): Filter | null {
  const attribute = item.text(TAG.octetString);
  const parts = attribute === null ? null : item.enter(TAG.sequence);
  if (attribute === null || parts === null || parts.done || !item.done) return null;
  const initial = parts.tag === INITIAL ? parts.read(INITIAL) : null;
  const any: Buffer[] = [];
  while (parts.tag === ANY) {
    const part = parts.read(ANY);
    if (part === null) return null;
    any.push(part);
  }
  const final = parts.tag === FINAL ? parts.read(FINAL) : null;
  if (!parts.done || (initial === null && any.length === 0 && final === null)) return null;
  return { kind: 'substrings', attribute, initial, any, final };
}

function decodeExtensible(item: BerReader): Filter | null {
  const rule = item.tag === RULE ? item.text(RULE) : null;
  const attribute = item.tag === TYPE ? item.text(TYPE) : null;
  const value = item.read(VALUE);
  if (value === null || (rule === null && attribute === null)) return null;
  const dnAttributes = item.done ? false : item.boolean(DN_ATTRIBUTES);
  return dnAttributes === null || !item.done ? null : { kind: 'extensible', rule, attribute, value, dnAttributes };
}
