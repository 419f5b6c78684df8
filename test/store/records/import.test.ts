import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { COLUMNS, type ImportedUser, type RowFault, readRow } from '../../../src/records/import-row.js';
import { RecordImport } from '../../../src/store/records/import.js';
import { query } from '../../../src/store/records/sql.js';
import { ENGINES } from '../../support/database.js';
import { BY, OTHER_SEED, openWorld, SEED, value, type World } from './world.js';

/** A row as the file would have it. */
function row(line: number, cells: Readonly<Partial<Record<(typeof COLUMNS)[number], string>>>): ImportedUser {
  const faults: RowFault[] = [];
  const user = readRow(
    COLUMNS,
    COLUMNS.map((column) => cells[column] ?? ''),
    line,
    faults,
  );
  expect(faults).toEqual([]);
  return user;
}

describe.each(ENGINES)('import over %s', (engine) => {
  let world: World;
  let importing: RecordImport;
  beforeEach(async () => {
    world = await openWorld(engine);
    value(await world.store.resources.create({ name: 'vpn' }, BY));
    importing = await RecordImport.begin(world.context, BY);
  });
  afterEach(() => world.close());

  const users = [
    row(2, {
      login: 'Alice',
      aliases: 'asmith;al',
      displayName: 'Alice',
      password: 'pw',
      resource: 'VPN',
      tokenSecret: SEED,
      tokenSerial: 'S-1',
      tokenType: 'hotp',
      counter: '9',
    }),
    row(3, { login: 'bob', tokenSecret: SEED }),
    row(4, { login: 'carol', tokenType: 'totp' }),
    row(5, { login: 'dave' }),
    row(6, { tokenSerial: 'S-2', tokenSecret: OTHER_SEED }),
  ];

  test('writes users with names, links, sealed seeds and counters, in one row of the feed', async () => {
    await world.feed();
    expect(await importing.check(users)).toEqual({ faults: [], counts: { users: 4, tokens: 4, there: 0 } });
    expect(await world.feed()).toEqual([]);
    expect((await importing.write(users)).counts).toEqual({ users: 4, tokens: 4, there: 0 });
    const heard = await world.feed();
    expect(heard.map(({ kind, pks }) => [kind, pks.length])).toEqual([['user', 4]]);
    const alice = value(await world.store.users.find('AL'));
    expect(alice).toMatchObject({
      login: 'Alice',
      aliases: ['al', 'asmith'],
      resources: ['vpn'],
      hasPassword: true,
      tokens: [{ type: 'hotp', serial: 'S-1', hardware: true }],
    });
    expect(value(await world.store.tokens.find('S-2'))).toMatchObject({ user: null, hardware: true });
    expect(
      await world.one(
        `select s.floor as n from token_state s join tokens t on t.pk = s.token_pk where t.serial = 'S-1'`,
      ),
    ).toBe(9);
    const [token] = await query(world.database.records, `select id, secret from tokens where serial = 'S-1'`);
    expect(
      world.seal.open('tokens.secret', token?.text('id') ?? '', token?.text('secret') ?? '')?.toString('latin1'),
    ).toBe('12345678901234567890');
    expect(await world.one('select count(*) as n from user_facts')).toBe(4);
  });

  test('leaves alone what is there, and goes on where it was interrupted', async () => {
    await importing.write(users.slice(0, 2));
    value(
      await world.store.users.update(
        value(await world.store.users.find('alice')).id,
        { displayName: 'Changed since' },
        BY,
      ),
    );
    expect((await importing.write(users)).counts).toEqual({ users: 2, tokens: 2, there: 4 });
    expect((await importing.write(users)).counts).toEqual({ users: 0, tokens: 0, there: 8 });
    expect(value(await world.store.users.find('alice')).displayName).toBe('Changed since');
    expect(await world.one('select count(*) as n from tokens')).toBe(4);
  });

  test('adds a further token to a user who is there, and raises the revision', async () => {
    await importing.write(users);
    const bob = value(await world.store.users.find('bob'));
    await world.feed();
    expect((await importing.write([row(2, { login: 'BOB', tokenSecret: OTHER_SEED })])).counts).toEqual({
      users: 0,
      tokens: 1,
      there: 1,
    });
    expect(value(await world.store.users.find('bob'))).toMatchObject({ revision: bob.revision + 1, tokens: [{}, {}] });
    expect((await world.feed()).map(({ kind }) => kind)).toEqual(['user']);
  });

  test('names that others have, serials that are elsewhere and resources that are none are told by line and column', async () => {
    value(
      await world.store.users.create(
        { login: 'held', aliases: ['nick'], tokens: [{ type: 'totp', serial: 'T-1' }] },
        BY,
      ),
    );
    value(await world.store.tokens.create({ type: 'totp', serial: 'T-2' }, BY));
    const bad = [
      row(2, { login: 'nick' }),
      row(3, { login: 'new', aliases: 'other;HELD' }),
      row(4, { login: 'third', tokenSerial: 'T-1' }),
      row(5, { login: 'fourth', tokenSerial: 'T-2' }),
      row(6, { login: 'fifth', resource: 'nowhere' }),
      row(7, { login: 'self', aliases: 'SELF' }),
      row(8, { login: 'good' }),
    ];
    const { faults, counts } = await importing.check(bad);
    expect(faults.map(({ line, column, message }) => `${line} ${column}: ${message}`)).toEqual([
      '2 login: nick is an alias of held',
      '3 aliases: HELD is taken by held',
      "4 tokenSerial: T-1 is there already, somebody else's",
      '5 tokenSerial: T-2 is there already, in stock',
      '6 resource: no such resource: nowhere',
      '7 aliases: SELF is the login itself',
    ]);
    expect(counts.users).toBe(1);
    expect((await importing.write(bad)).counts).toEqual({ users: 1, tokens: 0, there: 0 });
  });

  test('leaves one event, with what was done', async () => {
    await importing.write(users);
    world.pass(1);
    await importing.finish('users.csv', { users: 4, tokens: 4, there: 0 }, true);
    const { items } = value(await world.store.events.list({ kind: 'change' }));
    expect(items[0]).toMatchObject({
      actor: 'cli:test',
      detail: { action: 'imported', name: 'users.csv', users: 4, tokens: 4, complete: true },
    });
    expect(items.filter(({ detail }) => detail?.['record'] === 'user')).toHaveLength(1);
  });
});
