/**
 * LDAP requests as they arrive (RFC 4511 §4). Three ways in which a message can be wrong lead to three answers: unreadable
 * as a message (the connection ends, LDAP-3), a known operation with a broken body (its response says protocolError, LDAP-4),
 * a filter beyond our limits (53). Octets behind the fields that we know are ignored (RFC 4511 §4).
 */
import { BerReader, TAG } from './ber.js';
import { decodeFilter, type Filter } from './filter.js';
import { RESULT } from './result-code.js';

/** Tags of requests, and of the response that each gets. */
export const OPERATION = {
  bind: 0x60,
  unbind: 0x42,
  search: 0x63,
  modify: 0x66,
  add: 0x68,
  delete: 0x4a,
  modifyDn: 0x6c,
  compare: 0x6e,
  abandon: 0x50,
  extended: 0x77,
} as const;

export const RESPONSE = {
  bind: 0x61,
  searchEntry: 0x64,
  searchDone: 0x65,
  modify: 0x67,
  add: 0x69,
  delete: 0x6b,
  modifyDn: 0x6d,
  compare: 0x6f,
  extended: 0x78,
} as const;

export interface SearchRequest {
  readonly kind: 'search';
  readonly base: string;
  readonly scope: 0 | 1 | 2;
  /** 0: none. */
  readonly sizeLimit: number;
  /** Seconds; 0: none. */
  readonly timeLimit: number;
  readonly typesOnly: boolean;
  readonly filter: Filter;
  readonly attributes: readonly string[];
}

export interface CompareRequest {
  readonly kind: 'compare';
  readonly dn: string;
  readonly attribute: string;
  readonly value: Buffer;
}

export interface BindRequest {
  readonly kind: 'bind';
  readonly version: number;
  readonly name: string;
  /** Null where the choice is SASL or one that we do not know. */
  readonly password: Buffer | null;
}

export interface ExtendedRequest {
  readonly kind: 'extended';
  readonly oid: string;
  readonly value: Buffer | null;
}

export type Request =
  | BindRequest
  | { readonly kind: 'unbind' }
  | { readonly kind: 'abandon'; readonly target: number }
  | SearchRequest
  | CompareRequest
  | ExtendedRequest
  /** Add, delete, modify, modifyDN: their bodies are not looked at, nothing is ever written here. */
  | { readonly kind: 'write' };

export type Decoded =
  | {
      readonly kind: 'request';
      readonly id: number;
      /** The tag of its response; 0 where it has none. */
      readonly response: number;
      readonly request: Request;
      /** A control that we do not know stands there as critical (LDAP-8). */
      readonly criticalUnknown: boolean;
    }
  /** A known operation that gets its response with `code`, nothing else. */
  | {
      readonly kind: 'broken';
      readonly id: number;
      readonly response: number;
      readonly code: typeof RESULT.protocolError | typeof RESULT.unwillingToPerform;
    }
  /** Notice of disconnection, close. */
  | { readonly kind: 'unreadable' };

const UNREADABLE: Decoded = { kind: 'unreadable' };
const UNBIND: Request = { kind: 'unbind' };
const WRITE: Request = { kind: 'write' };

const CONTROLS = 0xa0;
const SIMPLE = 0x80;
const EXTENDED_NAME = 0x80;
const EXTENDED_VALUE = 0x81;
const MAX_DEREF_ALIASES = 3;
/** Controls that change nothing here: ManageDsaIT (RFC 3296), since there are no referrals. */
const WITHOUT_EFFECT = new Set(['2.16.840.1.113730.3.4.2']);

const RESPONSES = new Map<number, number>([
  [OPERATION.bind, RESPONSE.bind],
  [OPERATION.unbind, 0],
  [OPERATION.search, RESPONSE.searchDone],
  [OPERATION.modify, RESPONSE.modify],
  [OPERATION.add, RESPONSE.add],
  [OPERATION.delete, RESPONSE.delete],
  [OPERATION.modifyDn, RESPONSE.modifyDn],
  [OPERATION.compare, RESPONSE.compare],
  [OPERATION.abandon, 0],
  [OPERATION.extended, RESPONSE.extended],
]);

/** Reads one message; `frame` is what framing.ts cut out. Views of `frame` live on in the result. */
export function decodeMessage(frame: Buffer): Decoded {
  const message = new BerReader(frame).enter(TAG.sequence);
  if (message === null) return UNREADABLE;
  const id = message.integer();
  // RFC 4511 §4.1.1.1: from 1 to 2³¹−1; 0 is the notice's own.
  if (id === null || id <= 0) return UNREADABLE;
  const operation = message.tag;
  const response = RESPONSES.get(operation);
  if (response === undefined) return UNREADABLE;
  const request = decodeOperation(message, operation);
  if (request === 'malformed') return { kind: 'broken', id, response, code: RESULT.protocolError };
  if (request === 'tooLarge') return { kind: 'broken', id, response, code: RESULT.unwillingToPerform };
  const criticalUnknown = message.done ? false : readControls(message);
  if (criticalUnknown === null) return { kind: 'broken', id, response, code: RESULT.protocolError };
  return { kind: 'request', id, response, request, criticalUnknown };
}

