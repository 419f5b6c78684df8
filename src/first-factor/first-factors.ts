/** The first factors of this installation, by the names that resources have for them. */
import type { FirstFactors } from '../access/ports.js';
import type { HashingQueue } from './hashing-queue.js';
import { type FirstFactorCheck, localFirstFactor } from './local.js';

export interface FirstFactorsOptions {
  /** Where password hashing queues; the process's own queue where it is left out. */
  readonly queue?: HashingQueue;
}

/** `local` is always there. A name that is not is `unavailable`: the resource names an upstream that nobody configured. */
export function makeFirstFactors(options: FirstFactorsOptions = {}): FirstFactors {
  const checks = new Map<string, FirstFactorCheck>([['local', localFirstFactor(options.queue)]]);
  return {
    check: async (firstFactor, user, login, password) =>
      (await checks.get(firstFactor)?.(user, login, password)) ?? 'unavailable',
  };
}
