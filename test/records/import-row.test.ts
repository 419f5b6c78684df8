import { describe, expect, test } from 'vitest';
import {
  COLUMNS,
  type ImportedUser,
  joinRows,
  type RowFault,
  readHeader,
  readRow,
} from '../../src/records/import-row.js';

const SEED = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

/** Reads a row given by column. */
function row(cells: Readonly<Partial<Record<(typeof COLUMNS)[number], string>>>, line = 2) {
  const faults: RowFault[] = [];
  const user = readRow(
    COLUMNS,
    COLUMNS.map((column) => cells[column] ?? ''),
    line,
    faults,
  );
  return { user, faults: faults.map(({ column, message }) => `${column}: ${message}`) };
}

describe('a header', () => {
  test('names columns in any order, whatever the case', () => {
    expect(readHeader(['TokenSerial', ' login '])).toEqual({ columns: ['tokenSerial', 'login'], faults: [] });
  });

  test.each([
    [['login', 'shoe'], /column 2 is called "shoe"; there are login, aliases/],
    [['login', 'Login'], /login is there twice/],
    [['email'], /needs a column login or tokenSerial/],
    [['login;aliases'], /column 1 is called "login;aliases"/],
  ])('%j is refused', (cells, message) => {
    expect(readHeader(cells).faults[0]?.message).toMatch(message);
  });
});

describe('a row', () => {
  test('is a user with a token', () => {
    const { user, faults } = row({
      login: 'Alice',
      aliases: 'asmith; al',
      resource: 'vpn;wiki',
      tokenType: 'HOTP',
      tokenSecret: SEED,
      algorithm: 'HmacSHA-256',
      digits: '8',
      counter: '7',
      period: '30',
    });
    expect(faults).toEqual([]);
    expect(user).toMatchObject({
      login: 'Alice',
      aliases: ['asmith', 'al'],
      resources: ['vpn', 'wiki'],
      displayName: null,
    });
    expect(user.tokens).toMatchObject([{ type: 'hotp', algorithm: 'SHA256', digits: 8, counter: 7 }]);
    expect(user.tokens[0]?.key?.toString('latin1')).toBe('12345678901234567890');
  });

  test('is a TOTP token where nothing else is said, and no token where nothing is said at all', () => {
    expect(row({ login: 'a', tokenSecret: SEED }).user.tokens).toMatchObject([{ type: 'totp', digits: 6, period: 30 }]);
    expect(row({ login: 'a' }).user.tokens).toEqual([]);
  });

  test.each([
    [{ login: 'a b' }, /^login: must not contain U\+0020/],
    [{ login: 'a', aliases: 'ok;n/a' }, /^aliases: n\/a: must not contain \//],
    [{ login: 'a', aliases: 'x;X' }, 'aliases: names the same one twice'],
    [{ login: 'a', aliases: 'x;' }, 'aliases: : has an empty entry between two ;'],
    [{ login: 'a', email: 'nowhere' }, 'email: is not a mail address'],
    [{ login: 'a', tokenSecret: '18' }, /^tokenSecret: is not Base32/],
    [{ login: 'a', tokenType: 'sms' }, 'tokenType: must be one of totp, hotp'],
    [{ login: 'a', tokenSecret: SEED, digits: '5' }, 'digits: must be a whole number from 6 to 8'],
    [{ login: 'a', tokenSecret: SEED, period: '1e1' }, 'period: must be a whole number from 15 to 120'],
    [{ login: 'a', tokenSecret: SEED, counter: '4' }, 'counter: a totp token has no counter'],
    [{ login: 'a', digits: '6' }, 'digits: belongs to a token, and the row has none'],
    [{ tokenSecret: SEED }, 'tokenSerial: a token in stock needs a serial'],
    [{ tokenSerial: 'S1', email: 'a@b' }, 'email: belongs to a user, and the row names none'],
    [{}, 'null: names neither a user nor a token'],
    [{ login: 'a', displayName: 'M\uFFFDller' }, 'displayName: is not UTF-8'],
  ])('%j is refused, by column', (cells, message) => {
    expect(row(cells).faults).toEqual([typeof message === 'string' ? message : expect.stringMatching(message)]);
  });

  test('has as many cells as the header', () => {
    const faults: RowFault[] = [];
    readRow(['login', 'email'], ['a', 'a@b', 'c'], 9, faults);
    expect(faults).toEqual([{ line: 9, column: null, message: 'has 3 cells; the header has 2' }]);
  });
});

describe('rows of one user that stand together', () => {
  const join = (a: ImportedUser, b: ImportedUser) => {
    const faults: RowFault[] = [];
    return { joined: joinRows(a, b, faults), faults };
  };

  test('are one user with all tokens, aliases and resources', () => {
    const { joined, faults } = join(
      row({ login: 'a', resource: 'vpn', tokenSerial: 'S1' }, 2).user,
      row({ login: 'A', resource: 'VPN;wiki', email: 'a@b', tokenSerial: 'S2' }, 3).user,
    );
    expect(faults).toEqual([]);
    expect(joined).toMatchObject({
      line: 2,
      login: 'a',
      email: 'a@b',
      resources: ['vpn', 'wiki'],
      tokens: [{ serial: 'S1' }, { serial: 'S2' }],
    });
  });

  test('may not contradict each other, and others are not joined', () => {
    expect(join(row({ login: 'a', email: 'a@b' }, 2).user, row({ login: 'a', email: 'c@d' }, 3).user).faults).toEqual([
      { line: 3, column: 'email', message: 'is another one than in line 2' },
    ]);
    expect(join(row({ login: 'a' }).user, row({ login: 'b' }).user).joined).toBeNull();
    expect(join(row({ tokenSerial: 'S1' }).user, row({ tokenSerial: 'S2' }).user).joined).toBeNull();
  });
});
