/**
 * The parts of docs/reference that the program itself tells: its help, its keys, its rules, its problems. A page holds them between
 * `<!-- begin NAME -->` and `<!-- end NAME -->`; what stands around them is written by hand.
 */
import { readFileSync } from 'node:fs';
import { DOOR_REASONS, RULES } from '../../src/access/rules.js';
import type { Command } from '../../src/cli/command.js';
import { COMMANDS } from '../../src/cli/commands.js';
import { runCli } from '../../src/cli/run-cli.js';
import { environmentVariables } from '../../src/config/environment.js';
import { configSchema } from '../../src/config/schema.js';
import { mayDo, type Permission } from '../../src/http/permission.js';
import { PROBLEMS } from '../../src/http/problems.js';
import { API_KEY_ROLES } from '../../src/records/administrator.js';
import { memoryIo } from '../cli/memory-io.js';
import { openDoor } from '../http/door.js';
import { ROOT } from './pages.js';

/** Keys that the schema knows only in order to refuse them. */
const NOT_YET = /^(mail|upstreams|radius\.radsec|events\.(retention|syslog))$/;

/** What each permission lets its holder do; the key is checked against permission.ts. */
const PERMISSIONS: Readonly<Record<Exclude<Permission, 'open'>, string>> = {
  read: 'read records, events, metrics and the description',
  support: 'unlock a user',
  write: 'create, change and delete records',
  own: 'make and change administrators and API keys',
  authenticate: 'ask for a decision at `/authenticate`',
};

/** `page` with every generated part as the program tells it now. Throws where a mark names no part or is not closed. */
export async function regenerated(page: string): Promise<string> {
  let text = readFileSync(`${ROOT}${page}`, 'utf8');
  for (const [, name = ''] of text.matchAll(/<!-- begin (\w+) -->/g)) {
    const part = PARTS[name];
    if (part === undefined) throw new Error(`${page}: nothing is called ${name}`);
    const [before, rest] = halves(text, `<!-- begin ${name} -->\n`);
    const [, after] = halves(rest, `<!-- end ${name} -->`);
    text = `${before}<!-- begin ${name} -->\n${await part()}\n<!-- end ${name} -->${after}`;
  }
  return text;
}

function halves(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  if (at === -1) throw new Error(`the mark ${mark.trim()} is missing`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}

const PARTS: Readonly<Record<string, () => string | Promise<string>>> = {
  commands,
  example: () => fenced('yaml config', readFileSync(`${ROOT}config/sallyport.example.yaml`, 'utf8')),
  variables: () =>
    table(
      ['key', 'variable'],
      environmentVariables(configSchema)
        .filter(({ key }) => !NOT_YET.test(key))
        .map(({ key, name }) => [`\`${key}\``, `\`${name}\``]),
    ),
  rules: () =>
    table(
      ['reason', 'the rule that failed', 'what to do'],
      RULES.map(({ reason, title, next }) => [`\`${reason}\``, title, next]),
    ),
  door: () =>
    table(
      ['reason', 'what did not hold', 'what to do'],
      DOOR_REASONS.map(({ reason, title, next }) => [`\`${reason}\``, title, next]),
    ),
  paths,
  problems: () =>
    table(
      ['status', 'type', 'title'],
      Object.entries(PROBLEMS).map(([kind, { status, title }]) => [
        String(status),
        `\`urn:sallyport:problem:${kind}\``,
        title,
      ]),
    ),
  roles: () =>
    table(
      ['may', ...API_KEY_ROLES],
      permissions().map((permission) => [
        PERMISSIONS[permission],
        ...API_KEY_ROLES.map((role) => (mayDo(role, permission) ? 'yes' : '')),
      ]),
    ),
};

const permissions = (): readonly Exclude<Permission, 'open'>[] => ['read', 'support', 'write', 'own', 'authenticate'];

/** The help of every command, as it is printed. */
async function commands(): Promise<string> {
  const names = COMMANDS.flatMap(({ name, subcommands }) =>
    subcommands.length === 0 ? [name] : [name, ...subcommands.map((member) => `${name} ${member}`)],
  );
  const parts = [fenced('text', await help(''))];
  for (const name of names) parts.push(`## ${name}`, fenced('text', await help(name)));
  return parts.join('\n\n');
}

/** Every path with its methods, as the running API describes itself. */
async function paths(): Promise<string> {
  const door = await openDoor();
  try {
    const description = await fetch(`${door.origin}/openapi.json`, { headers: door.as(door.owner) });
    const { paths: described }: { paths: Readonly<Record<string, object>> } = JSON.parse(await description.text());
    const methods = (item: object) => Object.keys(item).map((method) => method.toUpperCase());
    return table(
      ['path', 'methods'],
      Object.entries(described).map(([path, item]) => [`\`${path}\``, methods(item).join(', ')]),
    );
  } finally {
    await door.close();
  }
}

/** What `sallyport NAME --help` prints. */
export async function help(name: string, known: readonly Command[] = COMMANDS): Promise<string> {
  const io = memoryIo();
  await runCli([...name.split(' ').filter((word) => word !== ''), '--help'], known, io);
  return `${io.stdout.join('\n').trimEnd()}\n`;
}

const fenced = (info: string, text: string): string => `\`\`\`${info}\n${text.trimEnd()}\n\`\`\``;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
