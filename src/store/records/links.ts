/** Links between two records, by their ids. Making one that is there and ending one that is not change nothing. */
import { done, failed, type Result } from '../../records/problem.js';
import { findTargets, type Target, type TargetKind } from './references.js';
import {
  deletePairs,
  GROUP_RESOURCES,
  insertPairs,
  type LinkTable,
  query,
  run,
  USER_GROUPS,
  USER_RESOURCES,
} from './sql.js';
import { changeTokens, loadTokensBy, type TokenSetting, type TokenState, tokenName } from './tokens.js';
import type { Work } from './work.js';

export type LinkName = 'userResource' | 'userGroup' | 'groupResource';

const LINKS: Readonly<Record<LinkName, { table: LinkTable; left: TargetKind; right: TargetKind }>> = {
  userResource: { table: USER_RESOURCES, left: 'user', right: 'resource' },
  userGroup: { table: USER_GROUPS, left: 'user', right: 'group' },
  groupResource: { table: GROUP_RESOURCES, left: 'group', right: 'resource' },
};

/** Makes or ends a link. Not found where either end is none. */
export async function changeLink(
  work: Work,
  name: LinkName,
  leftId: string,
  rightId: string,
  linked: boolean,
): Promise<Result<null>> {
  const { table, left, right } = LINKS[name];
  const from = await byId(work, left, leftId);
  const to = await byId(work, right, rightId);
  if (from === null || to === null) return failed({ kind: 'notFound' });
  const there = await query(
    work.tx,
    `select 1 as one from ${table.name} where ${table.left} = ? and ${table.right} = ?`,
    [from.pk, to.pk],
  );
  if (there.length > 0 === linked) return done(null);
  await (linked ? insertPairs : deletePairs)(work.tx, table, [[from.pk, to.pk]]);
  if (left === 'user') work.touchUser(from.pk, 'raise');
  else {
    work.touchResource(to.pk, 'raise');
    work.touch('group', from.pk);
    await run(work.tx, 'update "groups" set revision = revision + 1, updated_at = ? where pk = ?', [work.now, from.pk]);
  }
  recordLink(work, linked, left, from, right, to, left === 'user' ? from.id : null);
  return done(null);
}

/** Lets a token open a resource (once it names any, it opens no other), or takes that away. */
export async function changeTokenResource(
  work: Work,
  tokenId: string,
  resourceId: string,
  linked: boolean,
  setting: TokenSetting,
): Promise<Result<null>> {
  const token = await tokenById(work, tokenId);
  const resource = await byId(work, 'resource', resourceId);
  if (token === null || resource === null) return failed({ kind: 'notFound' });
  const others = token.resources.filter(({ pk }) => pk !== resource.pk).map(({ id }) => id);
  const resources = linked ? [...others, resource.id] : others;
  await changeTokens(work, [{ before: token, patch: { resources }, user: undefined, at: '' }], [], setting);
  return done(null);
}

/** Assigns a token to a user, or takes it back into stock. A token that another user holds is a conflict. */
export async function changeTokenUser(
  work: Work,
  userId: string,
  tokenId: string,
  linked: boolean,
  setting: TokenSetting,
): Promise<Result<null>> {
  const token = await tokenById(work, tokenId);
  const user = await byId(work, 'user', userId);
  if (token === null || user === null) return failed({ kind: 'notFound' });
  if (linked && token.user !== null && token.user.pk !== user.pk) {
    work.conflict('', `${tokenName(token)} is assigned to another user`, `user ${token.user.name}`);
    return done(null);
  }
  if (!linked && token.user?.pk !== user.pk) return done(null);
  await changeTokens(work, [{ before: token, patch: {}, user: linked ? user : null, at: '' }], [], setting);
  return done(null);
}

async function byId(work: Work, kind: TargetKind, id: string): Promise<Target | null> {
  const [found] = (await findTargets(work.tx, kind, [id])).values();
  return found !== undefined && found.id === id.toLowerCase() ? found : null;
}

async function tokenById(work: Work, id: string): Promise<TokenState | null> {
  const [token] = await loadTokensBy.ids(work.tx, [id.toLowerCase()]);
  return token ?? null;
}

function recordLink(
  work: Work,
  linked: boolean,
  left: TargetKind,
  from: Target,
  right: TargetKind,
  to: Target,
  userId: string | null,
): void {
  const detail = { to: { record: right, recordId: to.id, name: to.name } };
  work.record({
    action: linked ? 'linked' : 'unlinked',
    record: left,
    recordId: from.id,
    name: from.name,
    userId,
    detail,
  });
}
