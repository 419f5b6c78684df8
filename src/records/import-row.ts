/**
 * Users and tokens as rows of a CSV file. Columns may be any of COLUMNS, in any order; several aliases or resources stand in one
 * cell, split by `;`. Rows of one user that stand together are one user with several tokens; a row without a login is a token in stock.
 */
import { decodeBase32 } from '../otp/base32.js';
import { ALGORITHMS, TOKEN_DEFAULTS, TOKEN_TYPES } from './token.js';
import { LIMITS, nameKey, RULES } from './values.js';

export const COLUMNS = [
  'login',
  'aliases',
  'displayName',
  'email',
  'phone',
  'password',
  'resource',
  'tokenType',
  'tokenSecret',
  'tokenSerial',
  'algorithm',
  'digits',
  'period',
  'counter',
] as const;
export type Column = (typeof COLUMNS)[number];

/** One thing that is wrong with a row; `column` null: with the row as a whole. */
export interface RowFault {
  /** From 1; the header is line 1. */
  readonly line: number;
  readonly column: Column | null;
  readonly message: string;
}

export interface ImportedToken {
  readonly line: number;
  readonly type: (typeof TOKEN_TYPES)[number];
  /** Null: one is made. */
  readonly key: Buffer | null;
  readonly serial: string | null;
  readonly algorithm: (typeof ALGORITHMS)[number];
  readonly digits: number;
  readonly period: number;
  readonly counter: number;
}

/** A user with tokens, or tokens in stock. */
export interface ImportedUser {
  readonly line: number;
  /** Null: in stock. */
  readonly login: string | null;
  readonly aliases: readonly string[];
  readonly displayName: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly password: string | null;
  readonly resources: readonly string[];
  readonly tokens: readonly ImportedToken[];
}

/** The columns of a header, or what is wrong with it. */
export function readHeader(cells: readonly string[]): {
  readonly columns: readonly Column[];
  readonly faults: readonly RowFault[];
} {
  const faults: RowFault[] = [];
  const columns = cells.flatMap((cell, i) => {
    const column = COLUMNS.find((each) => each.toLowerCase() === cell.trim().toLowerCase());
    const message =
      column === undefined
        ? `column ${i + 1} is called ${JSON.stringify(cell)}; there are ${COLUMNS.join(', ')}`
        : `${column} is there twice`;
    if (column !== undefined && cells.findIndex((each) => each.trim().toLowerCase() === column.toLowerCase()) === i)
      return [column];
    faults.push({ line: 1, column: null, message });
    return [];
  });
  if (faults.length === 0 && !columns.includes('login') && !columns.includes('tokenSerial'))
    faults.push({ line: 1, column: null, message: 'needs a column login or tokenSerial' });
  return { columns, faults };
}

/** A row as a user or token; what is wrong with it goes to `faults`. */
export function readRow(
  columns: readonly Column[],
  cells: readonly string[],
  line: number,
  faults: RowFault[],
): ImportedUser {
  const wrong = (column: Column | null, message: string): void => {
    faults.push({ line, column, message });
  };
  if (cells.length !== columns.length) wrong(null, `has ${cells.length} cells; the header has ${columns.length}`);
  const cell = (column: Column): string | null => {
    const i = columns.indexOf(column);
    const value = i < 0 ? '' : (cells[i] ?? '');
    if (value.includes('\uFFFD')) wrong(column, 'is not UTF-8');
    return value === '' ? null : value;
  };
  const checked = (column: Column, rule: (value: string) => string | null, value: string | null): string | null => {
    const fault = value === null ? null : rule(value);
    if (fault !== null) wrong(column, fault);
    return value;
  };
  const login = checked('login', RULES.login, cell('login'));
  const user = {
    line,
    login,
    aliases: several(cell('aliases'), LIMITS.aliases, (message) => wrong('aliases', message), RULES.login),
    displayName: checked('displayName', RULES.displayName, cell('displayName')),
    email: checked('email', RULES.email, cell('email')),
    phone: checked('phone', RULES.phone, cell('phone')),
    password: checked('password', RULES.password, cell('password')),
    resources: several(
      cell('resource'),
      LIMITS.resourcesOfUser,
      (message) => wrong('resource', message),
      () => null,
    ),
  };
  const token = readToken(cell, checked, wrong, line);
  if (login === null) {
    if (token === null) wrong(null, 'names neither a user nor a token');
    else if (token.serial === null) wrong('tokenSerial', 'a token in stock needs a serial');
    for (const column of ['aliases', 'displayName', 'email', 'phone', 'password', 'resource'] as const)
      if (cell(column) !== null) wrong(column, 'belongs to a user, and the row names none');
  }
  return { ...user, tokens: token === null ? [] : [token] };
}

