/** Two daemons over one PostgreSQL, the way to which is cut, loses answers, or ends at a daemon that was killed. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { makeDatabase, type TestDatabase } from '../support/database.js';
import { Installation, QUICK } from '../support/installation.js';
import { until } from '../support/program.js';
import { RadiusNas, type Sent } from '../support/radius-nas.js';
import { Cable } from './cable.js';
import { expectClosedDoors, expectOpenDoors } from './doors.js';
import { codeOf, Load, loginOf, RECORDS, SECRET } from './load.js';

const here = inject('postgres') !== null;
/** How long no answer is silence: a broken connection is told at once. */
const SILENCE_MS = 2_000;

describe.skipIf(!here)(`two daemons over one PostgreSQL${here ? '' : ', skipped without PostgreSQL'}`, () => {
  let made: TestDatabase;
  let cable: Cable;
  /** At the end of the cable. */
  let one: Installation;
  let two: Installation;
  let nasOne: RadiusNas;
  let nasTwo: RadiusNas;

  beforeAll(async () => {
    made = await makeDatabase('postgres');
    if (made.config.client !== 'pg') throw new Error('no PostgreSQL');
    const direct = new URL(made.config.connection);
    cable = await Cable.to(direct.hostname, Number(direct.port));
    const throughCable = new URL(direct);
    throughCable.port = String(cable.port);
    const settings = (connection: URL) => ({ ...QUICK, database: { client: 'pg', connection: connection.href } });
    one = await Installation.make(null, { settings: settings(throughCable) });
    two = await Installation.make(null, { settings: settings(direct) });
    copyFileSync(join(one.folder, 'master.key'), join(two.folder, 'master.key'));
    await one.apply(RECORDS);
    await Promise.all([one.start(), two.start()]);
    // Makes the keys while they can be made.
    for (const node of [one, two]) expect((await node.api('/api/v1/users?limit=1')).status).toBe(200);
    nasOne = await RadiusNas.open(one.ports.radius, SECRET);
    nasTwo = await RadiusNas.open(two.ports.radius, SECRET);
  }, 120_000);
  afterEach(() => cable.mend());
  afterAll(async () => {
    nasOne.close();
    nasTwo.close();
    await Promise.all([one.remove(), two.remove()]);
    cable.close();
    await made.drop();
  });

  const accepted = (login: string) =>
    made.database.records('events').where({ login, outcome: 'accepted' }).whereNotNull('step').pluck('step');

  test('PostgreSQL is away for one: its doors are closed, the other goes on; back, all goes on', async () => {
    cable.cut();
    await until('the daemon not to be ready', async () => {
      const response = await fetch(`${one.httpUrl}/readyz`);
      await response.arrayBuffer();
      return response.status === 503;
    });
    await expectClosedDoors(one, nasOne, SILENCE_MS);
    const elsewhere = { user: 10, counter: 0 };
    expect(await nasTwo.signIn(loginOf(elsewhere.user), codeOf(elsewhere))).toBe('accept');
    cable.mend();
    await expectOpenDoors(one, nasOne);
    expect(await nasOne.signIn(loginOf(elsewhere.user), codeOf(elsewhere)), 'spent at the other').toBe('reject');
  });

  /** Where this machine stands still for a second, the daemon no longer believes its caches and asks, in vain: then another try. */
  let untouched = 20;
  test('the answer to a commit is lost: nothing is answered, the same datagram again is accepted, nothing else is', {
    retry: 2,
  }, async () => {
    const signIn = { user: untouched++, counter: 0 };
    const login = loginOf(signIn.user);
    // Brings the user into the cache, so that the commit is all that is asked.
    expect(await nasOne.signIn(login, 'none')).toBe('reject');
    cable.loseAnswers();
    let sent: Sent | null = null;
    const answer = nasOne.signIn(login, codeOf(signIn), 20_000, (request) => {
      sent = request;
    });
    await until('the commit', async () => (await accepted(login)).length === 1, 10_000);
    cable.cut();
    cable.mend();
    nasOne.giveUp();
    expect(await answer).toBe('silence');
    await until('the daemon to be ready again', async () => {
      const response = await fetch(`${one.httpUrl}/readyz`);
      await response.arrayBuffer();
      return response.status === 200;
    });
    if (sent === null) throw new Error('nothing was sent');
    expect(await nasOne.again(sent)).toBe('accept');
    expect(await nasOne.signIn(login, codeOf(signIn))).toBe('reject');
    expect(await nasTwo.signIn(login, codeOf(signIn))).toBe('reject');
    expect(await accepted(login)).toHaveLength(1);
  });

  test('one code at both at the same moment opens one door (OTP-6)', async () => {
    const users = Array.from({ length: 40 }, (_, n) => 100 + n);
    const pairs = await Promise.all(
      users.map(async (user) => {
        const [login, code] = [loginOf(user), codeOf({ user, counter: 0 })];
        return (await Promise.all([nasOne.signIn(login, code), nasTwo.signIn(login, code)])).sort();
      }),
    );
    expect(pairs).toEqual(users.map(() => ['accept', 'reject']));
  });

  test('who is blocked at one is out at the other, from the next sign-in on', async () => {
    const user = 30;
    const enter = (counter: number) => nasTwo.signIn(loginOf(user), codeOf({ user, counter }));
    expect(await enter(0)).toBe('accept');
    const { body } = await one.api(`/api/v1/users?login=${loginOf(user)}`);
    const [record] = Array.isArray(body['items']) ? body['items'] : [];
    const setActive = (active: boolean) => one.api(`/api/v1/users/${record?.id}`, { active }, 'PATCH');
    expect((await setActive(false)).status).toBe(200);
    expect(await enter(1)).toBe('reject');
    expect((await setActive(true)).status).toBe(200);
    expect(await enter(1)).toBe('accept');
  });

  test('one is killed under load: what it accepted is spent at the other', async () => {
    // The tests before have used two codes of some users.
    const load = new Load(one, nasOne, null, 2);
    load.start();
    await until('200 acceptances', () => load.accepted.length >= 200, 30_000);
    await one.kill9();
    await load.giveUp();
    expect(load.refused).toEqual([]);
    const replays = await Promise.all(
      load.accepted.map((signIn) => nasTwo.signIn(loginOf(signIn.user), codeOf(signIn), 20_000)),
    );
    expect(replays.filter((answer) => answer !== 'reject')).toEqual([]);
    const next = load.next(60);
    expect(await nasTwo.signIn(loginOf(next.user), codeOf(next))).toBe('accept');
    await one.start();
  });
});
