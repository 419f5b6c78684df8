import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../../support/database.js';
import { BY, openWorld, problem, value, type World } from './world.js';

describe.each(ENGINES)('lists over %s', (engine) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(engine);
    for (const [login, rest] of Object.entries({
      anna: { displayName: 'Anna Müller', aliases: ['mueller'] },
      'anna.b': { email: 'b@example.org', active: false },
      Annabel: { aliases: ['anna-bel'] },
      bert: { displayName: 'Bert of Annaberg' },
      'x%y': {},
      zoe: { email: 'zoe@ANNA.example' },
    })) {
      value(await world.store.users.create({ login, ...rest }, BY));
      world.pass(1_000);
    }
  });
  afterAll(() => world.close());

  const all = async (query: object, limit: number) => {
    const logins: string[] = [];
    let cursor: string | undefined;
    do {
      const page = value(await world.store.users.list({ ...query, limit, cursor }));
      expect(page.items.length).toBeLessThanOrEqual(limit);
      logins.push(...page.items.map(({ login }) => login));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return logins;
  };

  test.each([1, 2, 3, 500])('users come by login, each once, in parts of %i', async (limit) => {
    expect(await all({}, limit)).toEqual(['anna', 'anna.b', 'Annabel', 'bert', 'x%y', 'zoe']);
    expect(await all({ active: false }, limit)).toEqual(['anna.b']);
    // Names that begin with it first, by name ("anna-bel" is the first of Annabel's); then whoever has it elsewhere.
    expect(await all({ query: 'ANNA' }, limit)).toEqual(['anna', 'Annabel', 'anna.b', 'bert', 'zoe']);
  });

  test('a search looks at login, alias, display name and mail address, and takes % and _ as they are', async () => {
    expect(await all({ query: 'eller' }, 10)).toEqual(['anna']);
    expect(await all({ query: 'MÜLLER' }, 10)).toEqual(['anna']);
    expect(await all({ query: 'example.ORG' }, 10)).toEqual(['anna.b']);
    expect(await all({ query: '%' }, 10)).toEqual(['x%y']);
    expect(await all({ query: '_' }, 10)).toEqual([]);
  });

  test('login= finds one user by login or alias, whatever the case', async () => {
    expect(await all({ login: 'ANNABEL' }, 10)).toEqual(['Annabel']);
    expect(await all({ login: 'Mueller' }, 10)).toEqual(['anna']);
    expect(await all({ login: 'anna.b', active: true }, 10)).toEqual([]);
    expect(await all({ login: 'ann' }, 10)).toEqual([]);
  });

  test.each(['nonsense', '////', Buffer.from('{"a":1}').toString('base64url')])(
    'the cursor %s is none of ours',
    async (cursor) => {
      expect(problem(await world.store.users.list({ cursor }))).toEqual({ kind: 'badCursor' });
      expect(problem(await world.store.events.list({ cursor }))).toEqual({ kind: 'badCursor' });
      expect(problem(await world.store.resources.list({ cursor }))).toEqual({ kind: 'badCursor' });
    },
  );

  test('tokens are found by user, serial, stock and text', async () => {
    value(await world.store.tokens.create({ type: 'hotp', serial: 'FT-0001' }, BY));
    value(await world.store.tokens.create({ type: 'totp', serial: 'FT-0002', user: 'anna', name: 'Phone' }, BY));
    const serials = async (query: object) =>
      value(await world.store.tokens.list(query)).items.map(({ serial }) => serial);
    expect(await serials({ user: 'MUELLER' })).toEqual(['FT-0002']);
    expect(await serials({ user: 'nobody' })).toEqual([]);
    expect(await serials({ inStock: true })).toEqual(['FT-0001']);
    expect(await serials({ query: 'ft-' })).toEqual(['FT-0001', 'FT-0002']);
    expect(await serials({ query: 'phone', type: 'totp' })).toEqual(['FT-0002']);
    expect(await serials({ serial: 'FT-0001' })).toEqual(['FT-0001']);
  });

  test('events come newest first, in parts, and by user, time and text', async () => {
    const times = async (query: object) =>
      value(await world.store.events.list({ limit: 500, ...query })).items.map(({ login }) => login);
    const users = (await times({ kind: 'change' })).filter((login) => login !== null);
    expect(users).toEqual(['zoe', 'x%y', 'bert', 'Annabel', 'anna.b', 'anna']);
    const first = Date.UTC(2026, 10, 24, 12);
    expect(await times({ from: first + 1_000, to: first + 3_000 })).toEqual(['Annabel', 'anna.b']);
    expect(await times({ user: 'bert' })).toEqual(['bert']);
    expect((await times({ user: 'MUELLER' })).at(-1)).toBe('anna');
    expect(await times({ query: 'ANNABEL' })).toEqual(['Annabel']);
    expect(await times({ outcome: 'accepted' })).toEqual([]);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = value(await world.store.events.list({ limit: 3, cursor }));
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual([...new Set(seen)].sort().reverse());
    expect(value(await world.store.events.get(seen[0] ?? '')).id).toBe(seen[0]);
    expect(problem(await world.store.events.get('nothing'))).toEqual({ kind: 'notFound' });
  });
});
