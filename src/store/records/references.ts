/** From the names that records use for each other to the records: by id, by name, for users by login or alias. */
import type { Knex } from 'knex';
import { isId, nameKey } from '../../records/values.js';
import { query, texts } from './sql.js';
import type { Work } from './work.js';

/** A record as a reference needs it. */
export interface Target {
  readonly pk: number;
  readonly id: string;
  readonly name: string;
}

/** What references can point at. */
export type TargetKind = 'resource' | 'group' | 'user';

const BY_NAME: Readonly<Record<TargetKind, (set: string) => string>> = {
  resource: (set) => `select pk, id, name, name_key as key from resources where name_key in ${set}`,
  group: (set) => `select pk, id, name, name_key as key from "groups" where name_key in ${set}`,
  user: (set) =>
    `select u.pk, u.id, u.login as name, n.key from names n join users u on u.pk = n.user_pk where n.key in ${set}`,
};
const BY_ID: Readonly<Record<TargetKind, (set: string) => string>> = {
  resource: (set) => `select pk, id, name, id as key from resources where id in ${set}`,
  group: (set) => `select pk, id, name, id as key from "groups" where id in ${set}`,
  user: (set) => `select pk, id, login as name, id as key from users where id in ${set}`,
};

/** The records that `references` name, by reference key (lower case); those that name nothing are missing. */
export async function findTargets(
  db: Knex,
  kind: TargetKind,
  references: readonly string[],
): Promise<Map<string, Target>> {
  const keys = [...new Set(references.map(nameKey))];
  const ids = keys.filter(isId);
  const names = keys.filter((key) => !isId(key));
  const found = new Map<string, Target>();
  for (const [sql, set] of [
    [BY_ID[kind], ids],
    [BY_NAME[kind], names],
  ] as const) {
    if (set.length === 0) continue;
    for (const row of await query(db, sql(texts(db)), [JSON.stringify(set)]))
      found.set(row.text('key'), { pk: row.int('pk'), id: row.text('id'), name: row.text('name') });
  }
  return found;
}

/** The target of one reference; where there is none, `work` hears of it and null comes back. */
export function target(
  work: Work,
  targets: ReadonlyMap<string, Target>,
  kind: TargetKind,
  reference: string,
  pointer: string,
): Target | null {
  const found = targets.get(nameKey(reference));
  const expected = work.problem !== null && work.expected.has(`${kind} ${nameKey(reference)}`);
  if (found === undefined && !expected) work.invalid(pointer, `no such ${kind}: ${reference}`);
  return found ?? null;
}

/** The targets of a list, each once, by name. */
export function targetList(
  work: Work,
  targets: ReadonlyMap<string, Target>,
  kind: TargetKind,
  references: readonly string[],
  pointer: string,
): readonly Target[] {
  const found = references.flatMap((reference, i) => target(work, targets, kind, reference, `${pointer}/${i}`) ?? []);
  return byName([...new Map(found.map((each) => [each.pk, each])).values()]);
}

/** Sorted by name, so that two views of the same set are equal. */
export const byName = (targets: readonly Target[]): readonly Target[] =>
  [...targets].sort((a, b) => (nameKey(a.name) < nameKey(b.name) ? -1 : 1));
