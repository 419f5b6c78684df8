/** Who may do what, and what wrong keys cost. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Door, openDoor } from './door.js';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

const NOBODY = '0190b3c2-0000-7000-8000-000000000000';

describe('roles', () => {
  const ROLES = ['owner', 'admin', 'helpdesk', 'auditor', 'application'] as const;
  // What a role may not do is 403; what it may gets further, to whatever comes next.
  test.each<[string, string, readonly (typeof ROLES)[number][]]>([
    ['GET', '/api/v1/users', ['owner', 'admin', 'helpdesk', 'auditor']],
    ['GET', `/api/v1/users/${NOBODY}`, ['owner', 'admin', 'helpdesk', 'auditor']],
    ['GET', '/api/v1/events', ['owner', 'admin', 'helpdesk', 'auditor']],
    ['GET', '/metrics', ['owner', 'admin', 'helpdesk', 'auditor']],
    ['GET', '/openapi.json', ['owner', 'admin', 'helpdesk', 'auditor']],
    ['POST', `/api/v1/users/${NOBODY}/unlock`, ['owner', 'admin', 'helpdesk']],
    ['POST', '/api/v1/users', ['owner', 'admin']],
    ['PATCH', `/api/v1/users/${NOBODY}`, ['owner', 'admin']],
    ['DELETE', `/api/v1/users/${NOBODY}`, ['owner', 'admin']],
    ['PUT', `/api/v1/users/${NOBODY}/aliases/x`, ['owner', 'admin']],
    ['PUT', `/api/v1/users/${NOBODY}/tokens/${NOBODY}`, ['owner', 'admin']],
    ['POST', '/api/v1/tokens', ['owner', 'admin']],
    ['POST', '/api/v1/groups', ['owner', 'admin']],
    ['PUT', `/api/v1/groups/${NOBODY}/resources/${NOBODY}`, ['owner', 'admin']],
    ['POST', '/api/v1/resources', ['owner', 'admin']],
    ['POST', '/api/v1/radius-clients', ['owner', 'admin']],
    ['POST', '/api/v1/ldap-applications', ['owner', 'admin']],
    ['POST', '/api/v1/administrators', ['owner']],
    ['DELETE', `/api/v1/administrators/${NOBODY}`, ['owner']],
    ['POST', '/api/v1/api-keys', ['owner']],
    ['DELETE', `/api/v1/api-keys/${NOBODY}`, ['owner']],
    ['POST', '/api/v1/authenticate', ['owner', 'admin', 'application']],
  ])('%s %s is for %j', async (method, path, allowed) => {
    for (const role of ROLES) {
      const key = await door.key(role);
      const response = await fetch(`${door.origin}${path}`, { method, headers: { authorization: `Bearer ${key}` } });
      await response.arrayBuffer();
      expect([role, response.status === 403]).toEqual([role, !allowed.includes(role)]);
    }
  });
});

describe('keys', () => {
  test('HTTP-12: a key is shown when it is made, and never again', async () => {
    const made = await door.json('POST', '/api-keys', { json: { name: 'once', role: 'auditor' } });
    expect(made.key).toMatch(/^\S{32,}$/);
    for (const path of ['/api-keys', `/api-keys/${made.id}`, '/events']) {
      expect(await (await door.fetch('GET', path)).text()).not.toContain(made.key);
    }
    expect((await door.fetch('GET', '/users', { key: made.key })).status).toBe(200);
  });

  test('a revoked key stops working at once', async () => {
    const made = await door.json('POST', '/api-keys', { json: { name: 'short-lived', role: 'auditor' } });
    expect((await door.fetch('GET', '/users', { key: made.key })).status).toBe(200);
    expect((await door.fetch('DELETE', `/api-keys/${made.id}`)).status).toBe(204);
    expect((await door.fetch('GET', '/users', { key: made.key })).status).toBe(401);
    expect((await door.json('GET', `/api-keys/${made.id}`)).revokedAt).toEqual(expect.any(String));
  });

  test('a key that was revoked elsewhere stops working once the feed says so', async () => {
    const made = await door.json('POST', '/api-keys', { json: { name: 'elsewhere', role: 'auditor' } });
    expect((await door.fetch('GET', '/users', { key: made.key })).status).toBe(200);
    await door.records.apiKeys.revoke(made.id, { name: 'cli:root', source: null });
    door.http.invalidate();
    expect((await door.fetch('GET', '/users', { key: made.key })).status).toBe(401);
  });

  test('the scheme is known whatever its case (RFC 9110 §11.1)', async () => {
    const headers = { authorization: `bearer ${door.owner}` };
    expect((await fetch(`${door.base}/users`, { headers })).status).toBe(200);
  });

  test('a change is signed with the name of the key and the address that it came from', async () => {
    const { id } = await door.json('POST', '/users', { json: { login: 'signed' } });
    const { items } = await door.json('GET', `/users/${id}/events`);
    expect(items[0]).toMatchObject({ kind: 'change', actor: 'api-key:owner', source: '127.0.0.1', userId: id });
  });
});

test('HTTP-6: 429 with Retry-After after too many wrong keys; a key that is in use goes on', async () => {
  const other = await openDoor();
  try {
    expect((await other.fetch('GET', '/users')).status).toBe(200);
    const statuses: number[] = [];
    for (let i = 0; i < 25; i++) statuses.push((await other.fetch('GET', '/users', { key: `wrong-${i}` })).status);
    expect(statuses.slice(0, 20)).toEqual(Array(20).fill(401));
    expect(statuses.at(-1)).toBe(429);
    const refused = await other.fetch('GET', '/users', { key: 'wrong' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect((await other.fetch('GET', '/users')).status).toBe(200);
    other.pass(60_000);
    expect((await other.fetch('GET', '/users', { key: 'wrong' })).status).toBe(401);
  } finally {
    await other.close();
  }
});

test('a hundred wrong keys at once are not a hundred look-ups', async () => {
  const other = await openDoor();
  try {
    const tries = Array.from({ length: 100 }, (_, i) => other.fetch('GET', '/users', { key: `wrong-${i}` }));
    const statuses = (await Promise.all(tries)).map((response) => response.status);
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(20);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(80);
  } finally {
    await other.close();
  }
});
