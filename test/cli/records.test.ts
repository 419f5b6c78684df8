import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Installed, installed } from './installed.js';

let at: Installed;
beforeAll(async () => {
  at = await installed();
  for (const name of ['vpn', 'wiki'])
    expect(await at.sallyport('resource', 'create', name)).toMatchObject({ code: 0, err: '' });
});
afterAll(() => at.remove());

const lines = async (...args: readonly string[]): Promise<readonly unknown[]> =>
  (await at.sallyport(...args, '--json')).out.split('\n').map((line) => JSON.parse(line));
const create = async (login: string, ...args: readonly string[]) => {
  const made = await at.sallyport('user', 'create', login, ...args);
  expect(made, made.err).toMatchObject({ code: 0 });
};

describe('sallyport user', () => {
  test('create takes fields as options, lists by saying them several times, and show finds it by alias', async () => {
    const made = await at.sallyport(
      ...['user', 'create', 'alice', '-c', at.config, '--display-name', 'Alice: Smith', '--alias', 'asmith'],
      ...['--resource', 'vpn', '--resource', 'wiki', '--phone', '0049'],
    );
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(made.out).toContain('\nlogin: alice\n');
    expect(await at.json('user', 'show', 'ASMITH')).toMatchObject({
      login: 'alice',
      displayName: 'Alice: Smith',
      phone: '0049',
      aliases: ['asmith'],
      resources: ['vpn', 'wiki'],
      active: true,
    });
  });

  test('set changes what was given, clears what is given as empty, and takes words as the records file has them', async () => {
    await create('bob', '--email', 'bob@example.org', '--alias', 'robert');
    const changed = await at.json('user', 'set', 'bob', '--email', '', '--aliases', '', '--active', 'false');
    expect(changed).toMatchObject({ email: null, aliases: [], active: false });
    expect(await at.json('user', 'set', 'bob', 'active=true', 'displayName=Bob', 'aliases=[rob, bobby]')).toMatchObject(
      {
        active: true,
        displayName: 'Bob',
        aliases: ['bobby', 'rob'],
      },
    );
  });

  test('a value that breaks a rule is wrong usage that names the option, and so is an unknown one', async () => {
    const bad = await at.sallyport('user', 'create', 'x y', '--email', 'nowhere', '--active', 'perhaps');
    expect(bad.code).toBe(2);
    expect(bad.err).toMatch(/login: must not contain U\+0020/);
    expect(bad.err).toContain('--email: is not a mail address');
    expect(bad.err).toContain('--active: ');
    expect(await at.sallyport('user', 'create', 'x', '--emial', 'a@b')).toMatchObject({ code: 2 });
    expect(await at.sallyport('user', 'set', 'alice', 'emial=a@b')).toMatchObject({ code: 2 });
    expect(await at.sallyport('user', 'set', 'alice', '--email', 'a@b', 'email=b@b')).toMatchObject({ code: 2 });
    expect((await at.sallyport('user', 'set', 'alice')).err).toContain('no field was given');
  });

  test('what the store refuses is told by its option, with who is in the way', async () => {
    await create('carol', '--alias', 'caz');
    const taken = await at.sallyport('user', 'create', 'dave', '--alias', 'caz');
    expect(taken).toMatchObject({ code: 1, out: '' });
    expect(taken.err).toContain('--aliases: ');
    expect(taken.err).toContain('(user carol)');
    const lost = await at.sallyport('user', 'create', 'dave', '--resource', 'nowhere');
    expect(lost).toMatchObject({ code: 1, err: '--resources: no such resource: nowhere' });
    expect(await at.sallyport('user', 'show', 'dave')).toMatchObject({ code: 1, err: 'there is no user dave' });
  });

  test('a password is read from standard input, so that it stands in no list of processes', async () => {
    await create('pat');
    expect(await at.withInput('correct horse\n', 'user', 'set', 'pat', '--password', '-')).toMatchObject({ code: 0 });
    const shown = await at.sallyport('user', 'show', 'pat');
    expect(shown.out).toContain('hasPassword: true');
    expect(shown.out).not.toContain('correct');
  });

  test('assign, unassign, block, unblock and unlock do what they say', async () => {
    await create('erin');
    expect(await at.sallyport('user', 'assign', 'erin', 'VPN')).toMatchObject({ code: 0, out: '' });
    expect(await at.json('user', 'show', 'erin')).toMatchObject({ resources: ['vpn'] });
    expect((await at.sallyport('user', 'unassign', 'erin', 'vpn')).code).toBe(0);
    expect(await at.json('user', 'show', 'erin')).toMatchObject({ resources: [] });
    expect((await at.sallyport('user', 'block', 'erin')).err).toBe('erin is blocked');
    expect(await at.json('user', 'show', 'erin')).toMatchObject({ active: false });
    expect((await at.sallyport('user', 'unblock', 'erin')).code).toBe(0);
    expect(await at.json('user', 'show', 'erin')).toMatchObject({ active: true });
    expect((await at.sallyport('user', 'unlock', 'erin')).code).toBe(0);
    expect(await at.sallyport('user', 'assign', 'erin', 'nowhere')).toMatchObject({
      code: 1,
      err: 'there is no resource nowhere',
    });
    expect(await at.sallyport('user', 'unlock', 'nobody')).toMatchObject({ code: 1, err: 'there is no user nobody' });
  });

  test('delete without a terminal names the missing flag, at a terminal asks for the login', async () => {
    await create('gone');
    const silent = await at.sallyport('user', 'delete', 'gone');
    expect(silent.code).toBe(2);
    expect(silent.err).toContain('--yes');
    at.answer = 'yes';
    expect(await at.onTerminal('user', 'delete', 'gone')).toMatchObject({ code: 1, err: 'nothing was deleted' });
    expect(at.questions.at(-1)).toContain('Type gone to go on');
    at.answer = 'gone';
    expect(await at.onTerminal('user', 'delete', 'gone')).toMatchObject({ code: 0, err: 'user gone is deleted' });
    await create('gone');
    expect((await at.sallyport('user', 'delete', 'gone', '--yes')).code).toBe(0);
    expect((await at.sallyport('user', 'show', 'gone')).code).toBe(1);
  });

  test('list is a table with aligned columns, can be narrowed, and says where it was cut off', async () => {
    await create('blocked', '--active', 'false');
    const { out } = await at.sallyport('user', 'list', '--query', 'alice');
    const [heads = '', row = '', ...more] = out.split('\n');
    expect(more).toEqual([]);
    expect(row.indexOf('vpn,wiki')).toBe(heads.indexOf('RESOURCES'));
    expect(await lines('user', 'list', '--no-active')).toMatchObject([{ login: 'blocked' }]);
    const cut = await at.sallyport('user', 'list', '--limit', '2');
    expect(cut.out.split('\n')).toHaveLength(3);
    expect(cut.err).toContain('--limit 0 lists all');
    const all = await at.sallyport('user', 'list', '--limit', '0');
    expect(all.err).toBe('');
    expect(all.out).toContain('\npat ');
  });

  test('help names every field', async () => {
    const { out } = await at.sallyport('user', 'create', '--help');
    for (const option of ['--display-name', '--aliases', '--password', '--resource', '--active'])
      expect(out).toContain(option);
    expect(out).toContain('read from standard input');
  });
});

