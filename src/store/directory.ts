/**
 * Records for decisions, through a bounded cache that the feed keeps true. Misses that arrive together are read together:
 * while one read is on its way the next gathers, and a lone request waits for nobody. A read that began before something
 * changed is not kept, and a feed that has been silent for a second means that nothing cached is used.
 */
import { LRUCache } from 'lru-cache';
import type { Directory, FeedPosition, Found, ResourceFacts, UserFacts } from '../access/ports.js';
import { endOfTurn } from '../base/loop-turn.js';
import type { Clock } from '../base/units.js';
import type { Database } from './database.js';
import type { Change, Feed } from './feed.js';
import { readResource } from './resource-facts.js';
import type { Seal } from './seal.js';
import type { StateOverlay } from './state-overlay.js';
import { readUsers, type UserRead, usersOf } from './user-facts.js';

/** What the directory may hold. A user with one token takes about 1 KiB. */
export const DIRECTORY_LIMITS = {
  users: 8_192,
  names: 16_384,
  resources: 4_096,
  /** Names in one read: more would make the first wait for the last. */
  namesPerRead: 256,
  /** Names waiting for a read; the doors' own bounds are lower. */
  namesWaiting: 16_384,
  /** How long a name that nobody has is remembered, ms. The feed drops it sooner when any user changes. */
  unknownNameMs: 5_000,
} as const;

interface CachedUser {
  readonly facts: UserFacts;
  readonly position: FeedPosition;
}

interface Waiter {
  resolve(found: Found<UserFacts>): void;
  reject(error: unknown): void;
}

export class StoreDirectory implements Directory {
  readonly #database: Database;
  readonly #feed: Feed;
  readonly #seal: Seal;
  readonly #overlay: StateOverlay | null;
  readonly #clock: Clock;
  readonly #onBrokenBox: (tokenId: string) => void;

