import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordsFile } from '../../../src/records/records-file.js';
import { type ApplyOptions, applyRecords } from '../../../src/store/records/apply.js';
import { exportRecords } from '../../../src/store/records/export.js';
import { query } from '../../../src/store/records/sql.js';
import { ENGINES } from '../../support/database.js';
import { BY, OTHER_SEED, openWorld, SEED, value, type World } from './world.js';

const FILE = {
  groups: [{ name: 'staff', resources: ['vpn'] }],
  resources: [{ name: 'vpn' }, { name: 'wiki', firstFactor: 'local', lockout: { failures: 3 } }],
  radiusClients: [{ name: 'edge', address: '127.0.0.1/32', secret: 'testing123', resource: 'vpn' }],
  ldapApplications: [
    {
      name: 'wiki',
      baseDn: 'dc=example,dc=org',
      resource: 'wiki',
      serviceAccounts: [{ dn: 'cn=wiki,dc=example,dc=org', password: 'svc' }],
    },
  ],
  users: [
    {
      login: 'alice',
      aliases: ['asmith'],
      password: 'correct horse',
      groups: ['staff'],
      tokens: [{ type: 'hotp', secret: SEED, counter: 3 }],
    },
    {
      login: 'bob',
      resources: ['wiki'],
      tokens: [
        { type: 'totp', name: 'phone' },
        { type: 'hotp', serial: 'FT-2', secret: SEED },
      ],
    },
  ],
  tokens: [{ type: 'hotp', serial: 'FT-1', secret: SEED }],
};

