import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AccessRequest } from '../../src/access/request.js';
import { systemClock } from '../../src/base/units.js';
import { loadConfig } from '../../src/config/load-config.js';
import { type Decisions, openDecisions } from '../../src/daemon/decisions.js';
import { doorEventSink } from '../../src/daemon/door-events.js';
import { makeMetrics } from '../../src/http/metrics.js';
import { EventAppender } from '../../src/store/event-appender.js';
import { otp } from '../support/otp.js';
import { type Installed, installed } from './installed.js';

const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const log = pino({ level: 'silent' });

const RECORDS = `
resources:
  - { name: vpn, lockout: { failures: 2, window: 15m, duration: 15m } }
groups:
  - { name: staff, resources: [vpn] }
users:
  - { login: alice, aliases: [asmith], displayName: Alice Smith, groups: [staff], tokens: [{ type: totp, secret: ${SECRET}, name: phone }] }
  - { login: bob, active: false }
  - { login: carol, resources: [vpn], tokens: [{ type: totp, secret: ${SECRET} }] }
  - { login: eve, resources: [vpn], tokens: [{ type: totp, secret: ${SECRET} }] }
`;

let at: Installed;
let decisions: Decisions;
let vpn: string;
beforeAll(async () => {
  at = await installed();
  writeFileSync(join(at.folder, 'records.yaml'), RECORDS);
  expect(await at.sallyport('apply', '-f', 'records.yaml')).toMatchObject({ code: 0 });
  const loaded = loadConfig(at.config, {});
  if (!loaded.ok) throw new Error('the configuration does not load');
  const opened = await openDecisions(loaded.config, log, systemClock, makeMetrics('0').ledger);
  if (!opened.ok) throw new Error(opened.message);
  decisions = opened.decisions;
  const shown = await at.json('resource', 'show', 'vpn');
  vpn = typeof shown === 'object' && shown !== null && 'id' in shown ? String(shown.id) : '';
});
afterAll(async () => {
  await decisions.stop();
  at.remove();
});

/** A sign-in, decided by the daemon's own parts. */
async function signIn(login: string, text: string, more: Partial<AccessRequest> = {}): Promise<string> {
  const decision = await decisions.authenticate({
    door: 'radius',
    method: 'pap',
    client: 'edge',
    domains: [],
    resourceId: vpn,
    login,
    credential: { kind: 'text', text },
    source: '192.0.2.7',
    station: null,
    peer: '198.51.100.1',
    datagram: null,
    receivedAt: systemClock(),
    ...more,
  });
  return decision.outcome === 'refused' ? decision.reason : decision.outcome;
}

