/** The first factor `local`: the user's own password, kept as an argon2id hash. */
import type { FirstFactorResult, UserFacts } from '../access/ports.js';
import { type HashingQueue, processHashingQueue } from './hashing-queue.js';
import { verifyPassword } from './password.js';

/** Checks one kind of first factor; as FirstFactors.check, without the name. */
export type FirstFactorCheck = (user: UserFacts | null, login: string, password: string) => Promise<FirstFactorResult>;

/** Takes as long for nobody, and for a user without a password, as for a wrong password. */
export function localFirstFactor(queue: HashingQueue = processHashingQueue): FirstFactorCheck {
  return async (user, _login, password) => {
    const matches = await verifyPassword(user?.passwordHash ?? null, password, queue);
    if (matches === null) return 'overload';
    // No password is set to nothing, and a directory behind another factor would take it for an anonymous bind.
    return matches && password !== '' ? 'right' : 'wrong';
  };
}