/** Joins a row to the user of the row before, where it names the same one; else null. What contradicts goes to `faults`. */
export function joinRows(user: ImportedUser, row: ImportedUser, faults: RowFault[]): ImportedUser | null {
  if (user.login === null || row.login === null || nameKey(user.login) !== nameKey(row.login)) return null;
  for (const field of ['displayName', 'email', 'phone', 'password'] as const)
    if (row[field] !== null && user[field] !== null && row[field] !== user[field])
      faults.push({ line: row.line, column: field, message: `is another one than in line ${user.line}` });
  const tokens = [...user.tokens, ...row.tokens];
  if (tokens.length > LIMITS.tokensOfUser)
    faults.push({ line: row.line, column: null, message: `a user has at most ${LIMITS.tokensOfUser} tokens` });
  return {
    ...user,
    aliases: union(user.aliases, row.aliases),
    displayName: user.displayName ?? row.displayName,
    email: user.email ?? row.email,
    phone: user.phone ?? row.phone,
    password: user.password ?? row.password,
    resources: union(user.resources, row.resources),
    tokens,
  };
}

const union = (a: readonly string[], b: readonly string[]): readonly string[] =>
  b.length === 0 ? a : [...a, ...b.filter((value) => !a.some((each) => nameKey(each) === nameKey(value)))];

function several(
  cell: string | null,
  most: number,
  wrong: (message: string) => void,
  rule: (value: string) => string | null,
): readonly string[] {
  if (cell === null) return [];
  const values = cell.split(';').map((value) => value.trim());
  for (const value of values) {
    const fault = value === '' ? 'has an empty entry between two ;' : rule(value);
    if (fault !== null) wrong(values.length === 1 ? fault : `${value}: ${fault}`);
  }
  if (values.length > most) wrong(`has more than ${most} entries`);
  if (new Set(values.map(nameKey)).size < values.length) wrong('names the same one twice');
  return values;
}

function readToken(
  cell: (column: Column) => string | null,
  checked: (column: Column, rule: (value: string) => string | null, value: string | null) => string | null,
  wrong: (column: Column, message: string) => void,
  line: number,
): ImportedToken | null {
  const secret = checked('tokenSecret', RULES.tokenSecret, cell('tokenSecret'));
  const serial = checked('tokenSerial', RULES.serial, cell('tokenSerial'));
  const typeText = cell('tokenType');
  if (secret === null && serial === null && typeText === null) {
    for (const column of ['algorithm', 'digits', 'period', 'counter'] as const)
      if (cell(column) !== null) wrong(column, 'belongs to a token, and the row has none');
    return null;
  }
  const type = oneOf(TOKEN_TYPES, typeText?.toLowerCase() ?? 'totp', () =>
    wrong('tokenType', `must be one of ${TOKEN_TYPES.join(', ')}`),
  );
  const algorithmText =
    cell('algorithm')
      ?.toUpperCase()
      .replace(/^(HMAC-?)?SHA-?/, 'SHA') ?? TOKEN_DEFAULTS.algorithm;
  const number = (column: Column, least: number, most: number, otherwise: number): number => {
    const value = cell(column);
    if (value === null) return otherwise;
    if (/^\d{1,16}$/.test(value) && Number(value) >= least && Number(value) <= most) return Number(value);
    wrong(column, `must be a whole number from ${least} to ${most}`);
    return otherwise;
  };
  const foreign = type === 'totp' ? 'counter' : 'period';
  const idle = cell(foreign);
  // Exports of mixed lists fill the other type's column with its default.
  if (idle !== null && !/^0*$|^30$/.test(idle)) wrong(foreign, `a ${type} token has no ${foreign}`);
  const decoded = secret === null ? null : decodeBase32(secret);
  return {
    line,
    type,
    key: decoded?.kind === 'octets' ? decoded.octets : null,
    serial,
    algorithm: oneOf(ALGORITHMS, algorithmText, () => wrong('algorithm', `must be one of ${ALGORITHMS.join(', ')}`)),
    digits: number('digits', 6, 8, TOKEN_DEFAULTS.digits),
    period: type === 'totp' ? number('period', 15, 120, TOKEN_DEFAULTS.period) : TOKEN_DEFAULTS.period,
    counter: type === 'hotp' ? number('counter', 0, 2 ** 52, TOKEN_DEFAULTS.counter) : 0,
  };
}

function oneOf<T extends string>(values: readonly [T, ...T[]], text: string, none: () => void): T {
  const found = values.find((value) => value === text);
  if (found === undefined) none();
  return found ?? values[0];
}
