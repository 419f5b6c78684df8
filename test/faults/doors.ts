/** What the doors of a daemon say while its store is away, and when it is back. */
import ldap from 'ldapjs';
import { expect } from 'vitest';
import type { Installation } from '../support/installation.js';
import { until } from '../support/program.js';
import type { RadiusNas } from '../support/radius-nas.js';
import { bind, codeOf, loginOf, type SignIn } from './load.js';

/** Each door, asked with the first code of a user of its own. */
const ASKED = {
  radius: { user: 0, counter: 0 },
  ldap: { user: 1, counter: 0 },
  http: { user: 2, counter: 0 },
} as const;

async function askLdap(installation: Installation, signIn: SignIn): Promise<number | null> {
  const client = ldap.createClient({ url: installation.ldapUrl });
  client.on('error', () => undefined);
  const result = await bind(client, loginOf(signIn.user), codeOf(signIn));
  client.destroy();
  return result;
}

const askHttp = (installation: Installation, signIn: SignIn) =>
  installation.api('/api/v1/authenticate', {
    login: loginOf(signIn.user),
    credential: codeOf(signIn),
    resource: 'vpn',
  });

const statusOf = async (installation: Installation, path: string): Promise<number> => {
  const response = await fetch(`${installation.httpUrl}${path}`);
  await response.arrayBuffer();
  return response.status;
};

/** What every door says while nothing can be written. */
export async function expectClosedDoors(
  installation: Installation,
  asking: RadiusNas,
  silenceMs: number,
): Promise<void> {
  const [overRadius, overLdap, overHttp, change] = await Promise.all([
    asking.signIn(loginOf(ASKED.radius.user), codeOf(ASKED.radius), silenceMs),
    askLdap(installation, ASKED.ldap),
    askHttp(installation, ASKED.http),
    installation.api('/api/v1/users', { login: 'late' }),
  ]);
  expect({ overRadius, overLdap, overHttp: overHttp.status, change: change.status }).toEqual({
    overRadius: 'silence',
    overLdap: 52,
    overHttp: 503,
    change: 503,
  });
  expect(overHttp.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(await statusOf(installation, '/livez')).toBe(200);
  expect(await statusOf(installation, '/readyz')).toBe(503);
}

/** The same codes open once it is back: nothing was consumed, and nothing has to be done. */
export async function expectOpenDoors(installation: Installation, asking: RadiusNas): Promise<void> {
  await until('the daemon to be ready again', async () => (await statusOf(installation, '/readyz')) === 200);
  expect(await asking.signIn(loginOf(ASKED.radius.user), codeOf(ASKED.radius))).toBe('accept');
  expect(await askLdap(installation, ASKED.ldap)).toBe(0);
  expect((await askHttp(installation, ASKED.http)).body['outcome']).toBe('accepted');
  expect((await installation.api('/api/v1/users', { login: 'late' })).status).toBe(201);
  expect(await asking.signIn(loginOf(ASKED.radius.user), codeOf(ASKED.radius))).toBe('reject');
}
