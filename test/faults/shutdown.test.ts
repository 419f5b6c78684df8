/** SIGTERM in the midst of sign-ins: what is under way is finished, nothing new is begun, and no acceptance stays untold. */
import { afterEach, describe, expect, test } from 'vitest';
import { Installation, QUICK } from '../support/installation.js';
import { until } from '../support/program.js';
import { RadiusNas } from '../support/radius-nas.js';
import { Load, loginOf, RECORDS, SECRET } from './load.js';

/** The contract: SIGTERM drains and ends within 10 s. */
const END_MS = 10_000;

describe('SIGTERM under load', () => {
  let its: Installation | null = null;
  let nas: RadiusNas | null = null;
  afterEach(async () => {
    nas?.close();
    await its?.remove();
  });

  test('ends with 0 within 10 s, and every acceptance in the log was answered', { timeout: 60_000 }, async () => {
    const installation = await Installation.serving(RECORDS, { settings: QUICK });
    its = installation;
    expect((await installation.api('/api/v1/plan')).status).toBeLessThan(500);
    nas = await RadiusNas.open(installation.ports.radius, SECRET);
    const load = new Load(installation, nas);
    load.start();
    await until('200 acceptances', () => load.accepted.length >= 200, 30_000);

    const began = performance.now();
    expect(await installation.stop()).toBe(0);
    expect(performance.now() - began).toBeLessThan(END_MS);

    const logged = (await installation.events(`outcome = 'accepted'`)).map(({ login, step }) => `${login} ${step}`);
    const answered = () => load.accepted.map(({ user, counter }) => `${loginOf(user)} ${counter}`);
    await until('the last answers to be read', () => answered().length >= logged.length, 5_000).catch(() => undefined);
    expect(answered().sort()).toEqual([...logged].sort());
    await load.giveUp();
    expect(load.refused).toEqual([]);

    const users = await installation.rows(`select login from users where login like 'made-%'`);
    const logins = new Set(users.map(({ login }) => login));
    expect(load.made.filter((login) => !logins.has(login))).toEqual([]);
    expect(installation.log).toContain('stopped');
  });
});