function decodeOperation(message: BerReader, operation: number): Request | 'malformed' | 'tooLarge' {
  if (operation === OPERATION.unbind) return message.read(operation) === null ? 'malformed' : UNBIND;
  if (operation === OPERATION.abandon) {
    const target = message.integer(operation);
    return target === null ? 'malformed' : { kind: 'abandon', target };
  }
  const body = message.enter(operation);
  if (body === null) return 'malformed';
  switch (operation) {
    case OPERATION.bind:
      return decodeBind(body) ?? 'malformed';
    case OPERATION.search:
      return decodeSearch(body);
    case OPERATION.compare:
      return decodeCompare(body) ?? 'malformed';
    case OPERATION.extended:
      return decodeExtended(body) ?? 'malformed';
    default:
      return WRITE;
  }
}

/** RFC 4511 §4.2. Of another version than 3 only the version is read: what follows is that version's business. */
function decodeBind(body: BerReader): Request | null {
  const version = body.integer();
  if (version === null) return null;
  if (version !== 3) return { kind: 'bind', version, name: '', password: null };
  const name = body.text(TAG.octetString);
  if (name === null || body.done) return null;
  if (body.tag !== SIMPLE) return { kind: 'bind', version, name, password: null };
  const password = body.read(SIMPLE);
  return password === null ? null : { kind: 'bind', version, name, password };
}

/** RFC 4511 §4.5.1. */
function decodeSearch(body: BerReader): Request | 'malformed' | 'tooLarge' {
  const base = body.text(TAG.octetString);
  const scope = base === null ? null : body.integer(TAG.enumerated);
  const deref = scope === null ? null : body.integer(TAG.enumerated);
  const sizeLimit = deref === null ? null : body.integer();
  const timeLimit = sizeLimit === null ? null : body.integer();
  const typesOnly = timeLimit === null ? null : body.boolean();
  if (base === null || deref === null || sizeLimit === null || timeLimit === null || typesOnly === null) {
    return 'malformed';
  }
  if (scope !== 0 && scope !== 1 && scope !== 2) return 'malformed';
  if (deref < 0 || deref > MAX_DEREF_ALIASES || sizeLimit < 0 || timeLimit < 0) return 'malformed';
  const filter = decodeFilter(body);
  if (filter === 'malformed' || filter === 'tooLarge') return filter;
  const selection = body.enter(TAG.sequence);
  if (selection === null) return 'malformed';
  const attributes: string[] = [];
  while (!selection.done) {
    const attribute = selection.text(TAG.octetString);
    if (attribute === null) return 'malformed';
    attributes.push(attribute);
  }
  return { kind: 'search', base, scope, sizeLimit, timeLimit, typesOnly, filter, attributes };
}

/** RFC 4511 §4.10. */
function decodeCompare(body: BerReader): Request | null {
  const dn = body.text(TAG.octetString);
  const assertion = dn === null ? null : body.enter(TAG.sequence);
  const attribute = assertion?.text(TAG.octetString) ?? null;
  const value = attribute === null ? null : (assertion?.read(TAG.octetString) ?? null);
  return dn === null || attribute === null || value === null ? null : { kind: 'compare', dn, attribute, value };
}

/** RFC 4511 §4.12. */
function decodeExtended(body: BerReader): Request | null {
  const oid = body.text(EXTENDED_NAME);
  if (oid === null) return null;
  if (body.tag !== EXTENDED_VALUE) return { kind: 'extended', oid, value: null };
  const value = body.read(EXTENDED_VALUE);
  return value === null ? null : { kind: 'extended', oid, value };
}

/** RFC 4511 §4.1.11: true where one is critical and means something that we do not know; null where they cannot be read. */
function readControls(message: BerReader): boolean | null {
  const controls = message.enter(CONTROLS);
  if (controls === null) return null;
  let criticalUnknown = false;
  while (!controls.done) {
    const control = controls.enter(TAG.sequence);
    const oid = control?.text(TAG.octetString) ?? null;
    if (control === null || oid === null) return null;
    const critical = control.tag === TAG.boolean ? control.boolean() : false;
    if (critical === null) return null;
    if (control.tag === TAG.octetString && control.read(TAG.octetString) === null) return null;
    if (critical && !WITHOUT_EFFECT.has(oid)) criticalUnknown = true;
  }
  return criticalUnknown;
}
