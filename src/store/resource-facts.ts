/** Reads a resource as decisions see it: its policy with durations as numbers, and the groups whose members reach it. */
import type { Knex } from 'knex';
import type { FeedPosition, ResourceFacts } from '../access/ports.js';
import { policyFacts } from '../records/policy.js';
import { type Database, inTime } from './database.js';
import { POSITION_SQL } from './feed-position.js';

interface ResourceRow {
  readonly pk: number | string | null;
  readonly id: string;
  readonly name: string;
  readonly active: boolean | number;
  readonly revision: number | string;
  readonly policy: string;
  readonly groups: string;
  readonly position: number | string;
}

const groupsSql = (engine: Database['engine']): string =>
  engine === 'sqlite'
    ? '(select json_group_array(group_pk) from group_resources where resource_pk = r.pk)'
    : `(select coalesce(json_agg(group_pk), '[]')::text from group_resources where resource_pk = r.pk)`;

/** The resource with this id, or null, and the feed's position in the snapshot. Rejects where the database cannot be read. */
export async function readResource(
  db: Knex,
  engine: Database['engine'],
  resourceId: string,
): Promise<{ facts: ResourceFacts | null; position: FeedPosition }> {
  // The left join keeps the position where there is no such resource.
  const statement = db.raw(
    `select r.pk, r.id, r.name, r.active, r.revision, r.policy, ${groupsSql(engine)} as "groups", p.position
     from (select ${POSITION_SQL[engine]} as position) p left join resources r on r.id = ?`,
    [resourceId],
  );
  const answer = await inTime(engine, statement);
  const row: ResourceRow = engine === 'sqlite' ? answer[0] : answer.rows[0];
  const position = Number(row.position);
  if (row.pk === null) return { facts: null, position };
  const groups: number[] = JSON.parse(row.groups);
  return {
    facts: {
      ...policyFacts(row.policy),
      pk: Number(row.pk),
      id: row.id,
      name: row.name,
      active: row.active === 1 || row.active === true,
      revision: Number(row.revision),
      groups,
    },
    position,
  };
}
