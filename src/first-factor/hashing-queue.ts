/**
 * Password hashing takes a thread of libuv's pool for tens of milliseconds, and sqlite3 works in the same pool: unbounded, a
 * flood of sign-ins would hold up the ledger. So few run at once, few wait, and the rest is turned away.
 */

/** What hashing may take of the process. */
export interface HashingLimits {
  /** How many run at once. */
  readonly running: number;
  /** How many wait for those; beyond, `run` refuses. */
  readonly waiting: number;
}

/** libuv's own default, and its maximum, for UV_THREADPOOL_SIZE. */
const POOL_DEFAULT = 4;
const POOL_MAX = 1024;

/** At two at a time and 25 ms each, 256 are through after some 3 s: what a NAS waits for. */
const WAITING = 256;

/** Half of libuv's threads, at least one; `poolSize` is UV_THREADPOOL_SIZE as the environment has it. */
export function hashingLimits(poolSize: string | undefined): HashingLimits {
  const size = poolSize === undefined ? POOL_DEFAULT : Number(poolSize);
  const threads = Number.isInteger(size) && size > 0 ? Math.min(size, POOL_MAX) : POOL_DEFAULT;
  return { running: Math.max(1, Math.floor(threads / 2)), waiting: WAITING };
}

export class HashingQueue {
  readonly #limits: HashingLimits;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limits: HashingLimits) {
    this.#limits = limits;
  }

  /** Runs `task` when its turn comes, and gives what it gives; null, at once, where too many wait already. */
  async run<T>(task: () => Promise<T>): Promise<T | null> {
    if (this.#running >= this.#limits.running) {
      if (this.#waiting.length >= this.#limits.waiting) return null;
      // Whoever ends hands its place on, so that `#running` stays as it is.
      await new Promise<void>((turn) => this.#waiting.push(turn));
    } else {
      this.#running++;
    }
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

/** The process's own queue: libuv's pool is the process's, too. */
export const processHashingQueue = new HashingQueue(hashingLimits(process.env['UV_THREADPOOL_SIZE']));
