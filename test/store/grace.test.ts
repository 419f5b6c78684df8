import { afterEach, describe, expect, test } from 'vitest';
import { makeAuthenticate } from '../../src/access/authenticate.js';
import type { AccessRequest } from '../../src/access/request.js';
import { Secret } from '../../src/base/secret.js';
import { instant } from '../../src/base/units.js';
import { uuid7 } from '../../src/base/uuid7.js';
import { hotp } from '../../src/otp/hotp.js';
import { ChangeWriter } from '../../src/store/change.js';
import { StoreDirectory } from '../../src/store/directory.js';
import { Feed } from '../../src/store/feed.js';
import { Fold } from '../../src/store/fold.js';
import { EmbeddedLedger } from '../../src/store/ledger-embedded.js';
import type { LedgerObserver } from '../../src/store/ledger-health.js';
import { SharedLedger } from '../../src/store/ledger-shared.js';
import type { RecordStore } from '../../src/store/record-store.js';
import { openRecordStore } from '../../src/store/records/store.js';
import { Seal } from '../../src/store/seal.js';
import { StateOverlay } from '../../src/store/state-overlay.js';
import { ENGINES, makeDatabase, type TestDatabase } from '../support/database.js';

const KEY = Buffer.from('12345678901234567890');
const BASE32 = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const BY = { name: 'system', source: null };
const START = instant(1_800_000_015_000);
const CODE = hotp('SHA1', KEY, 6, 1_800_000_015 / 30 - 0.5);

const fail = (error: unknown): never => {
  throw error;
};
const failures: unknown[] = [];
const observer: LedgerObserver = {
  batch: () => undefined,
  failed: (error) => failures.push(error),
  recovered: () => undefined,
};

/** A database with alice, her token and a resource; nodes decide on it. */
class Site {
  now = START;
  readonly #seal = new Seal(Secret.of(Buffer.alloc(32, 7)));
  readonly #test: TestDatabase;
  readonly #clock = () => this.now;
  readonly #stops: (() => Promise<void>)[] = [];
  readonly records: RecordStore;
  #nodes = 0;
  resourceId = '';
  userId = '';

  constructor(made: TestDatabase) {
    this.#test = made;
    this.records = openRecordStore({
      database: made.database,
      changes: new ChangeWriter('records'),
      seal: this.#seal,
      passwords: { hash: async (password) => password, verify: async (hash, password) => hash === password },
      clock: this.#clock,
    });
  }

  async fill(graces: { rebindGrace?: string; reconnectGrace?: string }): Promise<void> {
    const resource = await this.records.resources.create(
      { name: 'vpn', firstFactor: 'none', credentialForms: ['otp'], ...graces },
      BY,
    );
    const user = await this.records.users.create(
      { login: 'alice', resources: ['vpn'], tokens: [{ type: 'totp', secret: BASE32 }] },
      BY,
    );
    if (!resource.ok || !user.ok) throw new Error(JSON.stringify([resource, user]));
    this.resourceId = resource.value.id;
    this.userId = user.value.id;
  }

