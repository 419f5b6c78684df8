import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../src/cli/events.js';
import { type Installed, installed } from './installed.js';
import { memoryIo } from './memory-io.js';

let at: Installed;
beforeAll(async () => {
  at = await installed();
  for (const login of ['alice', 'bob']) await at.sallyport('user', 'create', login);
});
afterAll(() => at.remove());

const ALL = {
  user: undefined,
  resource: undefined,
  client: undefined,
  outcome: undefined,
  reason: undefined,
  kind: undefined,
  from: undefined,
  to: undefined,
  query: undefined,
  limit: 100,
  follow: false,
  json: true,
} as const;

describe('sallyport events', () => {
  test('prints one JSON object a line, oldest first, with the fields of the API', async () => {
    const { code, out } = await at.sallyport('events', '--json', '--kind', 'change');
    const events = out.split('\n').map((line) => JSON.parse(line));
    expect(code).toBe(0);
    expect(events.map(({ detail }) => detail.name)).toEqual(['admin', 'alice', 'bob']);
    for (const key of ['id', 'time', 'outcome', 'reason', 'userId', 'resource', 'client', 'source', 'method'])
      expect(events[0]).toHaveProperty(key);
  });

  test('filters by user and time', async () => {
    expect((await at.sallyport('events', '--user', 'alice')).out).toMatch(/^\S+ {2}created user alice {2}by cli:/);
    expect((await at.sallyport('events', '--from', '1h', '--limit', '1')).out).toContain('bob');
    expect((await at.sallyport('events', '--to', '1h')).out).toBe('');
    expect(await at.sallyport('events', '--from', 'yesterday')).toMatchObject({ code: 2 });
  });

  test('follows: shows what comes once, and ends in peace when interrupted', async () => {
    const io = memoryIo({}, at.folder);
    const controller = new AbortController();
    const following = run({ ...ALL, config: at.config, follow: true, limit: 1 }, io, controller.signal);
    await expect.poll(() => io.stdout.length).toBe(1);
    await at.sallyport('user', 'create', 'carol');
    await expect.poll(() => io.stdout.length, { timeout: 10_000 }).toBe(2);
    await at.sallyport('user', 'create', 'dave');
    await expect.poll(() => io.stdout.length, { timeout: 10_000 }).toBe(3);
    controller.abort();
    expect(await following).toBe(0);
    expect(io.stdout.map((line) => JSON.parse(line).detail.name)).toEqual(['bob', 'carol', 'dave']);
  });
});