describe('sallyport token', () => {
  test('create prints secret and otpauth URI, once', async () => {
    await create('tom');
    const { out } = await at.sallyport('token', 'create', '--type', 'totp', '--user', 'tom', '--serial', 'T-1');
    expect(out).toMatch(/^secret: [A-Z2-7]{32}$/m);
    expect(out).toMatch(/^otpauthUri: otpauth:\/\/totp\/Sallyport:tom\?/m);
    expect(await at.sallyport('token', 'show', 'T-1').then((shown) => shown.out)).not.toMatch(/secret|otpauth/);
    expect(await lines('token', 'list', '--user', 'tom')).toMatchObject([{ serial: 'T-1', user: 'tom' }]);
  });

  test('a hardware token goes from stock to a user and back, its numbers being numbers', async () => {
    const made = await at.withInput(
      'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n',
      ...['token', 'create', '--type', 'hotp', '--serial', 'FT-1', '--secret', '-', '--digits', '8', '--counter', '7'],
    );
    expect(made.code).toBe(0);
    await create('hans');
    expect((await at.sallyport('token', 'list', '--in-stock')).out).toContain('in stock');
    expect(await at.sallyport('token', 'assign', 'FT-1', 'hans')).toMatchObject({ code: 0, err: "FT-1 is hans's" });
    expect(await at.json('token', 'show', 'FT-1')).toMatchObject({ user: 'hans', digits: 8, type: 'hotp' });
    expect((await at.sallyport('token', 'assign', 'FT-1', 'tom')).code).toBe(1);
    expect((await at.sallyport('token', 'unassign', 'FT-1', 'hans')).code).toBe(0);
    expect(await at.json('token', 'show', 'FT-1')).toMatchObject({ user: null });
    expect(await at.json('token', 'set', 'FT-1', '--active', 'false')).toMatchObject({ active: false });
    expect((await at.sallyport('token', 'delete', 'FT-1', '--yes')).code).toBe(0);
  });

  test('a field that its type does not have is named', async () => {
    const bad = await at.sallyport('token', 'create', '--type', 'totp', '--counter', '5');
    expect(bad.code).toBe(2);
    expect(bad.err).toContain('--counter: a totp token has no counter');
  });
});