  /** A process that starts on the database. */
  async node() {
    const { database } = this.#test;
    const feed = new Feed(database, this.#clock, fail);
    await feed.start();
    const overlay = database.engine === 'sqlite' ? new StateOverlay() : null;
    const cached: { user: (pk: number) => ReturnType<StoreDirectory['cachedUser']> } = { user: () => null };
    const deps = { db: database.ledger, writer: `node${this.#nodes++}`, observer, cached };
    const embedded = overlay === null ? null : new EmbeddedLedger({ ...deps, feed, overlay });
    const ledger = embedded ?? new SharedLedger(deps);
    const directory = new StoreDirectory({
      database,
      feed,
      seal: this.#seal,
      overlay,
      clock: this.#clock,
      onBrokenBox: fail,
    });
    cached.user = (pk) => directory.cachedUser(pk);
    await embedded?.start();
    const authenticate = makeAuthenticate({
      directory,
      ledger,
      firstFactors: { check: async () => 'right' },
      clock: this.#clock,
      micros: () => 0,
      newId: uuid7,
      hashWrong: (text) => this.#seal.fingerprint(text),
      hashGrace: (text) => this.#seal.fingerprint(text),
      unknownLogins: 'shortened',
      onError: fail,
    });
    const stop = async () => {
      await ledger.stop();
      await feed.stop();
    };
    this.#stops.push(stop);
    return {
      stop,
      /** Brings the tables up to the log, where the log is the ledger. */
      async fold() {
        if (embedded === null || overlay === null) return;
        await new Fold({ db: database.ledger, ledger: embedded, overlay, directory, feed, onError: fail }).fold();
      },
      /** The outcome, or the reason where there is one. */
      ask: async (change: Partial<AccessRequest>): Promise<string> => {
        const decision = await authenticate({ ...this.#request(), ...change });
        return decision.outcome === 'refused' ? decision.reason : decision.outcome;
      },
    };
  }

  #request(): AccessRequest {
    return {
      door: 'ldap',
      method: 'bind',
      client: 'wiki',
      domains: [],
      resourceId: this.resourceId,
      login: 'alice',
      credential: { kind: 'text', text: CODE },
      source: null,
      station: null,
      peer: '198.51.100.1',
      datagram: null,
      receivedAt: this.now,
    };
  }

  /** What the database's log and state hold of graces. */
  async kept(): Promise<{ events: unknown[]; state: unknown[] }> {
    const { records } = this.#test.database;
    return {
      events: await records('events').whereNotNull('grace').pluck('grace'),
      state: await records('token_state').pluck('last_grace'),
    };
  }

  async end(): Promise<void> {
    for (const stop of this.#stops) await stop();
    await this.#test.drop();
  }
}

let site: Site;
afterEach(async () => {
  await site.end();
  expect(failures.splice(0)).toEqual([]);
});

async function aSite(engine: (typeof ENGINES)[number], graces: Parameters<Site['fill']>[0]): Promise<Site> {
  site = new Site(await makeDatabase(engine));
  await site.fill(graces);
  return site;
}

describe.each(ENGINES)('the graces on %s', (engine) => {
  test('LDAP-26: a bind is accepted again after a restart, and after one more with the log folded', async () => {
    await aSite(engine, { rebindGrace: '60s' });
    const first = await site.node();
    expect(await first.ask({})).toBe('accepted');
    expect(await first.ask({})).toBe('accepted');
    await first.stop();

    const second = await site.node();
    expect(await second.ask({})).toBe('accepted');
    expect(await second.ask({ peer: '198.51.100.2' })).toBe('replayed_otp');
    await second.fold();
    expect(await second.ask({})).toBe('accepted');
    await second.stop();

    const third = await site.node();
    expect(await third.ask({})).toBe('accepted');
    site.now = instant(START + 60_000);
    expect(await third.ask({})).not.toBe('accepted');
  });

  test('RAD-53: a retry that no duplicate cache sees is accepted by a node that starts after the first died', async () => {
    await aSite(engine, { reconnectGrace: '60s' });
    const login = { door: 'radius', method: 'pap', client: 'edge', station: '00-11-22-33-44-55' } as const;
    const first = await site.node();
    expect(await first.ask({ ...login, datagram: 'abc' })).toBe('accepted');
    await first.stop();
    const second = await site.node();
    expect(await second.ask({ ...login, datagram: 'xyz' })).toBe('accepted');
    expect(await second.ask({ ...login, station: '66-77-88-99-AA-BB', datagram: 'uvw' })).toBe('replayed_otp');
  });

  test('what is kept is a keyed hash with the time, once: a repeat adds nothing', async () => {
    await aSite(engine, { rebindGrace: '60s' });
    const node = await site.node();
    await node.ask({});
    site.now = instant(START + 5_000);
    await node.ask({});
    await node.fold();
    const { events, state } = await site.kept();
    expect(events).toEqual([expect.stringMatching(new RegExp(`^[\\w-]{16}:${START}$`))]);
    expect(state).toEqual(events);
    expect(String(events)).not.toContain(CODE);
  });

  test('off by default: the same bind is a replay, at once and after a restart, and nothing is kept', async () => {
    await aSite(engine, {});
    const first = await site.node();
    expect(await first.ask({})).toBe('accepted');
    expect(await first.ask({})).toBe('replayed_otp');
    await first.fold();
    await first.stop();
    const second = await site.node();
    expect(await second.ask({})).toBe('replayed_otp');
    expect(await site.kept()).toEqual({ events: [], state: [null] });
  });

  test('a block ends it at once', async () => {
    await aSite(engine, { rebindGrace: '60s' });
    const node = await site.node();
    expect(await node.ask({})).toBe('accepted');
    await site.records.users.update(site.userId, { active: false }, BY);
    expect(await node.ask({})).toBe('user_inactive');
  });

  test.runIf(engine === 'postgres')(
    'a node that cached the user before the acceptance elsewhere knows it too',
    async () => {
      await aSite(engine, { rebindGrace: '60s' });
      const [one, other] = [await site.node(), await site.node()];
      expect(await other.ask({ credential: { kind: 'text', text: '000000' } })).toBe('wrong_otp');
      expect(await one.ask({})).toBe('accepted');
      expect(await other.ask({})).toBe('accepted');
      expect((await site.kept()).events).toHaveLength(1);
    },
  );

  test.runIf(engine === 'postgres')('a lock that came on another node holds for a repeat as well', async () => {
    await aSite(engine, { rebindGrace: '60s' });
    const [one, other] = [await site.node(), await site.node()];
    expect(await one.ask({})).toBe('accepted');
    const reasons = [];
    for (let guess = 0; guess < 20; guess++)
      reasons.push(await other.ask({ credential: { kind: 'text', text: String(guess).padStart(6, '0') } }));
    expect(reasons.at(-1)).toBe('locked');
    expect(await one.ask({})).toBe('locked');
  });
});
