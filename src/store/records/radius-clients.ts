/** RADIUS clients in the store. */
import { Secret } from '../../base/secret.js';
import { canonicalNetwork } from '../../records/network.js';
import {
  type RadiusClientCreate,
  type RadiusClientPatch,
  type RadiusClientRecord,
  REQUIRE_MESSAGE_AUTHENTICATOR,
} from '../../records/radius-client.js';
import type { Seal } from '../seal.js';
import { type Edit, type Head, loadAll, newHead, type Spec, shownHead, writeNamed } from './named.js';
import { findTargets, type Target, target } from './references.js';
import type { Work } from './work.js';

type Requirement = (typeof REQUIRE_MESSAGE_AUTHENTICATOR)[number];

export interface RadiusClientState extends Head {
  readonly address: string;
  /** Sealed under `radius_clients.secret` and the id. */
  readonly secretBox: string;
  readonly resource: Target;
  readonly requireMessageAuthenticator: Requirement;
  readonly messageAuthenticatorSeen: boolean;
  readonly nasIdentifier: string | null;
  readonly domains: readonly string[];
  readonly limitProxyState: boolean;
  readonly active: boolean;
}

export const RADIUS_CLIENTS: Spec<RadiusClientState> = {
  record: 'radiusClient',
  kind: 'radiusClient',
  table: 'radius_clients',
  nameColumn: 'name',
  from: 'join resources r on r.pk = t.resource_pk',
  select: 'r.id as resource_id, r.name as resource_name',
  columns: {
    address: 'text',
    secret: 'text',
    resource_pk: 'int',
    require_message_authenticator: 'text',
    message_authenticator_seen: 'bool',
    nas_identifier: 'text',
    domains: 'text',
    limit_proxy_state: 'bool',
    active: 'bool',
  },
  read: (row, head) => ({
    ...head,
    address: row.text('address'),
    secretBox: row.text('secret'),
    resource: { pk: row.int('resource_pk'), id: row.text('resource_id'), name: row.text('resource_name') },
    requireMessageAuthenticator: requirement(row.text('require_message_authenticator')),
    messageAuthenticatorSeen: row.flag('message_authenticator_seen'),
    nasIdentifier: row.textOrNull('nas_identifier'),
    domains: row.json<string[]>('domains'),
    limitProxyState: row.flag('limit_proxy_state'),
    active: row.flag('active'),
  }),
  values: (state) => ({
    address: state.address,
    secret: state.secretBox,
    resource_pk: state.resource.pk,
    require_message_authenticator: state.requireMessageAuthenticator,
    message_authenticator_seen: state.messageAuthenticatorSeen,
    nas_identifier: state.nasIdentifier,
    domains: JSON.stringify(state.domains),
    limit_proxy_state: state.limitProxyState,
    active: state.active,
  }),
  fields: (state) => ({
    name: state.name,
    address: state.address,
    secret: state.secretBox,
    resource: state.resource.name,
    requireMessageAuthenticator: state.requireMessageAuthenticator,
    nasIdentifier: state.nasIdentifier,
    domains: state.domains,
    limitProxyState: state.limitProxyState,
    active: state.active,
  }),
  hidden: ['secret'],
};

/** A client as the API shows it. */
export const shownRadiusClient = (state: RadiusClientState): RadiusClientRecord => ({
  ...shownHead(state),
  name: state.name,
  address: state.address,
  resource: state.resource.name,
  resourceId: state.resource.id,
  requireMessageAuthenticator: state.requireMessageAuthenticator,
  messageAuthenticatorSeen: state.messageAuthenticatorSeen,
  nasIdentifier: state.nasIdentifier,
  domains: [...state.domains],
  limitProxyState: state.limitProxyState,
  active: state.active,
});

export interface RadiusClientEdit {
  readonly before: RadiusClientState | null;
  readonly patch: RadiusClientCreate | RadiusClientPatch;
  readonly at: string;
}

const NOWHERE: Target = { pk: 0, id: '', name: '' };

