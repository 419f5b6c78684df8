/** What the manual shows works: records apply, configurations load, command lines are understood, links lead somewhere. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { COMMANDS } from '../../src/cli/commands.js';
import { runCli } from '../../src/cli/run-cli.js';
import { loadConfig } from '../../src/config/load-config.js';
import { checkReplyAttributes } from '../../src/radius/reply-attributes.js';
import { recordsFile } from '../../src/records/records-file.js';
import { memoryIo } from '../cli/memory-io.js';
import { blocks, blocksOf, pages, placeOf, ROOT } from './pages.js';
import { help } from './reference.js';

let folder: string;
beforeAll(async () => {
  folder = join(mkdtempSync(join(tmpdir(), 'sallyport-docs-')), 'installation');
  expect(await runCli(['init', folder], COMMANDS, memoryIo())).toBe(0);
});
afterAll(() => rmSync(dirname(folder), { recursive: true }));

describe('records', () => {
  const shown = blocks('yaml records');
  test('are shown', () => expect(shown.length).toBeGreaterThan(4));

  test.each(shown.map((block) => [placeOf(block), block.text]))('%s applies', async (_place, text) => {
    const file = join(folder, 'records.yaml');
    writeFileSync(file, text);
    // What a page takes for granted: the resources and groups of other pages.
    const io = memoryIo();
    const base = join(folder, 'base.yaml');
    writeFileSync(base, 'resources: [{ name: vpn }, { name: wiki }]\n');
    expect(await runCli(['apply', '-c', `${folder}/sallyport.yaml`, '-f', base], COMMANDS, io)).toBe(0);
    const code = await runCli(['apply', '-c', `${folder}/sallyport.yaml`, '-f', file, '--dry-run'], COMMANDS, io);
    expect(io.stderr.join('\n')).toBe('');
    expect(code).toBe(0);
    for (const { replyAttributes } of recordsFile.parse(parse(text)).resources ?? [])
      expect(checkReplyAttributes(replyAttributes ?? {})).toEqual([]);
  });
});

test.each(blocks('csv').map((block) => [placeOf(block), block.text]))('%s can be imported', async (_place, text) => {
  const base = join(folder, 'base.yaml');
  writeFileSync(base, 'resources: [{ name: vpn }, { name: wiki }]\n');
  expect(await runCli(['apply', '-c', `${folder}/sallyport.yaml`, '-f', base], COMMANDS, memoryIo())).toBe(0);
  const file = join(folder, 'users.csv');
  writeFileSync(file, text);
  const io = memoryIo();
  const line = ['import', '-c', `${folder}/sallyport.yaml`, '--format', 'csv', file, '--dry-run'];
  expect(await runCli(line, COMMANDS, io), io.stderr.join('\n')).toBe(0);
});

test.each(blocks('yaml config').map((block) => [placeOf(block), block.text]))('%s loads', (_place, text) => {
  const file = join(folder, 'example.yaml');
  writeFileSync(file, text);
  const loaded = loadConfig(file, {});
  expect(loaded).toMatchObject({ ok: true, warnings: [] });
});

describe('command lines', () => {
  const lines = pages().flatMap((page) =>
    blocksOf(page)
      .filter(({ info }) => info === 'sh')
      .flatMap((block) =>
        block.text
          .split('\n')
          .flatMap((line) => [...line.matchAll(/(?:^|\$\(|\/)(?:sallyport|main\.js) ([a-z][^)>|"]*)/g)])
          .map(([, words = '']) => [placeOf(block), words.trim()] as const),
      ),
  );
  test('are shown', () => expect(lines.length).toBeGreaterThan(20));

  test.each(lines)('%s: sallyport %s', async (_place, words) => {
    const [first = '', second = '', ...rest] = words.split(/\s+/);
    const command = COMMANDS.find(({ name }) => name === first);
    expect(command, `there is a command ${first}`).toBeDefined();
    const deep = (command?.subcommands.length ?? 0) > 0;
    if (deep) expect(command?.subcommands).toContain(second);
    const text = await help(deep ? `${first} ${second}` : first);
    const options = (deep ? rest : [second, ...rest]).filter((word) => /^--?[a-z]/.test(word));
    for (const option of options) expect(text, option).toMatch(new RegExp(`(^|[\\s,])${option}[\\s,]`, 'm'));
  });
});

test.each(pages().map(({ path, text }) => [path, text]))('every link of %s leads to a file', (path, text) => {
  for (const [, target = ''] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
    if (/^https?:/.test(target)) continue;
    expect(existsSync(join(ROOT, dirname(path), target)), target).toBe(true);
  }
});

test('every file that the manual names is there', () => {
  for (const { path, text } of pages()) {
    for (const [, file = ''] of text.matchAll(/`((?:src|test|scripts|config)\/[\w./-]+)`/g))
      expect(existsSync(join(ROOT, file)), `${path}: ${file}`).toBe(true);
  }
});

test('every test that the manual names as proof is in the file that it names', () => {
  let named = 0;
  for (const { path, text } of pages()) {
    // `test/x.test.ts`: RAD-33, "a sentence"
    for (const [, file = '', names = ''] of text.matchAll(/`(test\/[\w./-]+\.ts)`: ([^;|\n]+)/g)) {
      const source = readFileSync(join(ROOT, file), 'utf8');
      for (const [, sentence, id] of names.matchAll(/"([^"]+)"|\b([A-Z]+-\d+)\b/g)) {
        named += 1;
        expect(source, `${path}: ${file}`).toContain(sentence ?? id);
      }
    }
  }
  expect(named).toBeGreaterThan(20);
});
