/**
 * The rules of a decision, in product.md's order; the first that fails is the reason. Decisions, `why`, `explain`, `simulate` and
 * the manual all read this table. Rule 1 (is the request authentic?) is kept by the front doors, rule 10 (is it on disk?) by the
 * ledger after all others were asked.
 */
import { type Facts, isAssigned } from './facts.js';
import { inHours } from './hours.js';
import { inNetworks } from './networks.js';

/** True: it holds. False: it fails. Null: it does not apply, or was not asked. */
export type Verdict = boolean | null;

export interface Rule {
  readonly reason: string;
  readonly holds: (facts: Facts) => Verdict;
  /** What the rule demands, in plain words. */
  readonly title: string;
  /** What to do where it fails. */
  readonly next: string;
}

/** Methods of doors other than RADIUS, which a resource's `methods` do not name. */
const OTHER_DOORS: readonly string[] = ['bind', 'api'];

export const RULES = [
  {
    reason: 'unknown_user',
    holds: ({ user }) => user !== null,
    title: 'the name is the login or an alias of a user',
    next: 'Check the spelling. If the name came with a domain, list that domain at the client; if the person is new, create the user.',
  },
  {
    reason: 'user_inactive',
    holds: ({ user }) => (user === null ? null : user.active),
    title: 'the user is active',
    next: 'The user was blocked. Find out why before you activate it again.',
  },
  {
    reason: 'resource_inactive',
    holds: ({ resource }) => resource?.active ?? false,
    title: 'the resource exists and is active',
    next: 'Activate the resource, or point the client at another one.',
  },
  {
    reason: 'not_assigned',
    holds: ({ user, resource }) => (user === null || resource === null ? null : isAssigned(user, resource)),
    title: 'the user is assigned to the resource, directly or through a group',
    next: 'Assign the user, or one of its groups, to the resource if the person may enter.',
  },
  {
    reason: 'method_not_allowed',
    holds: ({ resource, method }) =>
      resource === null || OTHER_DOORS.includes(method)
        ? null
        : resource.methods.length === 0 || resource.methods.includes(method),
    title: 'the resource takes this RADIUS method',
    next: 'Set the NAS to a method that the resource lists, or add this one to its methods. The code was not spent.',
  },
  {
    reason: 'source_not_allowed',
    holds: ({ resource, source }) => {
      if (resource === null || resource.sourceNetworks.length === 0) return null;
      return source !== null && inNetworks(resource.sourceNetworks, source);
    },
    title: 'the user comes from a network that the resource allows',
    next: 'Add the network to sourceNetworks, or check that the NAS sends the address in Calling-Station-Id.',
  },
  {
    reason: 'outside_hours',
    holds: ({ resource, now }) =>
      resource === null || resource.accessHours.length === 0 ? null : inHours(resource.accessHours, now),
    title: 'the resource is open at this hour',
    next: 'Wait until it opens, or widen accessHours; look at their time zone.',
  },
  {
    reason: 'locked',
    holds: ({ user, lockedUntil, now }) => (user === null ? null : lockedUntil <= now),
    title: 'neither user nor source is locked after too many failures',
    next: 'The lock opens by itself; unlocking the user opens it now. Look at the failures before it: they say who guessed what.',
  },
  {
    reason: 'wrong_password',
    holds: ({ password }) => (password === 'right' ? true : password === 'wrong' ? false : null),
    title: 'the first factor is right',
    next: 'The user should type the password again, in the form that the resource takes. Does it fail for everyone, check the shared secret.',
  },
  {
    reason: 'upstream_unavailable',
    holds: ({ password }) =>
      password === 'unavailable' ? false : password === 'right' || password === 'wrong' || null,
    title: 'whoever checks the first factor answers',
    next: 'Check the upstream directory or RADIUS server, and the way to it. The code was not spent.',
  },
  {
    reason: 'no_token',
    holds: ({ user, resource, tokens }) => (user === null || resource === null ? null : tokens.length > 0),
    title: 'the user has an active token that is usable here',
    next: 'Give the user a token, activate the one there is, or look at the resource’s token types and the token’s resources.',
  },
  {
    reason: 'replayed_otp',
    holds: ({ tokens, otp }) => (tokens.length === 0 ? null : otp !== 'spent'),
    title: 'the one-time password was not used before',
    next: 'The user should wait for the next code. If the client signs in twice by itself, a grace on the resource allows that.',
  },
  {
    reason: 'wrong_otp',
    holds: ({ tokens, otp }) => (tokens.length === 0 ? null : otp !== 'none'),
    title: 'the one-time password matches a token',
    next: 'Check the clock of the phone and that the right entry in the app was used; where a token no longer fits, give the user a new one.',
  },
  {
    reason: 'store_unavailable',
    holds: () => null,
    title: 'the decision is on disk',
    next: 'The database did not answer. Look at the log and at readyz; nothing was accepted and no code was spent.',
  },
] as const satisfies readonly Rule[];

/** Rule 1 and what else a front door refuses before there is anything to decide. */
export const DOOR_REASONS = [
  {
    reason: 'unknown_client',
    title: 'the request comes from a known RADIUS client or LDAP application',
    next: 'Create a client for this address, or correct the address of the one there is.',
  },
  {
    reason: 'bad_authenticator',
    title: 'the request is signed with the client’s shared secret',
    next: 'Enter the same shared secret at the NAS and here.',
  },
  {
    reason: 'malformed',
    title: 'the request holds what a sign-in needs, once',
    next: 'Look at what the client sends: a name and one credential are needed.',
  },
] as const satisfies readonly Omit<Rule, 'holds'>[];

/** Why something was refused. A new rule is a new reason, everywhere, at compile time. */
export type Reason = (typeof RULES)[number]['reason'] | (typeof DOOR_REASONS)[number]['reason'];
