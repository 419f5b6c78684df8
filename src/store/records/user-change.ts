/** A user with tokens, as a body of the API names them: both are one change. */
import type { TokenOfUser } from '../../records/token.js';
import type { Target } from './references.js';
import { planUserTokens, type Taking, type TokenPlan } from './token-plan.js';
import { changeTokens, loadTokensBy, type TokenSetting, type TokenState } from './tokens.js';
import { changeUsers, type UserEdit, type UserState } from './users.js';
import type { Work } from './work.js';

/** Changes users and then the tokens of those whose patch lists them. Returns the users as they are now. */
export async function changeUsersAndTokens(
  work: Work,
  edits: readonly UserEdit[],
  setting: TokenSetting,
  taking: Taking,
): Promise<UserState[]> {
  const users = await changeUsers(work, edits);
  const listed = users.flatMap((user, i) => {
    const edit = edits[i];
    const tokens = edit?.patch.tokens;
    return tokens === undefined || edit === undefined ? [] : [{ user, tokens: tokens ?? [], at: `${edit.at}/tokens` }];
  });
  await changeTokenLists(work, listed, setting, taking);
  return users;
}

interface TokenList {
  readonly user: UserState;
  readonly tokens: readonly TokenOfUser[];
  readonly at: string;
}

async function changeTokenLists(
  work: Work,
  lists: readonly TokenList[],
  setting: TokenSetting,
  taking: Taking,
): Promise<void> {
  if (lists.length === 0) return;
  const present = new Map<number, TokenState[]>();
  for (const token of await loadTokensBy.users(
    work.tx,
    lists.map(({ user }) => user.pk),
  )) {
    const pk = token.user?.pk ?? 0;
    present.set(pk, [...(present.get(pk) ?? []), token]);
  }
  const serials = lists.flatMap(({ tokens }) => tokens.flatMap(({ serial }) => serial ?? []));
  const bySerial = new Map((await loadTokensBy.serials(work.tx, serials)).map((token) => [token.serial ?? '', token]));
  // The same token loaded twice must be one object: a plan tells tokens apart by identity.
  for (const tokens of present.values())
    for (const token of tokens)
      if (token.serial !== null && bySerial.has(token.serial)) bySerial.set(token.serial, token);
  const plan: TokenPlan = { edits: [], removals: [] };
  for (const { user, tokens, at } of lists) {
    const target: Target = { pk: user.pk, id: user.id, name: user.login };
    const { edits, removals } = planUserTokens(work, target, present.get(user.pk) ?? [], tokens, bySerial, {
      seal: setting.seal,
      taking,
      at,
    });
    plan.edits.push(...edits);
    plan.removals.push(...removals);
  }
  await settleMoves(work, plan, setting);
}

/** A token that one list gives up and another takes moves: it is neither destroyed nor sent to stock on the way. */
async function settleMoves(work: Work, plan: TokenPlan, setting: TokenSetting): Promise<void> {
  const taken = new Set(plan.edits.flatMap(({ before, user }) => (before !== null && user !== null ? [before] : [])));
  const edits = plan.edits.filter(({ before, user }) => before === null || user !== null || !taken.has(before));
  await changeTokens(
    work,
    edits,
    plan.removals.filter((token) => !taken.has(token)),
    setting,
  );
}
