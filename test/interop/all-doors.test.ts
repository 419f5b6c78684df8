/**
 * One code opens one door once, by whatever name: RADIUS, LDAP and HTTP, each asked by a client that is not ours.
 *
 *   radclient …; ldapwhoami …; curl -H "Authorization: Bearer $KEY" http://127.0.0.1:8080/api/v1/authenticate -d '{…}'
 */
import ldap from 'ldapjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Installation, QUICK } from '../support/installation.js';
import { hotp, secretOf } from '../support/otp.js';
import { RadiusNas } from '../support/radius-nas.js';

const BASE = 'dc=example,dc=org';
const SECRET = 'testing123';
const RECORDS = {
  resources: [{ name: 'vpn' }, { name: 'wiki' }],
  radiusClients: [{ name: 'edge', address: '127.0.0.1', secret: SECRET, resource: 'vpn' }],
  ldapApplications: [{ name: 'wiki', baseDn: BASE, resource: 'wiki' }],
  users: [
    {
      login: 'alice',
      aliases: ['asmith'],
      resources: ['vpn', 'wiki'],
      tokens: [{ type: 'hotp', secret: secretOf(0) }],
    },
  ],
};

type Door = 'radius' | 'ldap' | 'http';
const DOORS: readonly Door[] = ['radius', 'ldap', 'http'];
/** Where the code is spent first, where it comes again. */
const WAYS = DOORS.flatMap((first) => DOORS.map((second) => [first, second] as const));

describe('a code that one door has taken', () => {
  let its: Installation;
  let nas: RadiusNas;
  let key = '';
  let counter = 0;

  beforeAll(async () => {
    its = await Installation.make(RECORDS, { settings: QUICK });
    key = await its.apiKey('shop', 'application', ['vpn']);
    await its.start();
    nas = await RadiusNas.open(its.ports.radius, SECRET);
  });
  afterAll(async () => {
    nas.close();
    await its.remove();
  });

  /** Whether the door lets the user in. */
  const enter: Readonly<Record<Door, (login: string, code: string) => Promise<boolean>>> = {
    radius: async (login, code) => (await nas.signIn(login, code)) === 'accept',
    ldap: (login, code) =>
      new Promise((done) => {
        const client = ldap.createClient({ url: its.ldapUrl });
        client.on('error', () => undefined);
        client.bind(`uid=${login},ou=users,${BASE}`, code, (error) => {
          client.destroy();
          done(error === null);
        });
      }),
    http: async (login, code) => {
      const response = await fetch(`${its.httpUrl}/api/v1/authenticate`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ login, credential: code, resource: 'vpn' }),
      });
      const body: unknown = await response.json();
      return typeof body === 'object' && body !== null && 'outcome' in body && body.outcome === 'accepted';
    },
  };

  test.each(WAYS)('over %s opens nothing over %s, by login or alias', async (first, second) => {
    const code = hotp(secretOf(0), counter);
    counter += 1;
    expect(await enter[first]('alice', code)).toBe(true);
    expect(await enter[second]('asmith', code)).toBe(false);
    expect(await enter[second]('alice', code)).toBe(false);
    const events = await its.events(`kind = 'authentication'`);
    expect(events.slice(-3)).toMatchObject([
      { outcome: 'accepted', door: first, step: counter - 1 },
      { outcome: 'refused', door: second, login: 'asmith', reason: 'replayed_otp' },
      { outcome: 'refused', door: second, login: 'alice', reason: 'replayed_otp' },
    ]);
  });

  test('is taken once where all doors are asked at the same moment', async () => {
    for (let round = 0; round < 5; round++) {
      const code = hotp(secretOf(0), counter);
      counter += 1;
      const names = ['alice', 'asmith'];
      const answers = await Promise.all(DOORS.flatMap((door) => names.map((name) => enter[door](name, code))));
      expect(answers.filter((open) => open)).toHaveLength(1);
    }
    const accepted = await its.events(`outcome = 'accepted'`);
    expect(accepted.map(({ step }) => step)).toEqual([...Array(counter).keys()]);
  });
});
