/**
 * kill -9 in the midst of sign-ins and changes, again and again: what was answered holds. No code that opened a door opens one
 * again, every acceptance has its event, every record that the API said it had made is there.
 */
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Installation, QUICK } from '../support/installation.js';
import { until } from '../support/program.js';
import { RadiusNas } from '../support/radius-nas.js';
import { codeOf, Load, loginOf, RECORDS, SECRET, type SignIn } from './load.js';

const ROUNDS = 3;
/** Acceptances before the plug is pulled: at random, so that it meets commits, folds and replays at other moments each time. */
const ACCEPTANCES = { from: 100, to: 600 } as const;
/** Replays at once. */
const AT_ONCE = 64;

const keyOf = ({ user, counter }: SignIn): string => `${loginOf(user)} ${counter}`;

describe('kill -9 under load', () => {
  let its: Installation;
  let nas: RadiusNas;
  let load: Load | null = null;

  beforeAll(async () => {
    its = await Installation.make(RECORDS, { settings: QUICK });
    await its.start();
    // Makes the key, so that no command runs beside the load.
    expect((await its.api('/api/v1/plan')).status).toBeLessThan(500);
    nas = await RadiusNas.open(its.ports.radius, SECRET);
  });
  afterAll(async () => {
    nas.close();
    await its.remove();
  });

  test.each(Array.from({ length: ROUNDS }, (_, i) => i + 1))(
    'round %i: what was answered holds',
    { timeout: 60_000 },
    async () => {
      const running = new Load(its, nas, load);
      load = running;
      const target = randomInt(ACCEPTANCES.from, ACCEPTANCES.to);
      running.start();
      const enough = () => running.accepted.length >= target && running.made.length > 0;
      await until(`${target} acceptances`, enough, 30_000);
      await its.kill9();
      await running.giveUp();
      await its.start();

      expect(running.refused, 'good codes that were refused').toEqual([]);
      // The NAS that had no answer sends the same datagram again: yes, whether the first was decided or not.
      const again = await Promise.all(
        running.unanswered.map(async (signIn) => [keyOf(signIn), await nas.again(signIn.sent)] as const),
      );
      expect(again.filter(([, answer]) => answer !== 'accept')).toEqual([]);

      const accepted = [...running.accepted, ...running.unanswered];
      const replays = await inGroups(accepted, async (signIn) => nas.signIn(loginOf(signIn.user), codeOf(signIn)));
      expect(replays.filter((answer) => answer === 'accept')).toEqual([]);
      expect(replays.filter((answer) => answer === 'silence')).toEqual([]);

      // Nobody was refused for another reason, and the next code opens.
      const refusals = await its.rows(
        `select distinct reason from events where outcome = 'refused' and reason not in ('replayed_otp', 'wrong_otp')`,
      );
      expect(refusals).toEqual([]);
      const next = await inGroups([0, 50, 100, 150], async (user) => {
        const signIn = running.next(user);
        const answer = await nas.signIn(loginOf(user), codeOf(signIn));
        return answer;
      });
      expect(next).toEqual(['accept', 'accept', 'accept', 'accept']);

      const events = await its.rows(
        `select login || ' ' || step as key, count(*) as times from events where outcome = 'accepted' and step is not null group by 1`,
      );
      expect(events.filter(({ times }) => times !== 1)).toEqual([]);
      const keys = new Set(events.map(({ key }) => key));
      expect(accepted.filter((signIn) => !keys.has(keyOf(signIn)))).toEqual([]);

      const stored = await its.rows(`select login, display_name from users where login like 'made-%'`);
      const logins = new Set(stored.map(({ login }) => login));
      expect(running.made.filter((login) => !logins.has(login))).toEqual([]);
      const named = new Set(stored.flatMap(({ login, display_name }) => (display_name === null ? [] : [login])));
      expect(running.named.filter((login) => !named.has(login))).toEqual([]);
      expect(await its.rows('pragma integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    },
  );
});

/** `ask` for every item, some at once. */
async function inGroups<T, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  for (let i = 0; i < items.length; i += AT_ONCE)
    answers.push(...(await Promise.all(items.slice(i, i + AT_ONCE).map(ask))));
  return answers;
}
