import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { formatProblems } from '../../src/config/problem.js';
import { parseYamlFile } from '../../src/config/yaml-source.js';
import { recordsFile } from '../../src/records/records-file.js';

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
let folder: string;

const make = (name: string) => {
  execFileSync(process.execPath, [
    path('scripts/demo-records.mjs'),
    path('config/demo.yaml'),
    join(folder, `${name}.yaml`),
    join(folder, `${name}.env`),
  ]);
  return {
    records: readFileSync(join(folder, `${name}.yaml`), 'utf8'),
    secrets: Object.fromEntries(
      readFileSync(join(folder, `${name}.env`), 'utf8')
        .split('\n')
        .filter((line) => line.includes('='))
        .map((line) => line.split('=')),
    ),
  };
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-demo-'));
});

test('the demo records are records, with every secret filled in', () => {
  const { records, secrets } = make('demo');
  const parsed = parseYamlFile(records, 'demo.yaml', recordsFile);
  if (!parsed.ok) throw new Error(formatProblems(parsed.problems, 'the demo is wrong'));
  expect(parsed.value.users?.map(({ login }) => login)).toEqual(['alice', 'bob', 'carol']);
  expect(parsed.value.users?.[0]?.aliases).toEqual(['asmith']);
  expect(records).not.toContain('@A');
  expect(Object.keys(secrets)).toHaveLength(5);
  for (const secret of Object.values(secrets)) expect(records).toContain(`"${secret}"`);
  for (const file of ['demo.yaml', 'demo.env']) expect(statSync(join(folder, file)).mode & 0o777, file).toBe(0o600);
});

test('each installation has secrets of its own, all different', () => {
  const all = [...Object.values(make('first').secrets), ...Object.values(make('second').secrets)];
  expect(new Set(all).size).toBe(10);
});
