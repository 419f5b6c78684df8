/** Records of every kind through the API: made, read, changed, linked, listed, deleted. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Body, type Door, openDoor } from './door.js';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
  await door.json('POST', '/resources', { json: { name: 'guarded' } });
});
afterAll(() => door.close());

describe.each([
  { folder: 'users', create: { login: 'u1' }, patch: { displayName: 'U One' }, name: 'login' },
  { folder: 'tokens', create: { type: 'totp', serial: 'T-1' }, patch: { name: 'phone' }, name: 'serial' },
  { folder: 'groups', create: { name: 'g1' }, patch: { resources: ['guarded'] }, name: 'name' },
  { folder: 'resources', create: { name: 'r1' }, patch: { separator: ',' }, name: 'name' },
  {
    folder: 'radius-clients',
    create: { name: 'nas1', address: '192.0.2.1/32', secret: 'sharedsecret1', resource: 'guarded' },
    patch: { requireMessageAuthenticator: 'yes' },
    name: 'name',
  },
  {
    folder: 'ldap-applications',
    create: { name: 'app1', baseDn: 'dc=example,dc=org', resource: 'guarded' },
    patch: { sourceNetworks: ['192.0.2.0/24'] },
    name: 'name',
  },
  {
    folder: 'administrators',
    create: { login: 'adm1', password: 'correct horse battery', role: 'auditor' },
    patch: { role: 'helpdesk' },
    name: 'login',
  },
])('/$folder', ({ folder, create, patch, name }) => {
  let id = '';
  let tag = '';

  test('201 with the record, its place and its tag for POST', async () => {
    const response = await door.fetch('POST', `/${folder}`, { json: create });
    expect(response.status).toBe(201);
    const record = await door.body(response);
    id = record.id;
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(response.headers.get('location')).toBe(`/api/v1/${folder}/${id}`);
    expect(response.headers.get('etag')).toMatch(/^"1\./);
    expect(record[name]).toBe(Object.values(create).find((value) => value === record[name]));
    expect(Date.parse(record.createdAt)).not.toBeNaN();
  });

  test('200 for GET by id, 304 for a reader that has it', async () => {
    const response = await door.fetch('GET', `/${folder}/${id}`);
    expect(response.status).toBe(200);
    tag = response.headers.get('etag') ?? '';
    expect((await door.body(response)).id).toBe(id);
    const again = await door.fetch('GET', `/${folder}/${id}`, { headers: { 'if-none-match': tag } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
    expect(again.headers.get('etag')).toBe(tag);
  });

  test('HEAD is GET without a body', async () => {
    const response = await door.fetch('HEAD', `/${folder}/${id}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('etag')).toBe(tag);
  });

  test('200 with the record for PATCH, as JSON or as a merge patch; the tag has changed', async () => {
    const headers = { 'content-type': 'application/merge-patch+json', 'if-match': tag };
    const response = await door.fetch('PATCH', `/${folder}/${id}`, { body: JSON.stringify(patch), headers });
    expect(response.status).toBe(200);
    expect(await door.body(response)).toMatchObject(patch);
    expect(response.headers.get('etag')).not.toBe(tag);
    const stale = await door.fetch('GET', `/${folder}/${id}`, { headers: { 'if-none-match': tag } });
    expect(stale.status).toBe(200);
  });

  test('it is in the list', async () => {
    const { items, nextCursor } = await door.json('GET', `/${folder}?limit=500`);
    expect(items.map((item: { id: string }) => item.id)).toContain(id);
    expect(nextCursor).toBeNull();
  });

  test('no secret is in any answer but the first (HTTP-12)', async () => {
    for (const path of [`/${folder}`, `/${folder}/${id}`]) {
      const text = await (await door.fetch('GET', path)).text();
      expect(text).not.toMatch(/"(secret|password|passwordHash|otpauthUri)":/);
    }
  });

  test('422 names what a record of this kind does not have', async () => {
    const response = await door.fetch('PATCH', `/${folder}/${id}`, { json: { nonsense: 1 } });
    expect(response.status).toBe(422);
    expect(await door.body(response)).toMatchObject({ errors: [{ pointer: '/nonsense' }] });
  });

  test('204 for DELETE, and then it is gone', async () => {
    const response = await door.fetch('DELETE', `/${folder}/${id}`);
    expect(response.status).toBe(204);
    expect(await response.text()).toBe('');
    expect((await door.fetch('GET', `/${folder}/${id}`)).status).toBe(404);
    expect((await door.fetch('DELETE', `/${folder}/${id}`)).status).toBe(404);
  });
});

describe('secrets appear once (HTTP-12)', () => {
  test('a token shows its secret and otpauth URI in the answer to POST alone', async () => {
    const made = await door.json('POST', '/tokens', { json: { type: 'totp', serial: 'ONCE-1' } });
    expect(made.secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(made.otpauthUri).toContain(`secret=${made.secret}`);
    const read = await door.json('GET', `/tokens/${made.id}`);
    expect(read).not.toHaveProperty('secret');
    expect(read).not.toHaveProperty('otpauthUri');
    const changed = await door.json('PATCH', `/tokens/${made.id}`, { json: { active: false } });
    expect(changed).not.toHaveProperty('secret');
    expect(await (await door.fetch('GET', '/events')).text()).not.toContain(made.secret);
  });

  test('a user that is made with tokens likewise', async () => {
    const made = await door.json('POST', '/users', { json: { login: 'with-token', tokens: [{ type: 'totp' }] } });
    expect(made.tokens[0]?.secret).toMatch(/^[A-Z2-7]{32}$/);
    const read = await door.json('GET', `/users/${made.id}`);
    expect(read.tokens).toHaveLength(1);
    expect(read.tokens[0]).not.toHaveProperty('secret');
  });
});

describe('links', () => {
  test.each([
    ['resources', 'resources', { name: 'linked-resource' }, (user: Body) => user.resources],
    ['groups', 'groups', { name: 'linked-group' }, (user: Body) => user.groups],
    ['tokens', 'tokens', { type: 'totp', serial: 'LINKED' }, (user: Body) => user.tokens],
  ])('204 for PUT and DELETE of a user and its %s, as often as one likes', async (_, folder, create, linked) => {
    const user = await door.json('POST', '/users', { json: { login: `linked-${folder}` } });
    const other = await door.json('POST', `/${folder}`, { json: create });
    const path = `/users/${user.id}/${folder}/${other.id}`;
    for (const [method, count] of [
      ['PUT', 1],
      ['PUT', 1],
      ['DELETE', 0],
      ['DELETE', 0],
    ] as const) {
      const response = await door.fetch(method, path);
      expect(response.status).toBe(204);
      expect(linked(await door.json('GET', `/users/${user.id}`))).toHaveLength(count);
    }
  });

  test('a group and a token each with a resource', async () => {
    const resource = await door.json('POST', '/resources', { json: { name: 'shared-resource' } });
    for (const [folder, create] of [
      ['groups', { name: 'sharers' }],
      ['tokens', { type: 'totp', serial: 'SHARER' }],
    ] as const) {
      const { id } = await door.json('POST', `/${folder}`, { json: create });
      expect((await door.fetch('PUT', `/${folder}/${id}/resources/${resource.id}`)).status).toBe(204);
      expect((await door.json('GET', `/${folder}/${id}`)).resources).toEqual(['shared-resource']);
      expect((await door.fetch('DELETE', `/${folder}/${id}/resources/${resource.id}`)).status).toBe(204);
      expect((await door.json('GET', `/${folder}/${id}`)).resources).toEqual([]);
    }
  });

  test('a token that another user holds is a conflict', async () => {
    const holder = await door.json('POST', '/users', { json: { login: 'holder', tokens: [{ type: 'totp' }] } });
    const other = await door.json('POST', '/users', { json: { login: 'other' } });
    const response = await door.fetch('PUT', `/users/${other.id}/tokens/${holder.tokens[0]?.id}`);
    expect(response.status).toBe(409);
  });

  test('an alias made of every character that a login may have', async () => {
    const { id } = await door.json('POST', '/users', { json: { login: 'aliased' } });
    const alias = 'aZ09_-@~!#%+.$';
    const path = `/users/${id}/aliases/${encodeURIComponent(alias)}`;
    expect((await door.fetch('PUT', path)).status).toBe(204);
    expect((await door.json('GET', `/users/${id}`)).aliases).toEqual([alias]);
    const { items } = await door.json('GET', `/users?login=${encodeURIComponent(alias.toUpperCase())}`);
    expect(items.map((user: Body) => user.id)).toEqual([id]);
    expect((await door.fetch('DELETE', path)).status).toBe(204);
    expect((await door.json('GET', `/users/${id}`)).aliases).toEqual([]);
  });

  test('the longest alias there may be fits into a path', async () => {
    const { id } = await door.json('POST', '/users', { json: { login: 'long-alias' } });
    const alias = '%'.repeat(255);
    expect((await door.fetch('PUT', `/users/${id}/aliases/${encodeURIComponent(alias)}`)).status).toBe(204);
  });
});

test('POST unlock is 204, and the event says who did it', async () => {
  const { id } = await door.json('POST', '/users', { json: { login: 'locked' } });
  const key = await door.key('helpdesk');
  expect((await door.fetch('POST', `/users/${id}/unlock`, { key })).status).toBe(204);
  const { items } = await door.json('GET', `/users/${id}/events`);
  expect(items[0]).toMatchObject({ actor: 'api-key:helpdesk', detail: { action: 'unlocked' } });
});

describe('HTTP-2: lists', () => {
  test('changes between pages neither repeat nor skip what stays', async () => {
    const own = await openDoor();
    try {
      const made: Body[] = [];
      for (let i = 10; i < 22; i++) made.push(await own.json('POST', '/users', { json: { login: `page${i}` } }));
      const seen: string[] = [];
      let cursor: string | null = null;
      let pages = 0;
      do {
        const page: Body = await own.json('GET', `/users?limit=5${cursor === null ? '' : `&cursor=${cursor}`}`);
        expect(page.items.length).toBeLessThanOrEqual(5);
        seen.push(...page.items.map((user) => user.login));
        cursor = page.nextCursor;
        if (cursor !== null) expect(cursor).toMatch(/^[\w-]+$/);
        pages += 1;
        // What was read is deleted and something new comes before it: neither moves what is still to come.
        if (pages === 1) {
          await own.fetch('DELETE', `/users/${page.items[0]?.id}`);
          await own.json('POST', '/users', { json: { login: 'page0' } });
        }
      } while (cursor !== null);
      const stayed = made.map((user) => user.login);
      expect(seen.filter((login) => stayed.includes(login)).sort()).toEqual(stayed.sort());
      expect(new Set(seen).size).toBe(seen.length);
    } finally {
      await own.close();
    }
  });

  test('50 where no limit is given, up to 500 where one is', async () => {
    const own = await openDoor();
    try {
      for (let i = 0; i < 52; i++) await own.json('POST', '/groups', { json: { name: `g${i}` } });
      expect((await own.json('GET', '/groups')).items).toHaveLength(50);
      expect((await own.json('GET', '/groups?limit=500')).items).toHaveLength(52);
      expect((await own.json('GET', '/groups?limit=1')).items).toHaveLength(1);
    } finally {
      await own.close();
    }
  });

  test('users by login or alias, by part, by state', async () => {
    await door.json('POST', '/users', { json: { login: 'findme', aliases: ['other-name'], active: false } });
    const logins = async (query: string) =>
      (await door.json('GET', `/users?${query}`)).items.map((user: Body) => user.login);
    expect(await logins('login=OTHER-name')).toEqual(['findme']);
    expect(await logins('login=find')).toEqual([]);
    expect(await logins('query=indm')).toEqual(['findme']);
    expect(await logins('query=findme&active=true')).toEqual([]);
    expect(await logins('query=findme&active=false')).toEqual(['findme']);
  });

  test('events have every field of the contract, null where it does not apply, newest first', async () => {
    const { items } = await door.json('GET', '/events?limit=10');
    const fields = [
      'id',
      'time',
      'kind',
      'outcome',
      'reason',
      'login',
      'userId',
      'resource',
      'client',
      'source',
      'method',
    ];
    for (const event of items) for (const field of fields) expect(event[field]).not.toBeUndefined();
    const times = items.map((event: { time: string }) => event.time);
    expect(times).toEqual([...times].sort().reverse());
    expect((await door.json('GET', `/events/${items[0]?.id}`)).id).toBe(items[0]?.id);
    const later = encodeURIComponent('2100-01-01T00:00:00+01:00');
    expect((await door.json('GET', `/events?from=${later}`)).items).toEqual([]);
    expect((await door.json('GET', `/events?to=2000-01-01`)).items).toEqual([]);
  });
});
