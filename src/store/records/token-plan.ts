/**
 * From a user's list of tokens, as a body or file names it, to what has to be done. A token is the same by its serial, else by its
 * user and name, else by its seed, else by its place among the user's tokens of that type; reapplying a list resets nothing.
 * Another seed under the same serial or name is another token, which takes the old one's place.
 */
import { Secret } from '../../base/secret.js';
import { decodeBase32 } from '../../otp/base32.js';
import type { TokenCreate, TokenOfUser } from '../../records/token.js';
import { nameKey } from '../../records/values.js';
import type { Seal } from '../seal.js';
import type { Target } from './references.js';
import type { TokenEdit, TokenState } from './tokens.js';
import type { Work } from './work.js';

/** What is to be done for one user or one list. */
export interface TokenPlan {
  readonly edits: TokenEdit[];
  /** Destroyed. */
  readonly removals: TokenState[];
}

/** Whether a list may take a token from another user: a file that is the truth may, a body of the API may not. */
export type Taking = 'mayTake' | 'mayNotTake';

/** Plans a user's whole list: what it does not name is destroyed, hardware goes back to stock. */
export function planUserTokens(
  work: Work,
  user: Target,
  present: readonly TokenState[],
  wanted: readonly TokenOfUser[],
  bySerial: ReadonlyMap<string, TokenState>,
  context: { readonly seal: Seal; readonly taking: Taking; readonly at: string },
): TokenPlan {
  const plan: TokenPlan = { edits: [], removals: [] };
  const open = new Set(present);
  // Serials, names and seeds first: a place is only a guess, and must not take what another entry names.
  const matches = new Map<number, TokenState>();
  for (const rule of [
    (entry: TokenOfUser) => (typeof entry.serial === 'string' ? (bySerial.get(entry.serial) ?? null) : null),
    (entry: TokenOfUser) =>
      typeof entry.name === 'string'
        ? find(open, ({ name }) => name !== null && nameKey(name) === nameKey(entry.name ?? ''))
        : null,
    (entry: TokenOfUser) =>
      typeof entry.secret === 'string'
        ? find(open, (token) => sameSecret(context.seal, token, entry.secret ?? ''))
        : null,
    (entry: TokenOfUser) =>
      typeof entry.secret === 'string' || typeof entry.serial === 'string'
        ? null
        : find(open, ({ type, name, serial }) => type === entry.type && name === null && serial === null),
  ]) {
    wanted.forEach((entry, i) => {
      if (matches.has(i)) return;
      const match = rule(entry);
      if (match === null) return;
      matches.set(i, match);
      open.delete(match);
    });
  }
  wanted.forEach((entry, i) => {
    const at = `${context.at}/${i}`;
    const match = matches.get(i) ?? null;
    if (match !== null && match.user !== null && match.user.pk !== user.pk && context.taking === 'mayNotTake')
      work.conflict(`${at}/serial`, `${match.serial} is assigned to another user`, `user ${match.user.name}`);
    planToken(work, plan, entry, match, user, { seal: context.seal, at });
  });
  for (const token of open) {
    if (token.hardware) plan.edits.push({ before: token, patch: { resources: [] }, user: null, at: context.at });
    else plan.removals.push(token);
  }
  return plan;
}

/** Plans one token: a change of `match`, its replacement, or a new one. `user` undefined leaves a present token where it is. */
export function planToken(
  work: Work,
  plan: TokenPlan,
  entry: TokenCreate | TokenOfUser,
  match: TokenState | null,
  user: Target | null | undefined,
  context: { readonly seal: Seal; readonly at: string },
): void {
  const { at, seal } = context;
  const other = match === null ? null : otherSeed(seal, match, entry);
  if (match !== null && other === null) {
    plan.edits.push({ before: match, patch: changeable(entry), user, at });
    return;
  }
  if (match !== null && other !== null) {
    if (typeof entry.secret !== 'string') {
      work.invalid(
        `${at}/${other}`,
        'is fixed once a token is made; another one needs its secret, and takes the place of this one',
      );
      return;
    }
    plan.removals.push(match);
  }
  plan.edits.push({ before: null, patch: entry, user: user === undefined ? (match?.user ?? null) : user, at });
}

const changeable = ({ serial, name, active, resources }: TokenCreate | TokenOfUser) => ({
  serial,
  name,
  active,
  resources,
});

/** The field by which the entry's seed is another than the token's; null where what the entry names agrees. */
function otherSeed(seal: Seal, token: TokenState, entry: TokenCreate | TokenOfUser): string | null {
  if (entry.type !== token.type) return 'type';
  if (typeof entry.secret === 'string' && !sameSecret(seal, token, entry.secret)) return 'secret';
  for (const field of ['algorithm', 'digits', 'period'] as const) {
    const value = entry[field];
    if (value !== undefined && value !== null && value !== token[field]) return field;
  }
  return null;
}

function sameSecret(seal: Seal, token: TokenState, text: string): boolean {
  const decoded = decodeBase32(text);
  const held = seal.openSecret('tokens.secret', token.id, token.secretBox);
  return decoded.kind === 'octets' && held?.equals(Secret.of(decoded.octets)) === true;
}

function find(tokens: ReadonlySet<TokenState>, holds: (token: TokenState) => boolean): TokenState | null {
  for (const token of tokens) if (holds(token)) return token;
  return null;
}