describe('sallyport why', () => {
  test('tells a refusal rule by rule, with the reason, who asked and what to do next', async () => {
    expect(await signIn('alice', '000000')).toBe('wrong_otp');
    const { code, out, err } = await at.sallyport('why', '-c', at.config, 'alice');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2}refused: wrong_otp {2}alice at vpn, from 192\.0\.2\.7, RADIUS client edge, PAP$/m,
    );
    expect(out).toContain('  ✓ the user is active\n');
    expect(out).toContain('  – the first factor is right\n');
    expect(out).toContain('  ✗ the one-time password matches a token\n');
    expect(out).toContain('  Next: Check the clock of the phone');
    expect(out).not.toContain('\u001b');
  });

  test('shows an acceptance under an alias, newest first, and no more than asked for', async () => {
    expect(await signIn('ASmith', otp(SECRET))).toBe('accepted');
    const { out } = await at.sallyport('why', 'alice', '--last', '1');
    expect(out).toMatch(/Z {2}accepted {2}ASmith at vpn/);
    expect(out).toContain('The name that was sent is ASmith; it means alice.');
    expect(out).toContain('  ✓ the decision is on disk');
    expect(out).not.toMatch(/✗|Next:|wrong_otp/);
    const { out: both } = await at.sallyport('why', 'asmith');
    expect(both.indexOf('accepted')).toBeLessThan(both.indexOf('wrong_otp'));
  });

  test('says how the user stands now: token, groups, locks', async () => {
    const { out } = await at.sallyport('why', 'alice');
    expect(out).toContain('alice (Alice Smith) now:\n  is active\n  has an active token: totp phone\n');
    expect(out).toContain('  may enter vpn (through staff)\n  is not locked');
  });

  test('tells of a shared secret that differs, and of the station that the NAS named', async () => {
    await signIn('carol', '', { credential: { kind: 'undecodable' }, source: null, station: '00-10-A4-23-19-C0' });
    const { out } = await at.sallyport('why', 'carol');
    expect(out).toContain('is the shared secret right? Compare it at the NAS and here.');
    expect(out).toContain('comes from 00-10-A4-23-19-C0 (Calling-Station-Id)');
  });

  test('tells of a lock that is on, also before it is folded into the tables, until somebody unlocks', async () => {
    for (const code of ['000001', '000002', '000003']) await signIn('eve', code);
    const { out } = await at.sallyport('why', 'eve');
    expect(out).toMatch(/refused: locked .*\n[\s\S]*The lock opens at \d{4}-/);
    expect(out).toMatch(/is locked after too many wrong codes from 192\.0\.2\.7 until .*: sallyport user unlock eve/);
    expect((await at.sallyport('user', 'unlock', 'eve')).code).toBe(0);
    expect((await at.sallyport('why', 'eve')).out).toContain('is not locked');
  });

  test('without any event, says so and what would keep the user out', async () => {
    const { code, out } = await at.sallyport('why', 'bob');
    expect(code).toBe(0);
    expect(out).toContain('No decision about bob is in the log.');
    expect(out).toContain('is blocked: sallyport user set bob --active true');
    expect(out).toContain('has no token: sallyport token create --type totp --user bob');
    expect(out).toContain('may enter nothing: sallyport user assign bob RESOURCE');
  });

  test('a name that is nobody’s: what may have been meant, and the requests that carried it', async () => {
    const quiet = await at.sallyport('why', 'alcie');
    expect(quiet.code).toBe(1);
    expect(quiet.out).toContain('alcie is neither the login nor an alias of a user. Did you mean alice?');
    expect(quiet.out).toContain('no request carried that name');

    expect(await signIn('CORP\\alice', '123456')).toBe('unknown_user');
    const { code, out } = await at.sallyport('why', 'CORP\\alice');
    expect(code).toBe(0);
    expect(out).toContain('refused: unknown_user  CO…(10) at vpn');
    expect(out).toContain('list CORP in the domains of the client');
  });

  test('shows what a door refused under the name, and lately without any', async () => {
    const appender = new EventAppender(decisions.database, 'test.d', (error) => {
      throw error;
    });
    const common = { receivedAt: systemClock(), clientId: 'x', resourceId: vpn } as const;
    const ldap = {
      ...common,
      reason: 'method_not_allowed',
      peer: '192.0.2.9',
      client: 'wiki',
      method: 'bind',
    } as const;
    doorEventSink('ldap', appender, log)({ ...ldap, detail: 'sasl', login: 'uid=carol,ou=users,dc=example,dc=org' });
    const radius = {
      ...common,
      reason: 'bad_authenticator',
      peer: '198.51.100.1',
      client: 'edge',
      method: null,
    } as const;
    const nobody = { detail: null, login: null, source: null, station: null, suppressed: 4 };
    doorEventSink('radius', appender, log)({ ...radius, ...nobody });
    await expect.poll(async () => (await at.sallyport('events', '--kind', 'door')).out.split('\n').length).toBe(2);

    const { out } = await at.sallyport('why', 'carol');
    expect(out).toMatch(/refused: method_not_allowed {2}uid=carol,\S+, from 192\.0\.2\.9, LDAP application wiki, bind/);
    expect(out).toContain('At the door: the application asks for SASL');
    expect(out).not.toContain('bad_authenticator');
    const silent = (await at.sallyport('why', 'bob')).out;
    expect(silent).toMatch(/Lately at the doors, without a name:\n\n.*refused: bad_authenticator/);
    expect(silent).toContain('Next: Enter the same shared secret at the NAS and here.');
    expect(silent).toContain('4 like it since the one before were left out');
  });

  test('says all of it as JSON, rules and next step included', async () => {
    expect(await at.json('why', 'carol')).toMatchObject({
      login: 'carol',
      user: { login: 'carol', active: true, entrances: [{ resource: 'vpn', through: null }], locks: [] },
      decisions: [
        { reason: 'method_not_allowed', rules: null },
        {
          reason: 'wrong_otp',
          rules: expect.arrayContaining([{ rule: 'wrong_otp', title: expect.any(String), holds: false }]),
          next: expect.stringContaining('clock'),
        },
      ],
    });
  });

  test('paints on a terminal that takes colours, and there alone', async () => {
    expect((await at.onTerminal('why', 'alice')).out).toContain('\u001b[31m✗\u001b[39m');
    expect((await at.sallyport('why', 'alice')).out).not.toContain('\u001b');
  });

  test('wants a number of decisions that makes sense', async () => {
    expect(await at.sallyport('why', 'alice', '--last', '0')).toMatchObject({ code: 2 });
  });
});
