/** Groups in the store. Which resources a group opens is part of what a decision reads of the resource, so their revisions rise. */
import type { GroupCreate, GroupPatch, GroupRecord } from '../../records/group.js';
import { type Edit, type Head, newHead, removeNamed, type Spec, shownHead, writeNamed } from './named.js';
import { byName, findTargets, type Target, targetList } from './references.js';
import { deletePairs, GROUP_RESOURCES, insertPairs, isSqlite, type Pair } from './sql.js';
import type { Work } from './work.js';

export interface GroupState extends Head {
  readonly resources: readonly Target[];
}

/** JSON of pk, id and name of each linked record; both engines write it the same way. */
const LINKED = {
  sqlite: `(select json_group_array(json_object('pk', r.pk, 'id', r.id, 'name', r.name)) from group_resources l join resources r on r.pk = l.resource_pk where l.group_pk = t.pk)`,
  postgres: `(select coalesce(json_agg(json_build_object('pk', r.pk, 'id', r.id, 'name', r.name)), '[]')::text from group_resources l join resources r on r.pk = l.resource_pk where l.group_pk = t.pk)`,
} as const;

const spec = (engine: keyof typeof LINKED): Spec<GroupState> => ({
  record: 'group',
  kind: 'group',
  table: '"groups"',
  nameColumn: 'name',
  from: '',
  select: `${LINKED[engine]} as resources`,
  columns: {},
  read: (row, head) => ({ ...head, resources: byName(row.json<Target[]>('resources')) }),
  values: () => ({}),
  fields: ({ name, resources }) => ({ name, resources: resources.map((resource) => resource.name) }),
  hidden: [],
});
const SPECS = { sqlite: spec('sqlite'), postgres: spec('postgres') };

/** The kind, in the SQL of the engine behind `db`. */
export const groupSpec = (db: Parameters<typeof isSqlite>[0]): Spec<GroupState> =>
  SPECS[isSqlite(db) ? 'sqlite' : 'postgres'];

/** A group as the API shows it. */
export const shownGroup = (state: GroupState): GroupRecord => ({
  ...shownHead(state),
  name: state.name,
  resources: state.resources.map(({ name }) => name),
});

export interface GroupEdit {
  readonly before: GroupState | null;
  readonly patch: GroupCreate | GroupPatch;
  readonly at: string;
}

/** Changes groups, or makes those that have no `before`. */
export async function changeGroups(work: Work, edits: readonly GroupEdit[]): Promise<GroupState[]> {
  const targets = await findTargets(
    work.tx,
    'resource',
    edits.flatMap(({ patch }) => patch.resources ?? []),
  );
  const planned = edits.map(({ before, patch, at }): Edit<GroupState> => {
    const base = before ?? { ...newHead(work, patch.name ?? ''), resources: [] };
    const resources =
      patch.resources === undefined
        ? base.resources
        : targetList(work, targets, 'resource', patch.resources ?? [], `${at}/resources`);
    return { before, after: { ...base, name: patch.name ?? base.name, resources }, at };
  });
  const written = await writeNamed(work, groupSpec(work.tx), planned);
  if (work.problem !== null) return written;
  const gone: Pair[] = [];
  const added: Pair[] = [];
  written.forEach((group, i) => {
    const before = new Set(planned[i]?.before?.resources.map(({ pk }) => pk));
    const after = new Set(group.resources.map(({ pk }) => pk));
    for (const pk of before) if (!after.has(pk)) gone.push([group.pk, pk]);
    for (const pk of after) if (!before.has(pk)) added.push([group.pk, pk]);
  });
  await deletePairs(work.tx, GROUP_RESOURCES, gone);
  await insertPairs(work.tx, GROUP_RESOURCES, added);
  for (const [, pk] of [...gone, ...added]) work.touchResource(pk, 'raise');
  return written;
}

/** Deletes groups: their members no longer reach what only the group opened. */
export async function removeGroups(work: Work, states: readonly GroupState[]): Promise<void> {
  for (const { resources } of states) for (const { pk } of resources) work.touchResource(pk, 'raise');
  await removeNamed(work, groupSpec(work.tx), states);
}
