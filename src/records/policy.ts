/**
 * A resource's policy: what its row keeps (JSON, only what somebody set), what the API shows (with the defaults) and what a
 * decision reads (durations as numbers). Defaults are filled in when it is read, so that a default that depends on another field
 * follows it.
 */
import type { ResourceFacts } from '../access/ports.js';
import { parseDuration } from '../base/duration.js';
import type { Millis } from '../base/units.js';
import type { FieldError } from './problem.js';
import type { ResourceCreate, ResourcePatch, ResourceRecord } from './resource.js';

/** What somebody set; the rest is default. */
export type StoredPolicy = Partial<Policy>;
/** The policy as the API shows it. */
export type Policy = Omit<ResourceRecord, 'id' | 'createdAt' | 'updatedAt' | 'revision' | 'name' | 'active'>;
/** The policy as a decision reads it. */
export type PolicyFacts = Omit<ResourceFacts, 'pk' | 'id' | 'name' | 'active' | 'revision' | 'groups'>;

const DEFAULTS = {
  firstFactor: 'none',
  separator: '',
  methods: [],
  lockout: { failures: 10, window: '15m', duration: '15m' },
  sourceNetworks: [],
  accessHours: [],
  tokenTypes: [],
  replyAttributes: {},
  rebindGrace: '0s',
  reconnectGrace: '0s',
} satisfies StoredPolicy;

/** The policy with its defaults. */
export function effectivePolicy(stored: StoredPolicy): Policy {
  const firstFactor = stored.firstFactor ?? DEFAULTS.firstFactor;
  const credentialForms: Policy['credentialForms'] = firstFactor === 'none' ? ['otp'] : ['password+otp', 'challenge'];
  return { ...DEFAULTS, credentialForms, ...stored };
}

/** `stored` after a patch: null restores a default; of `lockout` each key is patched by itself. */
export function patchPolicy(stored: StoredPolicy, patch: ResourcePatch | ResourceCreate): StoredPolicy {
  const { name: _name, active: _active, lockout, ...rest } = patch;
  const next: Record<string, unknown> = { ...stored };
  for (const [key, value] of Object.entries(rest)) {
    if (value === null) delete next[key];
    else if (value !== undefined) next[key] = value;
  }
  if (lockout === null) delete next['lockout'];
  else if (lockout !== undefined) {
    const before = stored.lockout ?? DEFAULTS.lockout;
    const pick = <T>(value: T | null | undefined, old: T, fallback: T): T =>
      value === undefined ? old : (value ?? fallback);
    next['lockout'] = {
      failures: pick(lockout.failures, before.failures, DEFAULTS.lockout.failures),
      window: pick(lockout.window, before.window, DEFAULTS.lockout.window),
      duration: pick(lockout.duration, before.duration, DEFAULTS.lockout.duration),
    };
  }
  return next;
}

/** What a policy is checked against beside its own fields; whoever opens the records brings it. */
export interface PolicyChecks {
  /** First factors that the configuration names, beside `none` and `local`. */
  readonly upstreams: readonly string[];
  /** What the RADIUS dictionaries have against reply attributes: the attribute's name, and a sentence. */
  replyAttributeFaults(
    attributes: Policy['replyAttributes'],
  ): readonly { readonly name: string; readonly message: string }[];
}

/** What fields that are each right say together. */
export function policyFaults(stored: StoredPolicy, checks: PolicyChecks): FieldError[] {
  const policy = effectivePolicy(stored);
  const known = ['none', 'local', ...checks.upstreams];
  const errors: FieldError[] = [];
  if (!known.includes(policy.firstFactor))
    errors.push({ pointer: '/firstFactor', message: `no such first factor; there are ${known.join(', ')}` });
  policy.credentialForms.forEach((form, i) => {
    if ((form === 'otp') === (policy.firstFactor === 'none')) return;
    const message =
      form === 'otp' ? 'carries no password for the first factor' : 'asks for a password, and firstFactor is none';
    errors.push({ pointer: `/credentialForms/${i}`, message });
  });
  for (const { name, message } of checks.replyAttributeFaults(policy.replyAttributes)) {
    errors.push({ pointer: name === '' ? '/replyAttributes' : `/replyAttributes/${pointerToken(name)}`, message });
  }
  return errors;
}

/** RFC 6901 §3. */
const pointerToken = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** What a row's `policy` says, for a decision. It was checked when it was written. */
export function policyFacts(json: string): PolicyFacts {
  const policy = effectivePolicy(parsePolicy(json));
  return {
    ...policy,
    lockout: {
      failures: policy.lockout.failures,
      window: span(policy.lockout.window),
      duration: span(policy.lockout.duration),
    },
    rebindGrace: span(policy.rebindGrace),
    reconnectGrace: span(policy.reconnectGrace),
  };
}

/** The stored text as an object. */
export function parsePolicy(json: string): StoredPolicy {
  const stored: StoredPolicy = JSON.parse(json);
  return stored;
}

function span(text: string): Millis {
  const parsed = parseDuration(text);
  if (parsed === null) throw new Error(`a policy holds the duration ${JSON.stringify(text)}`);
  return parsed;
}
