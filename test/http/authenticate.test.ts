/** `POST /authenticate`: what the decision is asked, and what of it the outside learns. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { committedProof, type ResourceFacts } from '../../src/access/ports.js';
import type { AccessRequest, Decision } from '../../src/access/request.js';
import { millis } from '../../src/base/units.js';
import { type Door, openDoor } from './door.js';

const REJECT_DELAY = millis(250);
const REFUSED: Decision = { outcome: 'refused', reason: 'wrong_otp', eventId: 'e' };
let door: Door;
let key: string;
let resourceId: string;
let asked: AccessRequest[] = [];
let decide: () => Promise<Decision> = async () => REFUSED;

const facts = (id: string): ResourceFacts => ({
  pk: 1,
  id,
  name: 'vpn',
  active: true,
  revision: 1,
  firstFactor: 'none',
  credentialForms: ['otp'],
  separator: '',
  methods: [],
  lockout: { failures: 10, window: REJECT_DELAY, duration: REJECT_DELAY },
  sourceNetworks: [],
  accessHours: [],
  tokenTypes: [],
  replyAttributes: {},
  rebindGrace: REJECT_DELAY,
  reconnectGrace: REJECT_DELAY,
  groups: [],
});
const accepted = (): Decision => ({
  outcome: 'accepted',
  proof: committedProof('e'),
  userId: 'u',
  login: 'alice',
  resource: facts(resourceId),
});

beforeAll(async () => {
  door = await openDoor({
    rejectDelay: REJECT_DELAY,
    authenticate: (request) => {
      asked.push(request);
      return decide();
    },
  });
  resourceId = (await door.json('POST', '/resources', { json: { name: 'vpn' } })).id;
  await door.json('POST', '/resources', { json: { name: 'vault' } });
  key = (await door.json('POST', '/api-keys', { json: { name: 'shop', role: 'application', resources: ['vpn'] } })).key;
});
afterAll(() => door.close());
beforeEach(() => {
  asked = [];
  decide = async () => REFUSED;
});

const ask = (json: object) => door.fetch('POST', '/authenticate', { key, json });
const alice = { login: 'alice', credential: '492039', resource: 'vpn' };

describe('what is asked', () => {
  test('door, key, resource and both addresses', async () => {
    await ask({ ...alice, source: '2001:DB8::7' });
    expect(asked).toEqual([
      {
        door: 'http',
        method: 'api',
        client: 'shop',
        domains: [],
        resourceId,
        login: 'alice',
        credential: { kind: 'text', text: '492039' },
        source: '2001:db8::7',
        station: null,
        peer: '127.0.0.1',
        datagram: null,
        receivedAt: expect.any(Number),
      },
    ]);
  });

  test('the resource by id or by name, whatever the case; without a source, none', async () => {
    await ask({ ...alice, resource: resourceId });
    await ask({ ...alice, resource: 'VPN' });
    expect(asked.map((request) => [request.resourceId, request.source])).toEqual([
      [resourceId, null],
      [resourceId, null],
    ]);
  });

  test('HTTP-11: forwarded headers move no address', async () => {
    const headers = { 'x-forwarded-for': '198.51.100.1', forwarded: 'for=198.51.100.1' };
    await door.fetch('POST', '/authenticate', { key, json: alice, headers });
    expect(asked[0]).toMatchObject({ peer: '127.0.0.1', source: null });
  });

  test('a login and a credential are passed on as they were typed', async () => {
    await ask({ ...alice, login: 'CORP\\Älice ', credential: ' p\u00e4ss\t492039 ' });
    expect(asked[0]).toMatchObject({ login: 'CORP\\Älice ', credential: { text: ' p\u00e4ss\t492039 ' } });
  });
});

describe('what is answered', () => {
  test('accepted with whom, at once', async () => {
    decide = async () => accepted();
    const response = await ask(alice);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ outcome: 'accepted', userId: 'u', login: 'alice' });
  });

  test('every refusal is the same bytes, whatever the reason', async () => {
    const bodies = new Set<string>();
    for (const reason of ['unknown_user', 'user_inactive', 'locked', 'wrong_otp', 'replayed_otp'] as const) {
      decide = async () => ({ outcome: 'refused', reason, eventId: reason });
      const response = await ask(alice);
      expect(response.status).toBe(200);
      const { date: _, ...headers } = Object.fromEntries(response.headers);
      bodies.add(JSON.stringify([headers, await response.text()]));
    }
    expect(bodies.size).toBe(1);
    expect([...bodies][0]).toContain(String.raw`{\"outcome\":\"refused\"}`);
  });

  test('a refusal leaves no sooner than the delay after its request came', async () => {
    const began = performance.now();
    await (await ask(alice)).text();
    // A timer may fire a millisecond early, and the clock of the door counts whole ones.
    expect(performance.now() - began).toBeGreaterThan(245);
  });

  test('503 with Retry-After where nothing may be said', async () => {
    for (const cause of ['store', 'overload', 'upstream'] as const) {
      decide = async () => ({ outcome: 'unavailable', cause, eventId: null });
      const response = await ask(alice);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('1');
      expect(await response.text()).not.toContain(cause === 'store' ? 'store' : cause);
    }
  });

  test('500 with an id that the log has, and no word of what was thrown', async () => {
    decide = async () => {
      throw new Error('the seed is GEZDGNBV');
    };
    const response = await ask(alice);
    expect(response.status).toBe(500);
    const problem = await door.body(response);
    expect(JSON.stringify(problem)).not.toContain('GEZDGNBV');
    const id = String(problem.instance).replace('urn:uuid:', '');
    expect(door.log().some((line) => line.request === id && line.level === 50)).toBe(true);
  });
});

describe('what is not asked', () => {
  test('403 at a resource that the key is not tied to', async () => {
    const response = await ask({ ...alice, resource: 'vault' });
    expect(response.status).toBe(403);
    expect(asked).toEqual([]);
  });

  test('an owner signs in anywhere', async () => {
    const response = await door.fetch('POST', '/authenticate', { json: { ...alice, resource: 'vault' } });
    expect(response.status).toBe(200);
  });

  test.each([
    [{ ...alice, resource: 'nowhere' }, '/resource'],
    [{ ...alice, resource: '0190b3c2-0000-7000-8000-000000000000' }, '/resource'],
    [{ ...alice, login: '' }, '/login'],
    [{ ...alice, login: 'a\u0000b' }, '/login'],
    [{ ...alice, login: 'a'.repeat(513) }, '/login'],
    [{ ...alice, login: 7 }, '/login'],
    [{ ...alice, credential: '' }, '/credential'],
    [{ ...alice, source: 'localhost' }, '/source'],
    [{ ...alice, otp: '492039' }, '/otp'],
  ])('422: %j', async (json, pointer) => {
    const response = await ask(json);
    expect(response.status).toBe(422);
    expect(await door.body(response)).toMatchObject({ errors: [{ pointer }] });
    expect(asked).toEqual([]);
  });

  test('HTTP-6: 429 after a hundred refusals of one login, while others go on', async () => {
    const own = await openDoor({ rejectDelay: millis(0), authenticate: async () => REFUSED });
    try {
      await own.json('POST', '/resources', { json: { name: 'vpn' } });
      const many = (login: string, count: number) =>
        Promise.all(
          Array.from({ length: count }, async () => {
            const response = await own.fetch('POST', '/authenticate', { json: { ...alice, login } });
            await response.arrayBuffer();
            return response;
          }),
        );
      expect((await many('alice', 100)).map((response) => response.status)).toEqual(Array(100).fill(200));
      const [refused] = await many('ALICE', 1);
      expect(refused?.status).toBe(429);
      expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await many('bob', 1))[0]?.status).toBe(200);
      own.pass(2_000);
      expect((await many('alice', 1))[0]?.status).toBe(200);
    } finally {
      await own.close();
    }
  });
});
