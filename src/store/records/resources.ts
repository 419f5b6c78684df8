/** Resources in the store. Whatever a decision reads of one raises its revision. */
import {
  effectivePolicy,
  type PolicyChecks,
  parsePolicy,
  patchPolicy,
  policyFaults,
  type StoredPolicy,
} from '../../records/policy.js';
import type { ResourceCreate, ResourcePatch, ResourceRecord } from '../../records/resource.js';
import { type Edit, type Head, newHead, removeNamed, type Spec, shownHead, writeNamed } from './named.js';
import { numbers, query } from './sql.js';
import { changeTokens, loadTokens, type TokenEdit, type TokenSetting } from './tokens.js';
import type { Work } from './work.js';

export interface ResourceState extends Head {
  readonly active: boolean;
  readonly policy: StoredPolicy;
}

export const RESOURCES: Spec<ResourceState> = {
  record: 'resource',
  kind: 'resource',
  table: 'resources',
  nameColumn: 'name',
  from: '',
  select: '1 as one',
  columns: { active: 'bool', policy: 'text' },
  read: (row, head) => ({ ...head, active: row.flag('active'), policy: parsePolicy(row.text('policy')) }),
  values: ({ active, policy }) => ({ active, policy: JSON.stringify(policy) }),
  fields: ({ name, active, policy }) => ({ name, ...effectivePolicy(policy), active }),
  hidden: [],
};

/** A resource as the API shows it. */
export const shownResource = (state: ResourceState): ResourceRecord => ({
  ...shownHead(state),
  name: state.name,
  ...effectivePolicy(state.policy),
  active: state.active,
});

export interface ResourceEdit {
  readonly before: ResourceState | null;
  readonly patch: ResourceCreate | ResourcePatch;
  readonly at: string;
}

/** Changes resources, or makes those that have no `before`. `checks`: what a policy must fit. */
export async function changeResources(
  work: Work,
  edits: readonly ResourceEdit[],
  checks: PolicyChecks,
): Promise<ResourceState[]> {
  const planned = edits.map(({ before, patch, at }): Edit<ResourceState> => {
    const base = before ?? { ...newHead(work, patch.name ?? ''), active: true, policy: {} };
    const policy = patchPolicy(base.policy, patch);
    for (const { pointer, message } of policyFaults(policy, checks)) work.invalid(at + pointer, message);
    const active = patch.active === undefined ? base.active : (patch.active ?? true);
    return { before, after: { ...base, name: patch.name ?? base.name, active, policy }, at };
  });
  return writeNamed(work, RESOURCES, planned);
}

/**
 * Deletes resources; those that a RADIUS client or LDAP application guards are conflicts. A token that opened nothing else must
 * not come to open everything, so it becomes inactive.
 */
export async function removeResources(
  work: Work,
  states: readonly ResourceState[],
  setting: TokenSetting,
): Promise<void> {
  const pks = JSON.stringify(states.map(({ pk }) => pk));
  for (const [table, what] of [
    ['radius_clients', 'RADIUS client'],
    ['ldap_applications', 'LDAP application'],
  ] as const) {
    const [guard] = await query(
      work.tx,
      `select name from ${table} where resource_pk in ${numbers(work.tx)} order by name_key limit 1`,
      [pks],
    );
    if (guard !== undefined) {
      const name = `${what} ${guard.text('name')}`;
      work.conflict('', `${name} guards it; give that another resource or delete it first`, name);
    }
  }
  if (work.problem !== null) return;
  await releaseTokens(work, states, setting);
  await removeNamed(work, RESOURCES, states);
}

async function releaseTokens(work: Work, states: readonly ResourceState[], setting: TokenSetting): Promise<void> {
  const going = new Set(states.map(({ pk }) => pk));
  const tied = await loadTokens(
    work.tx,
    `where t.pk in (select token_pk from token_resources where resource_pk in ${numbers(work.tx)})`,
    [JSON.stringify([...going])],
  );
  const edits = tied.map((before): TokenEdit => {
    const left = before.resources.filter(({ pk }) => !going.has(pk)).map(({ id }) => id);
    return {
      before,
      patch: { resources: left, ...(left.length === 0 ? { active: false } : {}) },
      user: undefined,
      at: '',
    };
  });
  await changeTokens(work, edits, [], setting);
}
