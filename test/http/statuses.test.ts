/** Each status of the contract, over a real socket and a real database. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Door, openDoor } from './door.js';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
afterAll(() => door.close());

/** What every problem has, RFC 9457 §3. */
async function expectProblem(response: Response, status: number, kind: string) {
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const problem = await door.body(response);
  expect(problem).toMatchObject({
    type: `urn:sallyport:problem:${kind}`,
    title: expect.any(String),
    status,
    instance: expect.stringMatching(/^urn:uuid:[0-9a-f-]{36}$/),
  });
  return problem;
}

const json = { 'content-type': 'application/json' };

describe('HTTP-1: every error is a problem', () => {
  test.each([
    ['is cut off', '{"login":'],
    ['is no JSON', 'login=alice'],
    ['is not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['has a __proto__ (HTTP-11)', '{"login":"alice","__proto__":{"active":false}}'],
    ['has a constructor.prototype', '{"login":"alice","constructor":{"prototype":{}}}'],
    ['is nested too deep (HTTP-11)', `${'['.repeat(33)}${']'.repeat(33)}`],
    ['is empty', ''],
  ])('400: a body that %s', async (_, body) => {
    await expectProblem(await door.fetch('POST', '/users', { body, headers: json }), 400, 'malformed_body');
  });

  test('400: no body where one is needed', async () => {
    await expectProblem(await door.fetch('POST', '/users'), 400, 'malformed_body');
  });

  test('400: a path that is not well-formed', async () => {
    await expectProblem(await door.fetch('GET', '/users/%zz'), 400, 'malformed_request');
  });

  test('HTTP-2: 400: a cursor that is none of ours', async () => {
    await expectProblem(await door.fetch('GET', '/users?cursor=bm90IG91cnM'), 400, 'bad_cursor');
    await expectProblem(await door.fetch('GET', '/events?cursor=%00'), 400, 'bad_cursor');
  });

  test('HTTP-7: 401 with WWW-Authenticate: no key, another scheme, a key that is none of ours', async () => {
    for (const headers of [{}, { authorization: 'Basic YTpi' }, { authorization: 'Bearer ' }]) {
      const response = await fetch(`${door.base}/users`, { headers });
      expect(response.headers.get('www-authenticate')).toBe('Bearer realm="sallyport"');
      await expectProblem(response, 401, 'unauthenticated');
    }
    const wrong = await door.fetch('GET', '/users', { key: 'no-key-of-ours' });
    expect(wrong.headers.get('www-authenticate')).toContain('error="invalid_token"');
    await expectProblem(wrong, 401, 'unauthenticated');
  });

  test('401 comes before anything that the body or path could say', async () => {
    const response = await fetch(`${door.base}/users`, { method: 'POST', body: '{', headers: json });
    await expectProblem(response, 401, 'unauthenticated');
  });

  test('HTTP-7: 403 for a role that may not', async () => {
    const key = await door.key('auditor');
    const response = await door.fetch('POST', '/users', { key, json: { login: 'mallory' } });
    await expectProblem(response, 403, 'forbidden');
    expect((await door.json('GET', '/users?login=mallory')).items).toEqual([]);
  });

  test.each([
    ['GET', '/users/0190b3c2-0000-7000-8000-000000000000'],
    ['GET', '/users/alice'],
    ['GET', '/users/%00'],
    ['DELETE', '/groups/0190b3c2-0000-7000-8000-000000000000'],
    ['POST', '/users/0190b3c2-0000-7000-8000-000000000000/unlock'],
    ['PUT', '/users/0190b3c2-0000-7000-8000-000000000000/groups/x'],
    ['GET', '/no-such-thing'],
  ])('404: %s %s', async (method, path) => {
    await expectProblem(await door.fetch(method, path), 404, 'not_found');
  });

  test('404: a record that is not there cannot be changed, with or without If-Match', async () => {
    const path = '/users/0190b3c2-0000-7000-8000-000000000000';
    await expectProblem(await door.fetch('PATCH', path, { json: { active: false } }), 404, 'not_found');
    const headers = { 'if-match': '"1"' };
    await expectProblem(await door.fetch('PATCH', path, { json: { active: false }, headers }), 404, 'not_found');
  });

  test.each([
    ['PUT', '/api/v1/users', 'GET, HEAD, POST'],
    ['POST', '/api/v1/users/alice', 'GET, HEAD, PATCH, DELETE'],
    ['GET', '/api/v1/authenticate', 'POST'],
    ['OPTIONS', '/api/v1/events', 'GET, HEAD'],
    ['DELETE', '/livez', 'GET, HEAD'],
  ])('405 with Allow: %s %s', async (method, path, allow) => {
    const response = await fetch(`${door.origin}${path}`, { method });
    expect(response.headers.get('allow')).toBe(allow);
    await expectProblem(response, 405, 'method_not_allowed');
  });

  test('409: a login that is taken, by login or alias and whatever the case', async () => {
    await door.json('POST', '/users', { json: { login: 'taken', aliases: ['also-taken'] } });
    for (const login of ['taken', 'TAKEN', 'Also-Taken']) {
      const response = await door.fetch('POST', '/users', { json: { login } });
      const problem = await expectProblem(response, 409, 'conflict');
      expect(problem).toMatchObject({ errors: [{ pointer: '/login' }] });
    }
  });

  test('409: a name that is taken names the record as people call it', async () => {
    await door.json('POST', '/resources', { json: { name: 'guarded' } });
    const client = { name: 'twice', secret: 'testing123', resource: 'guarded' };
    await door.json('POST', '/radius-clients', { json: { ...client, address: '192.0.2.1' } });
    const response = await door.fetch('POST', '/radius-clients', { json: { ...client, address: '192.0.2.2' } });
    expect(await expectProblem(response, 409, 'conflict')).toMatchObject({ with: 'RADIUS client twice' });
  });

  test('HTTP-3: 412: a change that starts from another revision', async () => {
    const { id } = await door.json('POST', '/users', { json: { login: 'edited' } });
    const etag = (await door.fetch('GET', `/users/${id}`)).headers.get('etag') ?? '';
    const first = await door.fetch('PATCH', `/users/${id}`, {
      json: { displayName: 'A' },
      headers: { 'if-match': etag },
    });
    expect(first.status).toBe(200);
    for (const stale of [etag, 'W/"1"', '"foreign"', 'broken']) {
      const headers = { 'if-match': stale };
      const changed = await door.fetch('PATCH', `/users/${id}`, { json: { displayName: 'B' }, headers });
      await expectProblem(changed, 412, 'precondition_failed');
      await expectProblem(await door.fetch('DELETE', `/users/${id}`, { headers }), 412, 'precondition_failed');
    }
    expect((await door.json('GET', `/users/${id}`)).displayName).toBe('A');
    const present = first.headers.get('etag') ?? '';
    const headers = { 'if-match': `"77", ${present}` };
    expect((await door.fetch('DELETE', `/users/${id}`, { headers })).status).toBe(204);
  });

  test('413: a body beyond the limit, whether it says so or not', async () => {
    const body = JSON.stringify({ login: 'x'.repeat(1024 * 1024) });
    await expectProblem(await door.fetch('POST', '/users', { body, headers: json }), 413, 'body_too_large');
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from(body));
        controller.close();
      },
    });
    const chunked = await door.fetch('POST', '/users', { body: stream, headers: json, duplex: 'half' });
    await expectProblem(chunked, 413, 'body_too_large');
  });

  test('414: a path longer than any of ours', async () => {
    await expectProblem(await door.fetch('GET', `/users/${'a'.repeat(2_000)}`), 414, 'path_too_long');
  });

  test.each([['text/plain'], ['application/x-www-form-urlencoded'], ['application/xml'], ['not a type']])(
    '415: a body of type %s',
    async (type) => {
      const headers = { 'content-type': type };
      const response = await door.fetch('POST', '/users', { body: '{"login":"x"}', headers });
      await expectProblem(response, 415, 'unsupported_media_type');
    },
  );

  test('HTTP-4: 422: unknown members and broken rules, each by its JSON pointer (RFC 6901)', async () => {
    const response = await door.fetch('POST', '/users', {
      json: { login: 'a b', 'x/y~z': 1, tokens: [{ type: 'totp' }, { type: 'totp', digits: 9 }] },
    });
    const problem = await expectProblem(response, 422, 'invalid');
    expect(problem.errors.map((error) => error.pointer).sort()).toEqual(['/login', '/tokens/1/digits', '/x~1y~0z']);
  });

  test.each([['[]'], ['null'], ['"alice"'], ['1']])('422: a body that is JSON and no object: %s', async (body) => {
    const response = await door.fetch('POST', '/users', { body, headers: json });
    expect(await expectProblem(response, 422, 'invalid')).toMatchObject({ errors: [{ pointer: '' }] });
  });

  test.each([
    ['/users?limit=0', '/limit'],
    ['/users?limit=501', '/limit'],
    ['/users?limit=1.5', '/limit'],
    ['/users?limit=many', '/limit'],
    ['/users?limit=1&limit=2', '/limit'],
    ['/users?actve=true', '/actve'],
    ['/users?active=maybe', '/active'],
    ['/users?query=%00', '/query'],
    ['/events?outcome=perhaps', '/outcome'],
    ['/events?from=yesterday', '/from'],
  ])('HTTP-2: 422: a filter that breaks a rule: %s', async (path, pointer) => {
    const problem = await expectProblem(await door.fetch('GET', path), 422, 'invalid');
    expect(problem).toMatchObject({ errors: [{ pointer }] });
  });

  test('422: an alias with a character that no login has', async () => {
    const { id } = await door.json('POST', '/users', { json: { login: 'with-alias' } });
    const response = await door.fetch('PUT', `/users/${id}/aliases/a%20b`);
    expect(await expectProblem(response, 422, 'invalid')).toMatchObject({ errors: [{ pointer: '/alias' }] });
  });
});

describe('what Node refuses before there is a request is a problem too', () => {
  const exchange = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(door.port, '127.0.0.1');
      const chunks: Buffer[] = [];
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('error', reject);
      socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
      socket.write(text);
    });

  test('400: no HTTP', async () => {
    const answer = await exchange('HELO example.org\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('urn:sallyport:problem:malformed_request');
  });

  test('HTTP-11: 431: header fields beyond the limit', async () => {
    const answer = await exchange(`GET /livez HTTP/1.1\r\nhost: x\r\nx-long: ${'a'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('urn:sallyport:problem:headers_too_large');
  });
});

test('HTTP-10: every answer forbids running, framing, sniffing and keeping it', async () => {
  const answers = [
    await fetch(`${door.origin}/livez`),
    await fetch(`${door.origin}/nowhere`),
    await door.fetch('GET', '/users'),
    await door.fetch('GET', '/users/%zz'),
    await door.fetch('POST', '/users'),
  ];
  for (const { headers } of answers) {
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('strict-transport-security')).toBeNull();
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('server')).toBeNull();
  }
});
