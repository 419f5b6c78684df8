/**
 * Who calls: `Authorization: Bearer <api key>` (RFC 6750). A key has 256 random bits, so its SHA-256 is looked up and
 * nothing slower is needed; comparing hashes tells a stopwatch nothing about the key.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../base/units.js';
import type { ApiKeyHolder, RecordStore } from '../store/record-store.js';
import { BriefCache } from './brief-cache.js';
import { Budget } from './budget.js';
import { KEY_CACHE, WRONG_KEY_BUDGET } from './limits.js';
import { hostOf } from './peer.js';

/** Who calls. */
export type Caller = ApiKeyHolder;

/** Where keys are found: the holder of a key that is not revoked, else null. Rejects where the store cannot be read. */
export type ApiKeys = Pick<RecordStore['apiKeys'], 'holder'>;

/** Who calls, or why that is not known. `wait` in seconds. */
export type Authentication =
  | { readonly kind: 'caller'; readonly caller: Caller }
  | { readonly kind: 'no_key' }
  | { readonly kind: 'wrong_key' }
  | { readonly kind: 'too_many'; readonly wait: number }
  | { readonly kind: 'store_unavailable'; readonly cause: unknown };

// RFC 6750 §2.1: b64token, and RFC 9110 §11.1: the scheme without regard to case. The length bounds what is hashed.
const BEARER = /^bearer +([A-Za-z0-9._~+/-]{1,512}=*) *$/i;

export class BearerAuth {
  readonly #keys: ApiKeys;
  readonly #clock: Clock;
  readonly #known: BriefCache<Caller>;
  readonly #wrong = new Budget(WRONG_KEY_BUDGET);

  constructor(keys: ApiKeys, clock: Clock) {
    this.#keys = keys;
    this.#clock = clock;
    this.#known = new BriefCache(KEY_CACHE, clock);
  }

  /**
   * Tells who sent `authorization` from `address`. A try is paid for before it is looked up and given back where the key
   * is good, so that many at once are not many before the budget moves; a key that was good lately pays nothing, so that a
   * guesser behind the same address does not shut it out.
   */
  async identify(authorization: string | undefined, address: string): Promise<Authentication> {
    const key = authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
    if (key === undefined) return { kind: 'no_key' };
    const hash = createHash('sha256').update(key).digest('hex');
    const known = this.#known.get(hash);
    if (known !== undefined) return { kind: 'caller', caller: known };

    const host = hostOf(address);
    const wait = this.#wrong.wait(host, this.#clock());
    if (wait > 0) return { kind: 'too_many', wait };
    this.#wrong.spend(host, this.#clock());
    try {
      const caller = await this.#known.getOr(hash, () => this.#keys.holder(key));
      if (caller === null) return { kind: 'wrong_key' };
      this.#wrong.refund(host, this.#clock());
      return { kind: 'caller', caller };
    } catch (cause) {
      this.#wrong.refund(host, this.#clock());
      return { kind: 'store_unavailable', cause };
    }
  }

  /** Forgets what was looked up: a key was made, changed or revoked. */
  invalidate(): void {
    this.#known.invalidate();
  }
}
