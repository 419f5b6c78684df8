import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRecords } from '../../src/cli/open-records.js';
import { loadConfig } from '../../src/config/load-config.js';
import { type Installed, installed } from './installed.js';

let at: Installed;
beforeAll(async () => {
  at = await installed();
});
afterAll(() => at.remove());

/** Whom the store takes the bearer of `key` for. */
async function holder(key: string) {
  const loaded = loadConfig(at.config, {});
  if (!loaded.ok) throw new Error('the configuration does not load');
  const opened = await openRecords(loaded.config);
  if (!opened.ok) throw new Error(opened.message);
  try {
    return await opened.open.records.apiKeys.holder(key);
  } finally {
    await opened.open.close();
  }
}

describe('sallyport api-key', () => {
  test('create prints the key alone, and the key works', async () => {
    const made = await at.sallyport('api-key', 'create', '-c', at.config, '--name', 'deploy', '--role', 'owner');
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(made.out).toMatch(/^sp_[\w-]{43}$/);
    expect(await holder(made.out)).toMatchObject({ name: 'deploy', role: 'owner', resources: [] });
  });

  test('a key for an application is tied to resources, and to none that is not there', async () => {
    const loose = await at.sallyport('api-key', 'create', '--name', 'shop', '--role', 'application');
    expect(loose.code).toBe(2);
    expect(loose.err).toContain('--resource: a key of role application needs resources');
    const lost = await at.sallyport('api-key', 'create', '--name', 'shop', '--role', 'application', '--resource', 'x');
    expect(lost).toMatchObject({ code: 1, out: '' });
    expect(lost.err).toContain('no such resource: x');
  });

  test('list shows names and roles, never a key', async () => {
    const { out: key } = await at.sallyport('api-key', 'create', '--name', 'listed', '--role', 'auditor');
    const { code, out } = await at.sallyport('api-key', 'list');
    expect(code).toBe(0);
    expect(out).toMatch(/^NAME +ROLE/);
    expect(out).toMatch(/^listed +auditor +– /m);
    expect(out).not.toContain(key);
    const lines = (await at.sallyport('api-key', 'list', '--json')).out.split('\n').map((line) => JSON.parse(line));
    expect(lines).toContainEqual(expect.objectContaining({ name: 'listed', role: 'auditor' }));
  });

  test('revoke ends a key by its name, frees the name, and says so where there is none', async () => {
    const { out: key } = await at.sallyport('api-key', 'create', '--name', 'brief', '--role', 'admin');
    expect(await at.sallyport('api-key', 'revoke', 'Brief')).toMatchObject({ code: 0, out: '' });
    expect(await holder(key)).toBeNull();
    expect(await at.sallyport('api-key', 'revoke', 'brief')).toMatchObject({
      code: 1,
      err: 'there is no API key brief',
    });
    expect((await at.sallyport('api-key', 'list')).out).not.toContain('brief');
    expect((await at.sallyport('api-key', 'list', '--all')).out).toContain('brief');
    expect((await at.sallyport('api-key', 'create', '--name', 'brief', '--role', 'admin')).code).toBe(0);
  });

  test('a role that there is not is wrong usage', async () => {
    const { code, err } = await at.sallyport('api-key', 'create', '--name', 'n', '--role', 'root');
    expect(code).toBe(2);
    expect(err).toContain('owner');
  });
});
