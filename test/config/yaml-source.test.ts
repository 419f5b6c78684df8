import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { formatProblems } from '../../src/config/problem.js';
import { parseYamlFile } from '../../src/config/yaml-source.js';

const schema = z.strictObject({
  radius: z
    .strictObject({ listen: z.array(z.string().regex(/:\d+$/, { error: 'is not address:port' })).optional() })
    .optional(),
  ldap: z.strictObject({ baseDn: z.string().default('dc=x'), requireTls: z.boolean().optional() }).optional(),
  users: z
    .array(
      z.strictObject({
        login: z.string(),
        digits: z.union([z.literal(6), z.literal(8)]).optional(),
        type: z.enum(['totp', 'hotp']).optional(),
        place: z.union([z.string(), z.strictObject({ host: z.string(), port: z.int().max(65535) })]).optional(),
      }),
    )
    .max(3)
    .optional(),
});

const problemsOf = (text: string) => {
  const parsed = parseYamlFile(text, 'f.yaml', schema);
  return parsed.ok ? [] : formatProblems(parsed.problems, 'nothing was done').split('\n');
};

describe('a YAML file', () => {
  test('becomes a checked value with its defaults', () => {
    const parsed = parseYamlFile('ldap: {}\nusers:\n  - login: alice\n', 'f.yaml', schema);
    expect(parsed.ok && parsed.value).toEqual({ ldap: { baseDn: 'dc=x' }, users: [{ login: 'alice' }] });
  });

  test('an empty one is an empty section, so that what is missing is named', () => {
    expect(parseYamlFile('# nothing yet\n', 'f.yaml', schema)).toMatchObject({ ok: true, value: {} });
    const needs = parseYamlFile('', 'f.yaml', z.strictObject({ database: z.string() }));
    expect(needs).toMatchObject({ ok: false, problems: [{ key: 'database', message: 'is missing' }] });
  });

  test('all problems are told at once, with line, column and key, in the order of the file', () => {
    const text = 'radius:\n  listen: ["ok:1", "0.0.0.0:18l2"]\nldap:\n  basedn: dc=x\n  requireTls: "yes"\n';
    expect(problemsOf(text)).toEqual([
      'f.yaml:2:20  radius.listen[1]: is not address:port',
      'f.yaml:4:3   ldap.basedn: no such key; did you mean baseDn?',
      'f.yaml:5:15  ldap.requireTls: expected true or false, got a text',
      '3 errors, nothing was done',
    ]);
  });

  test('a key that resembles none lists those that there are', () => {
    expect(problemsOf('ldap: { zzzzzz: 1 }')[0]).toBe(
      'f.yaml:1:9  ldap.zzzzzz: no such key; there are: baseDn, requireTls',
    );
  });

  test('a missing key points at the section that lacks it', () => {
    expect(problemsOf('users:\n  - login: bob\n  - type: totp\n')[0]).toBe('f.yaml:3:5  users[1].login: is missing');
  });

  test.each([
    ['users: [{ login: 12 }]', 'users[0].login: expected a text, got a number; put it in quotes'],
    ['users: [{ login: a, type: toto }]', 'users[0].type: expected one of totp, hotp; did you mean totp?'],
    ['users: [{ login: a, digits: 5 }]', 'users[0].digits: expected 6 or 8'],
    ['users: [{ login: a, place: 7 }]', 'users[0].place: expected a text or a section with keys'],
    ['users: [{ login: a, place: { host: h, port: 70000 } }]', 'users[0].place.port: must be at most 65535'],
    ['users: [{ login: a, place: { host: h, prt: 1 } }]', 'users[0].place.prt: no such key; did you mean port?'],
    ['users: [{login: a}, {login: b}, {login: c}, {login: d}]', 'users: needs at most 3 entries'],
    ['ldap:\n', 'ldap: is empty; expected a section with keys'],
    ['users: nobody', 'users: expected a list, got a text'],
    ['[]', 'expected a section with keys, got a list'],
  ])('%j is told as %j', (text, expected) => {
    expect(problemsOf(text).join('\n')).toContain(expected);
  });

  test('a key that stands twice is an error at the second place', () => {
    expect(problemsOf('users:\n  - login: a\n    login: b\n')).toEqual([
      'f.yaml:3:5  users[0].login: the same key stands here twice',
      '1 error, nothing was done',
    ]);
  });

  test('a syntax error has its place', () => {
    expect(problemsOf('ldap: { baseDn: "dc=x }\n')[0]).toMatch(/^f\.yaml:2:1 {2}Missing closing/);
    expect(problemsOf('ldap: {}\n---\nldap: {}\n')[0]).toContain('more than one YAML document');
  });

  test('an alias bomb is refused instead of unfolded', () => {
    const levels = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 9; i++) {
      const above = String.fromCharCode(96 + i);
      levels.push(
        `${String.fromCharCode(97 + i)}: &${String.fromCharCode(97 + i)} [${Array(10).fill(`*${above}`).join(',')}]`,
      );
    }
    expect(problemsOf(levels.join('\n'))[0]).toContain('alias that repeats too much');
  });

  test('nesting that would fill the stack is refused', () => {
    expect(problemsOf('['.repeat(200_000))[0]).toMatch(/nested too deeply|Flow sequence/);
  });

  test('a value behind an alias is found at its anchor', () => {
    const text = 'users:\n  - &a\n    login: alice\n    digits: 5\n  - *a\n';
    expect(problemsOf(text).slice(0, 2)).toEqual([
      'f.yaml:4:13  users[0].digits: expected 6 or 8',
      'f.yaml:4:13  users[1].digits: expected 6 or 8',
    ]);
  });

  test('what a schema cannot see is told through the source', () => {
    const parsed = parseYamlFile('users:\n  - login: alice\n', 'f.yaml', schema);
    if (!parsed.ok) throw new Error('the file is right');
    expect(parsed.source.problem(['users', 0, 'login'], 'is taken')).toEqual({
      where: { kind: 'place', file: 'f.yaml', line: 2, column: 12 },
      key: 'users[0].login',
      message: 'is taken',
    });
  });
});