describe.each(ENGINES)('apply over %s', (engine) => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld(engine);
  });
  afterEach(() => world.close());

  const apply = (file: unknown, options: Partial<ApplyOptions> = {}) =>
    applyRecords(world.context, recordsFile.parse(file), BY, { prune: false, rehearse: false, ...options });
  /** What became of records that did not stay as they were. */
  const changes = async (file: unknown, options: Partial<ApplyOptions> = {}) => {
    const applied = await apply(file, options);
    if (!applied.ok) throw new Error(JSON.stringify(applied.errors));
    return applied.outcomes
      .filter(({ action }) => action !== 'unchanged')
      .map(({ action, record, name }) => `${action} ${record} ${name}`);
  };
  const user = async (reference: string) => value(await world.store.users.find(reference));
  const state = async () => {
    const tables = [
      'users',
      'names',
      'tokens',
      'token_state',
      'resources',
      '"groups"',
      'user_groups',
      'user_resources',
      'group_resources',
      'radius_clients',
      'ldap_applications',
      'changes',
      'events',
    ];
    return Promise.all(tables.map((table) => world.one(`select count(*) as n from ${table}`)));
  };

  test('makes the records what the file says, references in any order, in one row of the feed a kind', async () => {
    await world.feed();
    expect(await changes(FILE)).toHaveLength(11);
    expect((await world.feed()).map(({ kind }) => kind).sort()).toEqual([
      'group',
      'ldapApplication',
      'radiusClient',
      'resource',
      'token',
      'user',
    ]);
    expect(await user('asmith')).toMatchObject({
      login: 'alice',
      hasPassword: true,
      groups: ['staff'],
      tokens: [{ type: 'hotp' }],
    });
    expect(
      await world.one(
        `select s.floor as n from token_state s join tokens t on t.pk = s.token_pk join users u on u.pk = t.user_pk where u.login = 'alice'`,
      ),
    ).toBe(3);
  });

  test('a second time it changes nothing: no row, no event, no counter, though passwords are in the file', async () => {
    await apply(FILE);
    await query(world.database.records, `update token_state set floor = 77 returning floor`);
    const before = await state();
    expect(await changes(FILE)).toEqual([]);
    expect(await state()).toEqual(before);
    expect(await world.one('select min(floor) as n from token_state')).toBe(77);
  });

  test('a rehearsal says what would change and changes nothing', async () => {
    const before = await state();
    expect(await changes(FILE, { rehearse: true })).toHaveLength(11);
    expect(await state()).toEqual(before);
    await apply(FILE);
    const after = await state();
    const next = { ...FILE, users: [{ login: 'alice', active: false }] };
    expect(await changes(next, { rehearse: true })).toEqual(['updated user alice']);
    expect(await state()).toEqual(after);
    expect((await user('alice')).active).toBe(true);
  });

  test('what the file does not name is left alone; a list that it names is the whole list; null clears', async () => {
    await apply(FILE);
    expect(await changes({ users: [{ login: 'ALICE', displayName: 'Alice' }] })).toEqual(['updated user ALICE']);
    expect(await user('asmith')).toMatchObject({
      login: 'ALICE',
      displayName: 'Alice',
      groups: ['staff'],
      tokens: [{ type: 'hotp' }],
    });
    expect(
      await changes({ users: [{ login: 'alice', displayName: null, aliases: [], tokens: [], password: null }] }),
    ).toEqual(['updated user alice', 'deleted token hotp'].map((text) => expect.stringContaining(text)));
    expect(await user('alice')).toMatchObject({
      displayName: null,
      aliases: [],
      tokens: [],
      hasPassword: false,
      groups: ['staff'],
    });
  });

  test('hardware that a list no longer names goes to stock, and from there to whoever names it', async () => {
    await apply(FILE);
    await changes({ users: [{ login: 'bob', tokens: [{ type: 'totp', name: 'phone' }] }] });
    expect(value(await world.store.tokens.find('FT-2'))).toMatchObject({ user: null });
    await changes({
      users: [
        {
          login: 'alice',
          tokens: [
            { type: 'hotp', serial: 'FT-2' },
            { type: 'hotp', serial: 'FT-1' },
          ],
        },
      ],
    });
    expect((await user('alice')).tokens.map(({ serial }) => serial).sort()).toEqual(['FT-1', 'FT-2']);
  });

  test('a token moves from one user of the file to another in one step, and both are told to caches', async () => {
    await apply(FILE);
    const token = value(await world.store.tokens.find('FT-2'));
    await world.feed();
    const moved = {
      users: [
        { login: 'alice', tokens: [{ type: 'hotp', serial: 'FT-2' }] },
        { login: 'bob', tokens: [{ type: 'totp', name: 'phone' }] },
      ],
    };
    await changes(moved);
    expect(value(await world.store.tokens.find('FT-2'))).toMatchObject({ id: token.id, user: 'alice' });
    expect((await world.feed()).find(({ kind }) => kind === 'user')?.pks).toHaveLength(2);
    expect(await changes(moved)).toEqual([]);
  });

  test('users swap a login and an alias, resources swap names', async () => {
    await apply(FILE);
    await changes({
      users: [
        { login: 'alice', aliases: ['bobby'] },
        { login: 'bob', aliases: ['asmith'] },
      ],
    });
    expect((await user('bobby')).login).toBe('alice');
    expect((await user('asmith')).login).toBe('bob');
  });

  test('the same seed is the same token wherever it stands in the list, and another is another', async () => {
    await apply({
      users: [
        {
          login: 'carol',
          tokens: [
            { type: 'totp', secret: SEED },
            { type: 'totp', secret: OTHER_SEED },
          ],
        },
      ],
    });
    const [, second] = (await user('carol')).tokens;
    const swapped = { users: [{ login: 'carol', tokens: [{ type: 'totp', secret: OTHER_SEED.toLowerCase() }] }] };
    await changes(swapped);
    expect((await user('carol')).tokens.map(({ id }) => id)).toEqual([second?.id]);
    expect(await changes(swapped)).toEqual([]);
  });

  test('prune deletes what the file does not name, and is content afterwards', async () => {
    await apply(FILE);
    value(await world.store.apiKeys.create({ name: 'kept', role: 'admin' }, BY));
    const rest = { resources: [{ name: 'vpn' }], users: [{ login: 'alice', groups: [] }] };
    const pruned = await changes(rest, { prune: true });
    expect(pruned.filter((text) => text.startsWith('deleted')).sort()).toEqual(
      [
        'group staff',
        'ldapApplication wiki',
        'radiusClient edge',
        'resource wiki',
        'token FT-1',
        'token FT-2',
        'token phone',
        'user bob',
      ].map((text) => `deleted ${text}`),
    );
    expect(await changes(rest, { prune: true })).toEqual([]);
    expect(value(await world.store.apiKeys.list({})).items).toHaveLength(1);
  });

  test('all that is wrong is told at once, each at its place, and nothing is written', async () => {
    await apply(FILE);
    const before = await state();
    const applied = await apply({
      resources: [{ name: 'new', firstFactor: 'elsewhere' }],
      groups: [{ name: 'g', resources: ['new', 'nowhere'] }],
      users: [
        { login: 'dora', aliases: ['ASMITH'], groups: ['g', 'nor-this'] },
        { login: 'emil', resources: ['new'], tokens: [{ type: 'totp', resources: ['nor-that'] }] },
      ],
      radiusClients: [{ name: 'fresh', resource: 'vpn' }],
      tokens: [
        { type: 'totp', serial: 'X', user: 'emil' },
        { type: 'totp', serial: 'Y', user: 'nobody' },
      ],
    });
    expect(applied.ok ? [] : applied.errors.map(({ pointer }) => pointer)).toEqual(
      expect.arrayContaining([
        '/resources/0/firstFactor',
        '/groups/0/resources/1',
        '/users/0/aliases/0',
        '/users/0/groups/1',
        '/users/1/tokens/0/resources/0',
        '/radiusClients/0/address',
        '/radiusClients/0/secret',
        '/tokens/1/user',
      ]),
    );
    expect(applied.ok ? 0 : applied.errors.length).toBe(8);
    expect(await state()).toEqual(before);
  });

  test('a record that the file names twice is refused', async () => {
    const applied = await apply({
      users: [{ login: 'x', tokens: [{ type: 'totp', serial: 'S' }] }, { login: 'X' }],
      tokens: [{ type: 'totp', serial: 'S' }],
    });
    expect(applied.ok ? [] : applied.errors.map(({ pointer }) => pointer)).toEqual([
      '/users/1/login',
      '/tokens/0/serial',
    ]);
  });

  const exported = async (withSecrets: boolean) => {
    const file: Record<string, unknown[]> = {};
    for await (const { section, entries } of exportRecords(world.context, withSecrets))
      file[section] = [...(file[section] ?? []), ...entries];
    return file;
  };

  test('an export is a file that changes nothing here', async () => {
    await apply(FILE);
    const file = await exported(false);
    expect(JSON.stringify(file)).not.toMatch(/testing123|argon2id|GEZDGNBV/);
    expect(await changes(file, { prune: true })).toEqual([]);
  });

  test('an export with secrets makes the same installation elsewhere, counters included', async () => {
    await apply(FILE);
    await query(world.database.records, `update token_state set floor = 41 where floor = 3 returning floor`);
    const file = await exported(true);
    const first = world;
    world = await openWorld(engine);
    try {
      expect(await changes(file)).toHaveLength(11);
      expect(await world.one('select max(floor) as n from token_state')).toBe(41);
      expect(await exported(true)).toEqual(file);
      expect(await changes(FILE)).toEqual([]);
    } finally {
      await first.close();
    }
  });
});