describe('sallyport resource, group, radius-client, ldap-application', () => {
  test('a policy of several parts is given as YAML; durations and separators stay text', async () => {
    const changed = await at.json(
      ...['resource', 'set', 'vpn', '--lockout', '{ failures: 5, window: 10m }', '--rebind-grace', '30s'],
      ...['--source-network', '192.0.2.0/24', '--source-network', '2001:db8::/32', '--separator', '1'],
      ...['--reply-attributes', '{ Filter-Id: vpn }'],
    );
    expect(changed).toMatchObject({
      lockout: { failures: 5, window: '10m', duration: '15m' },
      sourceNetworks: ['192.0.2.0/24', '2001:db8::/32'],
      replyAttributes: { 'Filter-Id': 'vpn' },
      rebindGrace: '30s',
      separator: '1',
    });
    expect(await at.json('resource', 'set', 'vpn', '--source-networks', '', '--lockout', '')).toMatchObject({
      sourceNetworks: [],
      lockout: { failures: 10 },
    });
    const bad = await at.sallyport('resource', 'set', 'vpn', '--lockout', '{ failures: 0 }');
    expect(bad).toMatchObject({ code: 2 });
    expect(bad.err).toContain('--lockout: at least 1');
  });

  test('a group opens resources to its users', async () => {
    await create('gina');
    expect((await at.sallyport('group', 'create', 'staff', '--resource', 'wiki')).code).toBe(0);
    expect((await at.sallyport('group', 'assign', 'staff', 'vpn')).code).toBe(0);
    expect((await at.sallyport('group', 'add', 'staff', 'gina')).code).toBe(0);
    expect(await at.json('group', 'show', 'staff')).toMatchObject({ resources: ['vpn', 'wiki'] });
    expect(await at.json('user', 'show', 'gina')).toMatchObject({ groups: ['staff'] });
    expect((await at.sallyport('group', 'unassign', 'staff', 'wiki')).code).toBe(0);
    expect((await at.sallyport('group', 'remove', 'staff', 'gina')).code).toBe(0);
    expect(await at.json('group', 'show', 'staff')).toMatchObject({ resources: ['vpn'] });
    expect(await at.json('user', 'show', 'gina')).toMatchObject({ groups: [] });
  });

  test('a RADIUS client takes its secret from standard input and never shows it', async () => {
    const made = await at.withInput(
      'testing123',
      ...['radius-client', 'create', 'edge', '--address', '192.0.2.1', '--secret', '-', '--resource', 'vpn'],
    );
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(made.out).not.toContain('testing123');
    expect((await at.sallyport('radius-client', 'list')).out).toMatch(/^edge +192\.0\.2\.1 +vpn +yes/m);
    expect(await at.json('radius-client', 'set', 'edge', '--domain', 'CORP')).toMatchObject({ domains: ['CORP'] });
    const used = await at.sallyport('resource', 'delete', 'vpn', '--yes');
    expect(used).toMatchObject({ code: 1 });
    expect(used.err).toContain('edge');
  });

  test('an LDAP application likewise', async () => {
    const made = await at.sallyport('ldap-application', 'create', 'w', '--base-dn', 'dc=w', '--resource', 'wiki');
    expect(made).toMatchObject({ code: 0, err: '' });
    const accounts = "[{ dn: 'cn=w,dc=w', password: secret-word }]";
    const changed = await at.sallyport('ldap-application', 'set', 'w', '--service-accounts', accounts);
    expect(changed.out).toContain('dn: cn=w,dc=w');
    expect(changed.out).not.toContain('secret-word');
    expect((await at.sallyport('ldap-application', 'delete', 'w', '--yes')).code).toBe(0);
  });
});

describe('sallyport admin', () => {
  test('create makes a password where none is given, and prints it once', async () => {
    const made = await at.json('admin', 'create', 'jane', '--role', 'helpdesk');
    expect(made).toMatchObject({ login: 'jane', role: 'helpdesk', password: expect.stringMatching(/^[\w-]{20}$/) });
    expect((await at.sallyport('admin', 'show', 'jane')).out).not.toContain('password');
  });

  test('reset-password prints a new one alone, or takes one from standard input', async () => {
    const reset = await at.sallyport('admin', 'reset-password', '-c', at.config, 'admin');
    expect(reset).toMatchObject({ code: 0, err: '' });
    expect(reset.out).toMatch(/^[\w-]{20}$/);
    const brought = await at.withInput('correct horse\n', 'admin', 'reset-password', 'admin', '--password-stdin');
    expect(brought).toMatchObject({ code: 0, out: '' });
    expect(await at.withInput('', 'admin', 'reset-password', 'admin', '--password-stdin')).toMatchObject({ code: 2 });
    expect((await at.sallyport('admin', 'reset-password', 'nobody')).code).toBe(1);
  });

  test('the last active owner stays one', async () => {
    const demoted = await at.sallyport('admin', 'set', 'admin', '--role', 'auditor');
    expect(demoted).toMatchObject({ code: 1 });
    expect(demoted.err).toContain('--role: the last active owner stays one');
    expect((await at.sallyport('admin', 'delete', 'admin', '--yes')).code).toBe(1);
  });
});
