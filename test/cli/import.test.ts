import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Installed, installed } from './installed.js';

const SEED = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

describe('sallyport import', () => {
  let here: Installed;
  beforeEach(async () => {
    here = await installed();
    expect((await here.sallyport('resource', 'create', 'vpn')).code).toBe(0);
  });
  afterEach(() => here.remove());

  const load = (text: string | Buffer, ...options: readonly string[]) => {
    writeFileSync(join(here.folder, 'users.csv'), text);
    return here.sallyport('import', '--format', 'csv', 'users.csv', ...options);
  };
  const logins = async () =>
    (await here.sallyport('user', 'list', '--limit', '0')).out
      .split('\n')
      .slice(1)
      .map((line) => line.split(' ')[0]);

  test('adds users and tokens, quoted cells, several lines of one user and tokens in stock among them', async () => {
    const text = `\uFEFFlogin,aliases,displayName,resource,tokenType,tokenSecret,tokenSerial,counter\r
alice,asmith;al,"Smith, Alice ""Al""",vpn,totp,${SEED},,\r
alice,,,,hotp,${SEED},FT-1,7\r
\r
bob,,,,,,,\r
,,,,hotp,${SEED},FT-2,\r
`;
    const first = await load(text);
    expect(first).toMatchObject({ code: 0, out: '2 users and 3 tokens created, 0 left as they are' });
    expect(await here.json('user', 'show', 'AL')).toMatchObject({
      login: 'alice',
      displayName: 'Smith, Alice "Al"',
      resources: ['vpn'],
      tokens: [{ type: 'totp' }, { type: 'hotp', serial: 'FT-1' }],
    });
    expect(await here.json('token', 'show', 'FT-2')).toMatchObject({ user: null });
    expect(await load(text)).toMatchObject({ code: 0, out: '0 users and 0 tokens created, 5 left as they are' });
  });

  const BAD = `login,email,tokenSecret,tokenSerial
good,good@example.org,${SEED},S-1
bad login,x@example.org,,
nomail,nowhere,,
short,a@b,GEZDGNBV,
wide,a@b,,S-9,extra
GOOD,a@b,,S-2
other,a@b,${SEED},S-1
last,,,
`;

  test('tells every bad row with line and column, and writes nothing', async () => {
    const { code, out, err } = await load(BAD);
    expect([code, out]).toEqual([2, '']);
    expect(err.split('\n').map((line) => line.replace(/ {2,}/, ' '))).toEqual([
      expect.stringMatching(/^users\.csv:3:1 login: must not contain U\+0020/),
      'users.csv:4:2 email: is not a mail address',
      'users.csv:5:3 tokenSecret: has 40 bit; at least 80 are needed',
      'users.csv:6:1 has 5 cells; the header has 4',
      'users.csv:7:1 login: is there already in line 2; rows of one user stand together',
      'users.csv:8:4 tokenSerial: is there already in line 2',
      '6 errors, nothing was written',
    ]);
    expect(await logins()).toEqual([]);
  });

  test('--skip-invalid writes the good rows, --dry-run none', async () => {
    expect(await load(BAD, '--skip-invalid', '--dry-run')).toMatchObject({
      code: 0,
      out: 'would be: 2 users and 1 tokens created, 0 left as they are',
    });
    expect(await logins()).toEqual([]);
    const { code, out, err } = await load(BAD, '--skip-invalid');
    expect([code, out]).toEqual([0, '2 users and 1 tokens created, 0 left as they are']);
    expect(err).toMatch(/6 errors, these are left out$/);
    expect(await logins()).toEqual(['good', 'last']);
  });

  test.each([
    ['no known column', 'name,mail\na,b\n', /^users\.csv:1:1 +column 1 is called "name"; there are login, aliases/],
    ['nothing in it', '', /^users\.csv:1:1 +the file is empty/],
    [
      'a quote that is never closed',
      'login\n"alice\nbob\n',
      /^users\.csv:\d:1 +a quote is opened here and never closed/,
    ],
    [
      'another encoding',
      Buffer.from('login,displayName\na,M\xfcller\n', 'latin1'),
      /^users\.csv:2:2 +displayName: is not UTF-8/,
    ],
    ['a resource that is none', 'login,resource\na,wiki\n', /^users\.csv:2:2 +resource: no such resource: wiki/],
  ])('a file with %s is refused', async (_what, text, message) => {
    const { code, err } = await load(text);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  test('thousands of users come in whole, in many slices, with one event', async () => {
    const rows = Array.from({ length: 5_000 }, (_, i) => `user${i},alias${i},vpn,${SEED},SN-${i}`);
    const { code, out } = await load(`login,aliases,resource,tokenSecret,tokenSerial\n${rows.join('\n')}\n`, '--json');
    expect([code, JSON.parse(out)]).toEqual([0, { dryRun: false, users: 5_000, tokens: 5_000, there: 0 }]);
    expect(await logins()).toHaveLength(5_000);
    const events = (await here.sallyport('events', '--json', '--limit', '0')).out
      .split('\n')
      .map((line) => JSON.parse(line).detail.action);
    expect(events.filter((action) => action === 'imported')).toHaveLength(1);
    expect(events.length).toBeLessThan(10);
  });
});
