import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Installed, installed } from './installed.js';

const RECORDS = `
resources:
  - { name: vpn }
users:
  - { login: alice, aliases: [asmith], password: correct horse, resources: [vpn], tokens: [{ type: totp }] }
radiusClients:
  - { name: edge, address: 127.0.0.1/32, secret: testing123, resource: vpn }
`;

describe('sallyport apply and export', () => {
  let here: Installed;
  const file = (name: string, text: string) => {
    writeFileSync(join(here.folder, name), text);
    return name;
  };
  beforeAll(async () => {
    here = await installed();
    file('records.yaml', RECORDS);
  });
  afterAll(() => here.remove());

  test('says what it created, and the second time that nothing changed', async () => {
    const rehearsed = await here.sallyport('apply', '-f', 'records.yaml', '--dry-run');
    expect([rehearsed.code, rehearsed.out.split('\n').at(-1)]).toEqual([
      0,
      'would be: 4 created, 0 changed, 0 deleted, 0 left as they are; nothing was changed',
    ]);
    const first = await here.sallyport('apply', '-f', 'records.yaml');
    expect(first.code).toBe(0);
    expect(first.out.split('\n')).toEqual([
      'created  resource vpn',
      'created  user alice',
      expect.stringMatching(/^created {2}token totp /),
      'created  radiusClient edge',
      '4 created, 0 changed, 0 deleted, 0 left as they are',
    ]);
    expect(first.err).toBe('1 token(s) came without a secret and got one; export --with-secrets shows it');
    const second = await here.sallyport('apply', '-f', 'records.yaml');
    expect([second.code, second.out.split('\n').at(-1), second.err]).toEqual([
      0,
      'nothing changed; 4 left as they are',
      '',
    ]);
  });

  test('shows each field that changes, and of a secret only that it does', async () => {
    file(
      'next.yaml',
      `users: [{ login: alice, active: false, email: a@b.org, password: other }]\nradiusClients: [{ name: edge, secret: s3cret }]\n`,
    );
    const { out } = await here.sallyport('apply', '-f', 'next.yaml', '--dry-run');
    expect(out.split('\n').slice(0, 2)).toEqual([
      'updated  user alice: email none → a@b.org, password changed, active true → false',
      'updated  radiusClient edge: secret changed',
    ]);
    expect(await here.json('apply', '-f', 'next.yaml', '--dry-run')).toMatchObject({
      dryRun: true,
      updated: 2,
      records: [{ record: 'user', diff: { active: { from: true, to: false } } }, {}],
    });
  });

  test.each([
    [
      'a value that breaks a rule',
      'users: [{ login: "a b" }]',
      /^bad\.yaml:1:18 +users\[0\]\.login: must not contain U\+0020/,
    ],
    ['an unknown key', 'users:\n  - login: x\n    emial: y', /^bad\.yaml:3:5 +users\[0\]\.emial: no such key/],
    ['a key that stands twice', 'users: []\nusers: []', /^bad\.yaml:2:1 +users: /],
    [
      'a reference to nothing',
      'groups:\n  - { name: g, resources: [vpn, nowhere] }',
      /^bad\.yaml:2:33 +groups\[0\]\.resources\[1\]: no such resource: nowhere/,
    ],
    [
      'a name that is taken',
      'users:\n  - { login: bob, aliases: [ASMITH] }',
      /^bad\.yaml:2:29 +users\[0\]\.aliases\[0\]: ASMITH is taken/,
    ],
    [
      'a record that stands twice',
      'users:\n  - login: bob\n  - login: BOB',
      /^bad\.yaml:3:\d+ +users\[1\]\.login: bob is there twice/,
    ],
    ['no YAML', 'users: [', /^bad\.yaml:1:\d+ /],
  ])('ends with 2 for %s, with file, line and key, and changes nothing', async (_what, text, message) => {
    const before = (await here.sallyport('export')).out;
    const { code, out, err } = await here.sallyport('apply', '-f', file('bad.yaml', text));
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
    expect(err).toMatch(/1 error, nothing was changed$/);
    expect((await here.sallyport('export')).out).toBe(before);
  });

  test('a file that is not there ends with 2', async () => {
    expect(await here.sallyport('apply', '-f', 'nowhere.yaml')).toMatchObject({
      code: 2,
      err: 'there is no file nowhere.yaml',
    });
  });

  test('export writes what apply reads; secrets only where asked for', async () => {
    const plain = (await here.sallyport('export')).out;
    expect(plain).not.toMatch(/secret|argon2id/);
    const whole = (await here.sallyport('export', '--with-secrets')).out;
    expect(whole).toMatch(/secret: testing123/);
    expect(whole).toMatch(/passwordHash: \$argon2id\$/);
    for (const text of [plain, whole]) {
      const again = await here.sallyport('apply', '--prune', '-f', file('exported.yaml', text));
      expect([again.code, again.out.split('\n').at(-1)]).toEqual([0, 'nothing changed; 4 left as they are']);
    }
    const elsewhere = await installed();
    try {
      writeFileSync(join(elsewhere.folder, 'exported.yaml'), whole);
      expect((await elsewhere.sallyport('apply', '-f', 'exported.yaml')).code).toBe(0);
      expect((await elsewhere.sallyport('export', '--with-secrets')).out).toBe(whole);
    } finally {
      elsewhere.remove();
    }
  });
});
