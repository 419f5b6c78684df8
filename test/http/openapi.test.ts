/** The description of the API: complete, closed in itself, and true. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Door, openDoor } from './door.js';

let door: Door;
let text: string;
let document: Document;
beforeAll(async () => {
  door = await openDoor();
  text = await (await fetch(`${door.origin}/openapi.json`, { headers: door.as(door.owner) })).text();
  document = JSON.parse(text);
});
afterAll(() => door.close());

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security?: readonly unknown[];
  readonly responses: Readonly<Record<string, { description?: string; $ref?: string }>>;
  readonly requestBody?: { content: Record<string, { schema: { $ref?: string; examples?: unknown[] } }> };
}
interface Document {
  readonly openapi: string;
  readonly security: readonly unknown[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, { examples?: unknown[] }>>>>;
}

const operations = () =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
  );

test('it is OpenAPI 3.1 with a bearer key', () => {
  expect(document.openapi).toMatch(/^3\.1\./);
  expect(document.security).toEqual([{ apiKey: [] }]);
  expect(document.components['securitySchemes']).toMatchObject({ apiKey: { type: 'http', scheme: 'bearer' } });
});

test('every path of the contract is there', () => {
  const kinds = ['users', 'tokens', 'groups', 'resources', 'radius-clients', 'ldap-applications', 'administrators'];
  const names = operations().map(({ name }) => name);
  for (const kind of kinds) {
    for (const method of ['GET', 'POST']) expect(names).toContain(`${method} /api/v1/${kind}`);
    for (const method of ['GET', 'PATCH', 'DELETE']) expect(names).toContain(`${method} /api/v1/${kind}/{id}`);
  }
  for (const method of ['PUT', 'DELETE']) {
    expect(names).toContain(`${method} /api/v1/users/{id}/aliases/{alias}`);
    expect(names).toContain(`${method} /api/v1/users/{id}/resources/{resourceId}`);
    expect(names).toContain(`${method} /api/v1/users/{id}/tokens/{tokenId}`);
    expect(names).toContain(`${method} /api/v1/users/{id}/groups/{groupId}`);
  }
  for (const name of ['POST /api/v1/users/{id}/unlock', 'GET /api/v1/users/{id}/events', 'GET /api/v1/events']) {
    expect(names).toContain(name);
  }
  for (const path of ['/livez', '/readyz', '/metrics', '/openapi.json']) expect(names).toContain(`GET ${path}`);
  expect(names).toContain('POST /api/v1/authenticate');
  expect(names.filter((name) => name.startsWith('HEAD') || name.startsWith('OPTIONS'))).toEqual([]);
});

test('every reference resolves, and every schema is referred to', () => {
  const references = new Set([...text.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? ''));
  for (const reference of references) {
    const found = reference
      .replace(/^#\//, '')
      .split('/')
      .reduce<unknown>(
        (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
        document,
      );
    expect([reference, typeof found]).toEqual([reference, 'object']);
  }
  for (const name of Object.keys(document.components['schemas'] ?? {})) {
    expect(references).toContain(`#/components/schemas/${name}`);
  }
});

test('every operation has a name of its own, a tag, a summary and described answers', () => {
  const ids = operations().map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { name, operation } of operations()) {
    expect([name, operation.tags.length, operation.summary.length > 0]).toEqual([name, 1, true]);
    for (const [status, response] of Object.entries(operation.responses)) {
      expect([name, status, response.$ref ?? response.description]).not.toContain(undefined);
      expect(response.description).not.toBe('Default Response');
    }
  }
});

test('an operation needs a key and says so with 401 and 403, or says that it needs none', async () => {
  for (const { name, operation } of operations()) {
    const open = operation.security?.length === 0;
    expect([name, '401' in operation.responses, '403' in operation.responses]).toEqual([name, !open, !open]);
    const [method, path = ''] = name.split(' ');
    const response = await fetch(`${door.origin}${path.replaceAll(/\{\w+\}/g, 'x')}`, { method: method ?? 'GET' });
    await response.arrayBuffer();
    expect([name, response.status === 401]).toEqual([name, !open]);
  }
});

test('every body has an example, and the examples are accepted', async () => {
  await door.json('POST', '/resources', { json: { name: 'vpn' } });
  await door.json('POST', '/resources', { json: { name: 'wiki' } });
  await door.json('POST', '/resources', { json: { name: 'shop' } });
  for (const [name, { examples }] of Object.entries(document.components['schemas'] ?? {})) {
    const kind = /^(\w+?)Create$/.exec(name)?.[1];
    if (kind === undefined) continue;
    expect([name, examples?.length]).toEqual([name, 1]);
    const create = operations().find(({ operation }) => operation.operationId === `create${kind}`);
    const path = create?.name.replace('POST /api/v1', '') ?? '';
    const example = kind === 'Resource' ? { ...Object(examples?.[0]), name: 'another' } : examples?.[0];
    const made = await door.fetch('POST', path, { json: example });
    expect([name, made.status, await made.text()]).toEqual([name, 201, expect.any(String)]);
  }
});

test('an answer has no member that its schema does not have', async () => {
  const { id } = await door.json('POST', '/users', { json: { login: 'described' } });
  const user = await door.json('GET', `/users/${id}`);
  const schema: unknown = document.components['schemas']?.['User'];
  expect(schema).toMatchObject({
    properties: Object.fromEntries(Object.keys(user).map((k) => [k, expect.anything()])),
  });
});