/** Changes clients, or makes those that have no `before`, which need address, secret and resource. */
export async function changeRadiusClients(
  work: Work,
  edits: readonly RadiusClientEdit[],
  seal: Seal,
): Promise<RadiusClientState[]> {
  const targets = await findTargets(
    work.tx,
    'resource',
    edits.flatMap(({ patch }) => patch.resource ?? []),
  );
  const planned = edits.map(({ before, patch, at }): Edit<RadiusClientState> => {
    if (before === null)
      for (const field of ['address', 'secret', 'resource'] as const)
        if (patch[field] === undefined) work.invalid(`${at}/${field}`, 'a new RADIUS client needs it');
    const base: RadiusClientState = before ?? { ...newHead(work, patch.name ?? ''), ...FRESH };
    const resource =
      patch.resource === undefined
        ? base.resource
        : target(work, targets, 'resource', patch.resource, `${at}/resource`);
    const or = <T>(value: T | null | undefined, old: T, fallback: T): T =>
      value === undefined ? old : (value ?? fallback);
    const after: RadiusClientState = {
      ...base,
      name: patch.name ?? base.name,
      address: patch.address ?? base.address,
      secretBox: sealed(seal, base, patch.secret),
      resource: resource ?? base.resource,
      requireMessageAuthenticator: or(patch.requireMessageAuthenticator, base.requireMessageAuthenticator, 'auto'),
      nasIdentifier: or(patch.nasIdentifier, base.nasIdentifier, null),
      domains: or(patch.domains, base.domains, []),
      limitProxyState: or(patch.limitProxyState, base.limitProxyState, true),
      active: or(patch.active, base.active, true),
    };
    // What was seen was seen of the NAS that stood there.
    const moved = before !== null && before.address !== after.address;
    return { before, after: moved ? { ...after, messageAuthenticatorSeen: false } : after, at };
  });
  await checkPlaces(work, planned, seal);
  return writeNamed(work, RADIUS_CLIENTS, planned);
}

const FRESH = {
  address: '',
  secretBox: '',
  resource: NOWHERE,
  requireMessageAuthenticator: 'auto',
  messageAuthenticatorSeen: false,
  nasIdentifier: null,
  domains: [],
  limitProxyState: true,
  active: true,
} as const;

/** A box for the secret; the old one where it holds the same. */
function sealed(seal: Seal, base: RadiusClientState, secret: string | undefined): string {
  if (secret === undefined) return base.secretBox;
  const wanted = Secret.of(secret);
  const held = base.secretBox === '' ? null : seal.openSecret('radius_clients.secret', base.id, base.secretBox);
  return held?.equals(wanted) === true ? base.secretBox : seal.seal('radius_clients.secret', base.id, wanted);
}

/**
 * Clients behind one network are told apart by NAS-Identifier, and share one secret: it proves who sent a packet, before
 * anything in the packet is believed.
 */
async function checkPlaces(work: Work, edits: readonly Edit<RadiusClientState>[], seal: Seal): Promise<void> {
  const edited = new Set(edits.map(({ before }) => before?.pk));
  const neighbours = new Map<string, RadiusClientState[]>();
  const join = (state: RadiusClientState): readonly RadiusClientState[] => {
    const network = canonicalNetwork(state.address) ?? '';
    const others = neighbours.get(network) ?? [];
    neighbours.set(network, [...others, state]);
    return others;
  };
  for (const state of await loadAll(work.tx, RADIUS_CLIENTS)) if (!edited.has(state.pk)) join(state);
  const secretOf = ({ id, secretBox }: RadiusClientState) => seal.openSecret('radius_clients.secret', id, secretBox);
  for (const { after, at } of edits) {
    if (after.address === '' || after.secretBox === '') continue;
    const others = join(after);
    const same = others.find(({ nasIdentifier }) => nasIdentifier === after.nasIdentifier);
    const [first] = others;
    if (same !== undefined) {
      const message = `${after.address} is there already; several NAS behind one address differ in nasIdentifier`;
      work.conflict(`${at}/address`, message, `RADIUS client ${same.name}`);
    } else if (first !== undefined) {
      const secret = secretOf(after);
      if (secret !== null && secretOf(first)?.equals(secret) !== true)
        work.conflict(`${at}/secret`, `${after.address} has another secret there`, `RADIUS client ${first.name}`);
    }
  }
}

function requirement(text: string): Requirement {
  const found = REQUIRE_MESSAGE_AUTHENTICATOR.find((each) => each === text);
  if (found === undefined) throw new Error(`require_message_authenticator holds ${text}`);
  return found;
}
