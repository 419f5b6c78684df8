/** What the rules look at: everything that one decision is made on, gathered before the first rule is asked. */
import type { Instant } from '../base/units.js';
import type { ResourceFacts, TokenFacts, UserFacts } from './ports.js';

/**
 * What is known of the first factor. `none`: the resource asks for none. `unasked`: a rule before it has failed, or nobody has
 * been asked yet. An empty password and one that did not decode are `wrong` without asking.
 */
export type PasswordFact = 'none' | 'unasked' | 'right' | 'wrong' | 'unavailable';

/** What the code was. `repeat`: spent a moment ago by this very datagram, or within a grace; accepted again, consumes nothing. */
export type OtpFact = 'fresh' | 'repeat' | 'spent' | 'none';

export interface Facts {
  readonly now: Instant;
  readonly user: UserFacts | null;
  readonly resource: ResourceFacts | null;
  /** How the credential travelled, as a resource's `methods` spell it; `bind` and `api` are no RADIUS methods. */
  readonly method: string;
  /** Where the user comes from: a canonical address, or null where the door was not told. */
  readonly source: string | null;
  /** When the last lock on user and source ends; 0 for none. */
  readonly lockedUntil: Instant;
  readonly password: PasswordFact;
  /** The user's tokens that are active and may open this resource. */
  readonly tokens: readonly TokenFacts[];
  readonly otp: OtpFact;
}

/** The tokens of `user` that are active, of a type that `resource` takes, and bound to it or to none. */
export function usableTokens(user: UserFacts | null, resource: ResourceFacts | null): readonly TokenFacts[] {
  if (user === null || resource === null) return [];
  return user.tokens.filter(
    (token) =>
      token.active &&
      (resource.tokenTypes.length === 0 || resource.tokenTypes.includes(token.type)) &&
      (token.resources.length === 0 || token.resources.includes(resource.pk)),
  );
}

/** True where `user` reaches `resource`, directly or through a group. */
export const isAssigned = (user: UserFacts, resource: ResourceFacts): boolean =>
  user.resources.includes(resource.pk) || user.groups.some((group) => resource.groups.includes(group));
