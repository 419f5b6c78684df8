import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { policyFacts } from '../../../src/records/policy.js';
import { loadLdapApplications, loadRadiusClients } from '../../../src/store/front-doors.js';
import { query } from '../../../src/store/records/sql.js';
import { ENGINES } from '../../support/database.js';
import { BY, OTHER_SEED, openWorld, problem, SEED, value, type World } from './world.js';

describe.each(ENGINES)('records over %s', (engine) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(engine);
    value(await world.store.resources.create({ name: 'vpn' }, BY));
    value(await world.store.resources.create({ name: 'wiki', firstFactor: 'local' }, BY));
    value(await world.store.groups.create({ name: 'staff', resources: ['vpn'] }, BY));
  });
  afterAll(() => world.close());

  const revisionOf = (table: string, id: string) => world.one(`select revision as n from ${table} where id = '${id}'`);

  test('a user is made with aliases, groups, resources and a token whose secret is shown once', async () => {
    const made = value(
      await world.store.users.create(
        {
          login: 'Alice',
          aliases: ['asmith'],
          displayName: 'Alice Smith',
          password: 'pw',
          groups: ['staff'],
          resources: ['WIKI'],
          tokens: [{ type: 'totp', secret: SEED, name: 'phone' }],
        },
        BY,
      ),
    );
    expect(made).toMatchObject({
      login: 'Alice',
      aliases: ['asmith'],
      groups: ['staff'],
      resources: ['wiki'],
      hasPassword: true,
      revision: 1,
      active: true,
      email: null,
    });
    expect(made.tokens).toMatchObject([
      {
        type: 'totp',
        name: 'phone',
        secret: SEED,
        user: 'Alice',
        hardware: false,
        digits: 6,
        period: 30,
        algorithm: 'SHA1',
      },
    ]);
    expect(made.tokens[0]?.otpauthUri).toMatch(/^otpauth:\/\/totp\/Sallyport:Alice\?secret=GEZD/);
    const again = value(await world.store.users.get(made.id));
    expect(JSON.stringify(again)).not.toContain(SEED);
    expect(again).toMatchObject({ login: 'Alice', tokens: [{ name: 'phone' }] });
  });

  test('a login or alias is unique over all users whatever the case, and the problem says who has it', async () => {
    value(await world.store.users.create({ login: 'taken', aliases: ['also-taken'] }, BY));
    expect(problem(await world.store.users.create({ login: 'TAKEN' }, BY))).toMatchObject({
      kind: 'conflict',
      pointer: '/login',
      with: 'user taken',
    });
    expect(problem(await world.store.users.create({ login: 'x1', aliases: ['Also-Taken'] }, BY))).toMatchObject({
      kind: 'conflict',
      pointer: '/aliases/0',
    });
    expect(problem(await world.store.users.create({ login: 'x2', aliases: ['x2'] }, BY))).toMatchObject({
      kind: 'conflict',
      pointer: '/aliases/0',
    });
    expect(problem(await world.store.users.get('nobody'))).toEqual({ kind: 'notFound' });
  });

  test('what cannot be written leaves nothing behind: no row, no event, no place in the feed', async () => {
    await world.feed();
    const events = await world.one('select count(*) as n from events');
    const users = await world.one('select count(*) as n from users');
    expect(problem(await world.store.users.create({ login: 'lost', resources: ['nowhere', 'nor-there'] }, BY))).toEqual(
      {
        kind: 'invalid',
        errors: [
          { pointer: '/resources/0', message: 'no such resource: nowhere' },
          { pointer: '/resources/1', message: 'no such resource: nor-there' },
        ],
      },
    );
    expect(await world.feed()).toEqual([]);
    expect(await world.one('select count(*) as n from events')).toBe(events);
    expect(await world.one('select count(*) as n from users')).toBe(users);
  });

  test('a patch changes what it names, null clears, and one that changes nothing leaves no trace', async () => {
    const made = value(
      await world.store.users.create({ login: 'pat', email: 'pat@example.org', phone: '+49 30 1' }, BY),
    );
    await world.feed();
    const patched = value(
      await world.store.users.update(made.id, { email: null, active: false, aliases: ['patricia'] }, BY),
    );
    expect(patched).toMatchObject({
      email: null,
      phone: '+49 30 1',
      active: false,
      aliases: ['patricia'],
      revision: 2,
    });
    expect((await world.feed()).map(({ kind }) => kind)).toEqual(['user']);
    value(await world.store.users.update(made.id, { active: false, aliases: ['patricia'] }, BY));
    expect(await world.feed()).toEqual([]);
    expect(await revisionOf('users', made.id)).toBe(2);
    expect(value(await world.store.users.update(made.id, { login: 'patricia', aliases: ['pat'] }, BY))).toMatchObject({
      login: 'patricia',
      aliases: ['pat'],
    });
  });

  test('If-Match with another revision is refused with the present one', async () => {
    const made = value(await world.store.users.create({ login: 'matched' }, BY));
    value(await world.store.users.update(made.id, { phone: '1' }, BY, 1));
    expect(problem(await world.store.users.update(made.id, { phone: '2' }, BY, 1))).toEqual({
      kind: 'stale',
      revision: 2,
    });
    expect(problem(await world.store.users.remove(made.id, BY, 1))).toEqual({ kind: 'stale', revision: 2 });
  });

  test('whatever alters decisions about a user raises the revision: fields, aliases, links, tokens', async () => {
    const user = value(await world.store.users.create({ login: 'raised' }, BY));
    const vpn = value(await world.store.resources.list({ name: 'vpn' })).items[0]?.id ?? '';
    const staff = value(await world.store.groups.list({ name: 'staff' })).items[0]?.id ?? '';
    const token = value(await world.store.tokens.create({ type: 'hotp', serial: 'R-1', counter: 5 }, BY));
    const steps: (() => Promise<unknown>)[] = [
      () => world.store.users.update(user.id, { active: false }, BY),
      () => world.store.users.putAlias(user.id, 'raised-alias', BY),
      () => world.store.users.removeAlias(user.id, 'RAISED-alias', BY),
      () => world.store.links.userResource.put(user.id, vpn, BY),
      () => world.store.links.userGroup.put(user.id, staff, BY),
      () => world.store.links.userToken.put(user.id, token.id, BY),
      () => world.store.tokens.update(token.id, { active: false }, BY),
      () => world.store.links.tokenResource.put(token.id, vpn, BY),
      () => world.store.links.userToken.remove(user.id, token.id, BY),
      () => world.store.links.userGroup.remove(user.id, staff, BY),
      () => world.store.links.userResource.remove(user.id, vpn, BY),
    ];
    for (const [i, step] of steps.entries()) {
      await world.feed();
      await step();
      expect(await revisionOf('users', user.id)).toBe(i + 2);
      expect((await world.feed()).filter(({ kind }) => kind === 'user')).toHaveLength(1);
      await step(); // A second time it changes nothing.
      expect(await revisionOf('users', user.id)).toBe(i + 2);
    }
  });

  test('which resources a group opens is part of the resource: its revision rises, also when the group goes', async () => {
    const resource = value(await world.store.resources.create({ name: 'of-groups' }, BY));
    const group = value(await world.store.groups.create({ name: 'openers' }, BY));
    value(await world.store.groups.update(group.id, { resources: ['of-groups'] }, BY));
    expect(await revisionOf('resources', resource.id)).toBe(2);
    value(await world.store.links.groupResource.remove(group.id, resource.id, BY));
    value(await world.store.links.groupResource.put(group.id, resource.id, BY));
    expect(await revisionOf('resources', resource.id)).toBe(4);
    await world.feed();
    value(await world.store.groups.remove(group.id, BY));
    expect(await revisionOf('resources', resource.id)).toBe(5);
    expect((await world.feed()).map(({ kind }) => kind).sort()).toEqual(['group', 'resource']);
  });

  test('deleting a user frees the names, destroys software tokens and returns hardware tokens to stock', async () => {
    const user = value(
      await world.store.users.create(
        {
          login: 'leaver',
          aliases: ['gone'],
          resources: ['vpn'],
          tokens: [{ type: 'totp' }, { type: 'hotp', serial: 'HW-1', secret: SEED, resources: ['vpn'] }],
        },
        BY,
      ),
    );
    value(await world.store.users.remove(user.id, BY));
    expect(problem(await world.store.users.get(user.id))).toEqual({ kind: 'notFound' });
    expect(value(await world.store.tokens.find('HW-1'))).toMatchObject({ user: null, resources: [], hardware: true });
    expect(await world.one(`select count(*) as n from tokens where id = '${user.tokens[0]?.id}'`)).toBe(0);
    const next = value(await world.store.users.create({ login: 'Gone', aliases: ['LEAVER'] }, BY));
    expect(next.id).not.toBe(user.id);
    const told = value(await world.store.users.events(user.id, {}));
    expect(told.items.map(({ detail }) => detail?.['action'])).toContain('deleted');
    expect(value(await world.store.users.events(next.id, {})).items).toHaveLength(1);
  });

  test('the number of a record that is gone is not given again', async () => {
    const first = value(await world.store.users.create({ login: 'first-number' }, BY));
    const pk = await world.one(`select pk as n from users where id = '${first.id}'`);
    value(await world.store.users.remove(first.id, BY));
    const second = value(await world.store.users.create({ login: 'second-number' }, BY));
    expect(await world.one(`select pk as n from users where id = '${second.id}'`)).toBeGreaterThan(pk);
  });

  test('events say who changed what, before and after, and never a secret', async () => {
    const made = value(
      await world.store.users.create({ login: 'watched', tokens: [{ type: 'totp', secret: SEED }] }, BY),
    );
    world.pass(1);
    value(
      await world.store.users.update(
        made.id,
        { password: 'hunter2', displayName: 'W' },
        { name: 'api-key:deploy', source: '192.0.2.7' },
      ),
    );
    const { items } = value(await world.store.users.events(made.id, {}));
    expect(items[0]).toMatchObject({
      kind: 'change',
      actor: 'api-key:deploy',
      source: '192.0.2.7',
      userId: made.id,
      login: 'watched',
      outcome: null,
      detail: {
        action: 'updated',
        changes: { displayName: { from: null, to: 'W' }, password: { from: null, to: '[secret]' } },
      },
    });
    expect(items).toHaveLength(3);
    const log = JSON.stringify(items);
    expect(log).not.toContain('hunter2');
    expect(log).not.toContain(SEED);
    expect(log).not.toContain('argon2id');
  });

  test("a token's counter counts at creation, its serial is unique, and its seed is sealed for it alone", async () => {
    const made = value(await world.store.tokens.create({ type: 'hotp', serial: 'C-1', secret: SEED, counter: 41 }, BY));
    expect(
      await world.one(
        `select s.floor as n from token_state s join tokens t on t.pk = s.token_pk where t.id = '${made.id}'`,
      ),
    ).toBe(41);
    expect(made).toMatchObject({ user: null, hardware: true, secret: SEED });
    expect(made.otpauthUri).toContain('counter=41');
    expect(problem(await world.store.tokens.create({ type: 'totp', serial: 'C-1' }, BY))).toMatchObject({
      kind: 'conflict',
      pointer: '/serial',
    });
    const [row] = await query(world.database.records, 'select secret from tokens where id = ?', [made.id]);
    const box = row?.text('secret') ?? '';
    expect(world.seal.open('tokens.secret', made.id, box)?.toString('latin1')).toBe('12345678901234567890');
    expect(world.seal.open('tokens.secret', '00000000-0000-7000-8000-000000000000', box)).toBeNull();
  });

  test("a body's token list is the whole list, and takes no token from somebody else", async () => {
    const one = value(
      await world.store.users.create(
        {
          login: 'lister',
          tokens: [
            { type: 'totp', secret: SEED, name: 'phone' },
            { type: 'totp', name: 'tablet' },
          ],
        },
        BY,
      ),
    );
    const after = value(await world.store.users.update(one.id, { tokens: [{ type: 'totp', name: 'phone' }] }, BY));
    expect(after.tokens.map(({ id }) => id)).toEqual([one.tokens[0]?.id]);
    value(
      await world.store.users.create({ login: 'holder', tokens: [{ type: 'hotp', serial: 'H-9', secret: SEED }] }, BY),
    );
    expect(
      problem(await world.store.users.update(one.id, { tokens: [{ type: 'hotp', serial: 'H-9' }] }, BY)),
    ).toMatchObject({ kind: 'conflict', pointer: '/tokens/0/serial', with: 'user holder' });
    const token = value(await world.store.tokens.find('H-9'));
    expect(problem(await world.store.links.userToken.put(one.id, token.id, BY))).toMatchObject({
      kind: 'conflict',
      with: 'user holder',
    });
  });

  test('another seed under a name is another token, and only with its secret', async () => {
    const one = value(
      await world.store.users.create(
        { login: 'reseeded', tokens: [{ type: 'totp', name: 'phone', secret: SEED }] },
        BY,
      ),
    );
    expect(
      problem(await world.store.users.update(one.id, { tokens: [{ type: 'totp', name: 'phone', digits: 8 }] }, BY)),
    ).toMatchObject({ kind: 'invalid', errors: [{ pointer: '/tokens/0/digits' }] });
    const next = value(
      await world.store.users.update(one.id, { tokens: [{ type: 'totp', name: 'phone', secret: OTHER_SEED }] }, BY),
    );
    expect(next.tokens).toHaveLength(1);
    expect(next.tokens[0]).toMatchObject({ name: 'phone', secret: OTHER_SEED });
    expect(next.tokens[0]?.id).not.toBe(one.tokens[0]?.id);
  });

  test('unlocking forgets the failures and says so to whoever holds them in memory', async () => {
    const user = value(await world.store.users.create({ login: 'locked' }, BY));
    const pk = await world.one(`select pk as n from users where id = '${user.id}'`);
    await query(
      world.database.records,
      `insert into lockouts (user_pk, source, failures, window_start, locked_until, recent) values (?, '*', 10, 1, 2, '[]') returning user_pk`,
      [pk],
    );
    await world.feed();
    value(await world.store.users.unlock(user.id, BY));
    expect(await world.one('select count(*) as n from lockouts')).toBe(0);
    expect(await world.feed()).toEqual([{ kind: 'unlock', pks: [pk] }]);
  });

  test('a policy is kept as it was said, shown with its defaults, and read as numbers', async () => {
    const made = value(
      await world.store.resources.create({ name: 'policed', lockout: { failures: 3 }, rebindGrace: '30s' }, BY),
    );
    expect(made).toMatchObject({
      firstFactor: 'none',
      credentialForms: ['otp'],
      lockout: { failures: 3, window: '15m', duration: '15m' },
    });
    const next = value(
      await world.store.resources.update(made.id, { firstFactor: 'corp', lockout: { window: '1h' } }, BY),
    );
    expect(next).toMatchObject({
      credentialForms: ['password+otp', 'challenge'],
      lockout: { failures: 3, window: '1h', duration: '15m' },
      revision: 2,
    });
    expect(problem(await world.store.resources.update(made.id, { credentialForms: ['otp'] }, BY))).toMatchObject({
      kind: 'invalid',
      errors: [{ pointer: '/credentialForms/0' }],
    });
    expect(problem(await world.store.resources.create({ name: 'x', firstFactor: 'elsewhere' }, BY))).toMatchObject({
      errors: [{ pointer: '/firstFactor', message: 'no such first factor; there are none, local, corp' }],
    });
    const [row] = await query(world.database.records, 'select policy from resources where id = ?', [made.id]);
    expect(policyFacts(row?.text('policy') ?? '')).toMatchObject({
      lockout: { failures: 3, window: 3_600_000, duration: 900_000 },
      rebindGrace: 30_000,
    });
  });

  test('a resource that a client guards stays; one that goes leaves no token that opens more than before', async () => {
    const resource = value(await world.store.resources.create({ name: 'guarded' }, BY));
    const client = value(
      await world.store.radiusClients.create(
        { name: 'edge', address: '192.0.2.1', secret: 's3cret', resource: 'guarded' },
        BY,
      ),
    );
    const token = value(await world.store.tokens.create({ type: 'totp', serial: 'G-1', resources: ['guarded'] }, BY));
    expect(problem(await world.store.resources.remove(resource.id, BY))).toMatchObject({
      kind: 'conflict',
      with: 'RADIUS client edge',
    });
    value(await world.store.radiusClients.remove(client.id, BY));
    value(await world.store.resources.remove(resource.id, BY));
    expect(value(await world.store.tokens.get(token.id))).toMatchObject({ active: false, resources: [] });
  });

  test('RADIUS clients: the secret is sealed, changes are noticed, and two that nobody could tell apart are a conflict', async () => {
    const made = value(
      await world.store.radiusClients.create(
        { name: 'nas', address: '198.51.100.0/24', secret: 'testing123', resource: 'vpn', domains: ['CORP'] },
        BY,
      ),
    );
    expect(made).toMatchObject({
      resource: 'vpn',
      requireMessageAuthenticator: 'auto',
      messageAuthenticatorSeen: false,
      limitProxyState: true,
      active: true,
    });
    expect(JSON.stringify(made)).not.toContain('testing123');
    const load = async () =>
      (await loadRadiusClients(world.database.records, world.seal)).find(({ id }) => id === made.id);
    expect((await load())?.secret.reveal().toString()).toBe('testing123');
    value(await world.store.radiusClients.update(made.id, { secret: 'testing123' }, BY));
    expect(await revisionOf('radius_clients', made.id)).toBe(1);
    value(await world.store.radiusClients.update(made.id, { secret: 'other' }, BY));
    expect((await load())?.secret.reveal().toString()).toBe('other');
    expect(
      problem(
        await world.store.radiusClients.create(
          { name: 'nas2', address: '198.51.100.7/24', secret: 'other', resource: 'vpn' },
          BY,
        ),
      ),
    ).toMatchObject({ kind: 'conflict', pointer: '/address', with: 'RADIUS client nas' });
    expect(
      problem(
        await world.store.radiusClients.create(
          { name: 'nas2', address: '198.51.100.0/24', nasIdentifier: 'b', secret: 'third', resource: 'vpn' },
          BY,
        ),
      ),
    ).toMatchObject({ kind: 'conflict', pointer: '/secret' });
    value(
      await world.store.radiusClients.create(
        { name: 'nas2', address: '198.51.100.0/24', nasIdentifier: 'b', secret: 'other', resource: 'vpn' },
        BY,
      ),
    );
    await world.feed();
    await world.store.messageAuthenticatorSeen(made.id);
    await world.store.messageAuthenticatorSeen(made.id);
    expect((await world.feed()).map(({ kind }) => kind)).toEqual(['radiusClient']);
    expect(await load()).toMatchObject({
      messageAuthenticatorSeen: true,
      domains: ['CORP'],
      address: '198.51.100.0/24',
    });
    expect(await revisionOf('radius_clients', made.id)).toBe(2);
  });

  test('LDAP applications: service accounts keep their password hash where none is given', async () => {
    const made = value(
      await world.store.ldapApplications.create(
        {
          name: 'wiki',
          baseDn: 'dc=example,dc=org',
          resource: 'wiki',
          serviceAccounts: [{ dn: 'cn=wiki,dc=example,dc=org', password: 'svc' }],
        },
        BY,
      ),
    );
    expect(made.serviceAccounts).toEqual([{ dn: 'cn=wiki,dc=example,dc=org' }]);
    const hashes = async () =>
      (await loadLdapApplications(world.database.records)).find(({ id }) => id === made.id)?.serviceAccounts ?? [];
    const [before] = await hashes();
    value(
      await world.store.ldapApplications.update(
        made.id,
        { serviceAccounts: [{ dn: 'CN=wiki,dc=example,dc=org' }] },
        BY,
      ),
    );
    expect((await hashes())[0]?.passwordHash).toBe(before?.passwordHash);
    expect(
      problem(
        await world.store.ldapApplications.update(
          made.id,
          { serviceAccounts: [{ dn: 'cn=new,dc=example,dc=org' }] },
          BY,
        ),
      ),
    ).toMatchObject({ errors: [{ pointer: '/serviceAccounts/0/password' }] });
    expect(
      problem(
        await world.store.ldapApplications.create(
          { name: 'wiki2', baseDn: 'DC=example, dc=org', resource: 'wiki' },
          BY,
        ),
      ),
    ).toMatchObject({ kind: 'conflict', pointer: '/baseDn' });
  });

  test('an API key works until it is revoked, and its name is free then', async () => {
    const made = value(
      await world.store.apiKeys.create({ name: 'deploy', role: 'application', resources: ['vpn'] }, BY),
    );
    expect(made.key).toMatch(/^sp_[A-Za-z0-9_-]{43}$/);
    expect(await world.store.apiKeys.holder(made.key ?? '')).toMatchObject({
      name: 'deploy',
      role: 'application',
      resources: [expect.stringMatching(/^[0-9a-f-]{36}$/)],
    });
    expect(await world.store.apiKeys.holder(`${made.key}x`)).toBeNull();
    expect(await world.one(`select count(*) as n from api_keys where hash = '${made.key}'`)).toBe(0);
    expect(problem(await world.store.apiKeys.create({ name: 'DEPLOY', role: 'owner' }, BY))).toMatchObject({
      kind: 'conflict',
    });
    value(await world.store.apiKeys.revoke(made.id, BY));
    expect(await world.store.apiKeys.holder(made.key ?? '')).toBeNull();
    value(await world.store.apiKeys.create({ name: 'deploy', role: 'owner' }, BY));
    const listed = value(await world.store.apiKeys.list({})).items;
    expect(listed.map(({ name, revokedAt }) => [name, revokedAt === null])).toEqual(
      [
        ['deploy', true],
        ['deploy', false],
      ].sort((a, b) => Number(b[1]) - Number(a[1])),
    );
    expect(JSON.stringify(listed)).not.toContain(made.key);
  });

  test('there is always an active owner', async () => {
    const owner = value(await world.store.administrators.create({ login: 'admin', password: 'pw', role: 'owner' }, BY));
    expect(problem(await world.store.administrators.remove(owner.id, BY))).toMatchObject({ kind: 'conflict' });
    expect(problem(await world.store.administrators.update(owner.id, { role: 'auditor' }, BY))).toMatchObject({
      kind: 'conflict',
      pointer: '/role',
    });
    value(await world.store.administrators.create({ login: 'second', password: 'pw', role: 'owner' }, BY));
    value(await world.store.administrators.update(owner.id, { active: false }, BY));
    expect(await world.store.administrators.credential('ADMIN')).toMatchObject({
      login: 'admin',
      role: 'owner',
      active: false,
    });
    expect(await world.store.administrators.credential('nobody')).toBeNull();
  });

  test('changes that come at once are made one after the other, and none is lost', async () => {
    const user = value(await world.store.users.create({ login: 'busy' }, BY));
    await Promise.all(Array.from({ length: 8 }, (_, i) => world.store.users.putAlias(user.id, `busy-${i}`, BY)));
    expect(value(await world.store.users.get(user.id)).aliases).toHaveLength(8);
    expect(await revisionOf('users', user.id)).toBe(9);
    const [row] = await query(
      world.database.records,
      `select count(*) as n, max(seq) as top, min(seq) as low from events where writer = 'test'`,
    );
    expect(row?.int('n')).toBe((row?.int('top') ?? 0) - (row?.int('low') ?? 0) + 1);
  });
});
