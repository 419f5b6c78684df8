/**
 * One at a time by user: a thousand guesses at once must not be a thousand guesses before the counter moves, nor one code two
 * acceptances. Whoever finds the user busy waits in line, and reads the records again when its turn comes.
 */
export interface Turns {
  /** `now`: it is yours. A promise: it is yours when it resolves. `full`: too many wait already. */
  take(pk: number): 'now' | 'full' | Promise<void>;
  /** Gives the turn on. Only for who holds it, once. */
  release(pk: number): void;
}

/** Turns where at most `waiting` requests stand in line for each user. */
export function makeTurns(waiting: number): Turns {
  /** A key is there while somebody holds the turn; its line is made when the first one has to wait. */
  const lines = new Map<number, (() => void)[] | null>();
  return {
    take(pk) {
      const line = lines.get(pk);
      if (line === undefined) {
        lines.set(pk, null);
        return 'now';
      }
      if (line === null) return new Promise((resolve) => lines.set(pk, [resolve]));
      if (line.length >= waiting) return 'full';
      return new Promise((resolve) => line.push(resolve));
    },
    release(pk) {
      const next = lines.get(pk)?.shift();
      if (next === undefined) lines.delete(pk);
      else next();
    },
  };
}