  readonly #users = new LRUCache<number, CachedUser>({ max: DIRECTORY_LIMITS.users });
  /** Name key → what was cached for it; counts only while `#users` still holds that very object, so a name that was taken away goes too. */
  readonly #names = new LRUCache<string, CachedUser>({ max: DIRECTORY_LIMITS.names });
  readonly #unknownUntil = new LRUCache<string, number>({ max: DIRECTORY_LIMITS.names });
  readonly #resources = new LRUCache<string, { facts: ResourceFacts; position: FeedPosition }>({
    max: DIRECTORY_LIMITS.resources,
  });

  readonly #resourceReads = new Map<
    string,
    { readonly now: Promise<Found<ResourceFacts>>; next: Promise<Found<ResourceFacts>> | null }
  >();
  #waiting = new Map<string, Waiter[]>();
  #reading: Promise<void> | null = null;
  /** Reads whose users have not been handed out yet. */
  readonly #underWay = new Set<Promise<void>>();

  /** `overlay` is the embedded ledger's; null where the database itself holds the state. `onBrokenBox` hears of seeds that do not open. */
  constructor(deps: {
    database: Database;
    feed: Feed;
    seal: Seal;
    overlay: StateOverlay | null;
    clock: Clock;
    onBrokenBox: (tokenId: string) => void;
  }) {
    this.#database = deps.database;
    this.#feed = deps.feed;
    this.#seal = deps.seal;
    this.#overlay = deps.overlay;
    this.#clock = deps.clock;
    this.#onBrokenBox = deps.onBrokenBox;
    deps.feed.listen((changes) => this.#drop(changes));
  }

  userByName(nameKey: string, fresh: boolean): Found<UserFacts> | Promise<Found<UserFacts>> {
    if (!fresh) {
      const now = this.#clock();
      if (!this.#feed.silent(now)) {
        const cached = this.#names.get(nameKey);
        if (cached !== undefined && this.#users.get(cached.facts.pk) === cached)
          return { value: cached.facts, position: Math.max(cached.position, this.#feed.position) };
        if ((this.#unknownUntil.get(nameKey) ?? 0) > now) return { value: null, position: this.#feed.position };
      }
    }
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      const others = this.#waiting.get(nameKey);
      if (others !== undefined) others.push(waiter);
      else if (this.#waiting.size >= DIRECTORY_LIMITS.namesWaiting)
        return reject(new Error('too many names are waiting to be read'));
      else this.#waiting.set(nameKey, [waiter]);
      this.#reading ??= this.#read();
    });
  }

  resourceById(resourceId: string, fresh: boolean): Found<ResourceFacts> | Promise<Found<ResourceFacts>> {
    if (!fresh && !this.#feed.silent(this.#clock())) {
      const cached = this.#resources.get(resourceId);
      if (cached !== undefined)
        return { value: cached.facts, position: Math.max(cached.position, this.#feed.position) };
    }
    return this.#sharedRead(resourceId, fresh);
  }

  /** The facts of a user as they are cached, if they are. */
  cachedUser(userPk: number): UserFacts | null {
    return this.#users.peek(userPk)?.facts ?? null;
  }

  /** Resolves once every read of users that is under way now has ended and its users were handed out. */
  async quiesce(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** Who does not mind joins the read that is on its way; a fresh one has to begin after the call, and many share it. */
  #sharedRead(resourceId: string, fresh: boolean): Promise<Found<ResourceFacts>> {
    const reads = this.#resourceReads.get(resourceId);
    if (reads !== undefined && !fresh) return reads.now;
    if (reads !== undefined) {
      reads.next ??= reads.now.then(
        () => this.#sharedRead(resourceId, false),
        () => this.#sharedRead(resourceId, false),
      );
      return reads.next;
    }
    const now = this.#readResource(resourceId).finally(() => this.#resourceReads.delete(resourceId));
    this.#resourceReads.set(resourceId, { now, next: null });
    return now;
  }

  async #readResource(resourceId: string): Promise<Found<ResourceFacts>> {
    const { facts, position } = await readResource(this.#database.directory, this.#database.engine, resourceId);
    if (facts !== null && !this.#feed.touched(position, 0, facts.pk))
      this.#resources.set(resourceId, { facts, position });
    return { value: facts, position };
  }

  /** One read after the other. What a read has brought is handed out while the next one is on its way. */
  async #read(): Promise<void> {
    await endOfTurn();
    while (this.#waiting.size > 0) {
      const batch = this.#take();
      const read = readUsers(this.#database.directory, this.#database.engine, [...batch.keys()]);
      const delivered = this.#deliver(batch, read).finally(() => this.#underWay.delete(delivered));
      this.#underWay.add(delivered);
      await read.catch(() => undefined); // Those who wait for it are told by #deliver.
    }
    this.#reading = null;
  }

  async #deliver(batch: ReadonlyMap<string, readonly Waiter[]>, reading: Promise<UserRead>): Promise<void> {
    try {
      const read = await reading;
      await endOfTurn();
      const { position } = read;
      await this.#catchUp(position);
      const users = usersOf(read, this.#seal, this.#overlay, this.#onBrokenBox);
      const unknownUntil = this.#clock() + DIRECTORY_LIMITS.unknownNameMs;
      for (const [key, waiters] of batch) {
        const facts = users.get(key) ?? null;
        this.#keep(key, facts, position, unknownUntil);
        for (const waiter of waiters) waiter.resolve({ value: facts, position });
      }
    } catch (error) {
      for (const waiters of batch.values()) for (const waiter of waiters) waiter.reject(error);
    }
  }

  /** Memory must not be behind the read: an unlock that the tables show is one that the overlay has to have heard of. */
  async #catchUp(position: FeedPosition): Promise<void> {
    if (this.#overlay !== null && position > this.#feed.position) await this.#feed.poll();
  }

  #take(): Map<string, Waiter[]> {
    if (this.#waiting.size <= DIRECTORY_LIMITS.namesPerRead) {
      const all = this.#waiting;
      this.#waiting = new Map();
      return all;
    }
    const some = new Map<string, Waiter[]>();
    for (const [key, waiters] of this.#waiting) {
      some.set(key, waiters);
      this.#waiting.delete(key);
      if (some.size === DIRECTORY_LIMITS.namesPerRead) break;
    }
    return some;
  }

  #keep(key: string, facts: UserFacts | null, position: FeedPosition, unknownUntil: number): void {
    if (this.#feed.touched(position, facts?.pk ?? null, 0)) return;
    if (facts === null) {
      this.#unknownUntil.set(key, unknownUntil);
      return;
    }
    const known = this.#users.peek(facts.pk);
    // Another name of a user who is cached and unchanged shares the entry; a new one would push the first name out.
    const shared = known !== undefined && known.facts.revision === facts.revision && this.#overlay !== null;
    const entry = shared ? known : { facts, position };
    this.#names.set(key, entry);
    if (!shared) this.#users.set(facts.pk, entry);
  }

  #drop(changes: readonly Change[]): void {
    for (const { order, kind, pks } of changes) {
      if (kind === 'user' || kind === 'unlock') {
        this.#unknownUntil.clear();
        if (pks === null) this.#users.clear();
        else for (const pk of pks) if ((this.#users.peek(pk)?.position ?? order) < order) this.#users.delete(pk);
      } else if (kind === 'resource') {
        if (pks === null) this.#resources.clear();
        else
          for (const [id, { facts, position }] of this.#resources)
            if (pks.has(facts.pk) && position < order) this.#resources.delete(id);
      }
    }
  }
}
