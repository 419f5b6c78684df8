/** A decision, or what a door did without one, in plain words: which rules held, which failed, and what to do. */
import { DOOR_REASONS, RULES } from '../access/rules.js';
import { decodeTrace } from '../access/trace.js';
import type { EventRecord } from '../records/event.js';
import type { Paint } from './paint.js';

/** One rule of a decision. `holds` is null where it did not apply or was not asked. */
export interface ExplainedRule {
  readonly rule: string;
  readonly title: string;
  readonly holds: boolean | null;
}

/** What can be said of an event beyond its fields. */
export interface Explanation {
  /** In the order in which they are asked; null where the door refused by itself, or the trace is of another release. */
  readonly rules: readonly ExplainedRule[] | null;
  /** What else is known, a sentence each. */
  readonly notes: readonly string[];
  /** What to do; null where nothing is wrong. */
  readonly next: string | null;
}

const BY_REASON: ReadonlyMap<string, { readonly title: string; readonly next: string }> = new Map(
  [...RULES, ...DOOR_REASONS].map((rule) => [rule.reason, rule]),
);

/** What the doors write into `detail` of their events. */
const DOOR_DETAILS: ReadonlyMap<string, string> = new Map([
  ['unauthenticated_bind', 'a name came without a password (RFC 4513 §5.1.2); such a bind proves nothing'],
  ['protocol_version', 'the application speaks LDAPv2; set it to LDAPv3'],
  ['sasl', 'the application asks for SASL; set it to simple bind'],
  [
    'cleartext_password',
    'the password came outside TLS, and requireTls is on; set the application to StartTLS or ldaps',
  ],
  ['invalid_dn', 'the name is not a distinguished name (uid=alice,ou=users,dc=example,dc=org)'],
  ['no_application', 'no LDAP application has this base DN and this address'],
  ['not_a_user_dn', 'the DN names no user: users are uid=LOGIN,ou=users,BASE'],
  ['service_account', 'it is a service account of the application'],
  ['state_invalid', 'the State attribute is not one that was handed out here'],
]);

/** Explains `event`, a decision or a refusal at a door. */
export function explain(event: EventRecord): Explanation {
  const traced = event.trace === null ? null : decodeTrace(event.trace);
  const rules =
    traced?.map(({ rule, verdict }) => ({
      rule,
      title: BY_REASON.get(rule)?.title ?? rule,
      // The last rule is kept by the ledger, after the trace is made; that the event can be read says that it was.
      holds: rule === 'store_unavailable' ? true : verdict,
    })) ?? null;
  return {
    rules,
    notes: notesOf(event),
    next: event.reason === null ? null : (BY_REASON.get(event.reason)?.next ?? null),
  };
}

function notesOf({ login, detail, trace }: EventRecord): readonly string[] {
  const known = (key: string): string | null => {
    const value = detail?.[key];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
  };
  const note = known('note');
  const user = known('user');
  const lockedUntil = known('lockedUntil');
  const station = known('station');
  const upstream = known('upstream');
  const repeat = known('repeat');
  const door = known('detail');
  const suppressed = known('suppressed');
  const notes: string[] = [];
  if (note !== null) notes.push(`The ${note} Compare it at the NAS and here. This attempt counts against nobody.`);
  if (user !== null) notes.push(`The name that was sent is ${login}; it means ${user}.`);
  if (lockedUntil !== null) notes.push(`The lock opens at ${when(lockedUntil)}.`);
  if (station !== null) notes.push(`The NAS says that the user comes from ${station} (Calling-Station-Id).`);
  if (upstream !== null) notes.push(`The first factor is checked by ${upstream}.`);
  if (repeat === 'datagram') notes.push('The NAS sent the very same packet again; no further code was spent.');
  else if (repeat !== null)
    notes.push('It is a sign-in again within the grace of the resource; no further code was spent.');
  if (door !== null) notes.push(`At the door: ${DOOR_DETAILS.get(door) ?? door}.`);
  if (suppressed !== null) notes.push(`${suppressed} like it since the one before were left out of the log.`);
  if (trace !== null && decodeTrace(trace) === null) notes.push('Its rules were written by another release.');
  return notes;
}

/** A time as a person reads it: UTC, to the second. */
export const when = (time: string): string => `${time.slice(0, 10)} ${time.slice(11, 19)}Z`;

const CLIENTS: Readonly<Record<string, string>> = {
  radius: 'RADIUS client',
  ldap: 'LDAP application',
  http: 'API key',
};
const METHODS: Readonly<Record<string, string>> = { bind: 'bind', api: 'HTTP' };

/** `event` with its explanation, in lines. */
export function eventText(event: EventRecord, paint: Paint): string {
  const { rules, notes, next } = explain(event);
  const lines = [heading(event, paint)];
  for (const { rule, title, holds } of rules ?? []) {
    if (holds === null) lines.push(paint.faint(`  – ${title}`));
    else if (holds) lines.push(`  ${paint.good('✓')} ${title}`);
    else lines.push(`  ${paint.bad('✗')} ${rule === event.reason ? paint.strong(title) : title}`);
  }
  if (rules === null && event.reason !== null)
    lines.push(`  ${paint.bad('✗')} ${BY_REASON.get(event.reason)?.title ?? event.reason}`);
  lines.push(...notes.map((note) => `  ${note}`));
  if (next !== null) lines.push(`  Next: ${next}`);
  return lines.join('\n');
}

function heading(event: EventRecord, paint: Paint): string {
  const { outcome, reason, login, resource, client, door, source, method } = event;
  const word = outcome ?? event.kind;
  const result = reason === null ? paint.good(word) : paint.bad(`${word}: ${reason}`);
  const where = [
    `${login ?? 'nobody'}${resource === null ? '' : ` at ${resource}`}`,
    source === null ? null : `from ${source}`,
    client === null ? null : `${CLIENTS[door ?? ''] ?? 'client'} ${client}`,
    method === null ? null : (METHODS[method] ?? method.toUpperCase()),
  ];
  return `${paint.strong(when(event.time))}  ${result}  ${where.filter((part) => part !== null).join(', ')}`;
}
