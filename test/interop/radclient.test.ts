/**
 * FreeRADIUS's radclient, as a NAS:
 *
 *   echo 'User-Name=alice,User-Password=492039' | radclient -x -r 1 -t 5 127.0.0.1:1812 auth testing123
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Installation } from '../support/installation.js';
import { hotp, otp, secretOf } from '../support/otp.js';
import { findProgram, type Ran, run, until, without } from '../support/program.js';

const SECRET = 'testing123';
/** Each test signs in as a user of its own, since every code opens once. */
const USERS = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan', 'judy', 'mallory'] as const;
type User = (typeof USERS)[number];
const secretFor = (user: User): string => secretOf(USERS.indexOf(user));

const RECORDS = {
  resources: [
    {
      name: 'vpn',
      replyAttributes: { 'Filter-Id': 'vpn-users', 'Cisco-AVPair': ['shell:priv-lvl=15', 'ip:addr-pool=a'] },
    },
    { name: 'office', firstFactor: 'local' },
  ],
  radiusClients: [
    { name: 'edge', address: '127.0.0.1/32', secret: SECRET, resource: 'vpn', domains: ['CORP', 'corp.example'] },
    { name: 'edge-6', address: '::1', secret: SECRET, resource: 'vpn' },
    { name: 'office-gate', address: '127.0.0.2', secret: SECRET, resource: 'office' },
    { name: 'signing', address: '127.0.0.3', secret: SECRET, resource: 'vpn' },
    { name: 'misconfigured', address: '127.0.0.4', secret: 'another secret', resource: 'vpn' },
    { name: 'old-proxy', address: '127.0.0.5', secret: SECRET, resource: 'vpn' },
  ],
  users: USERS.map((login) => ({
    login,
    aliases: [`${login}-alias`],
    password: login === 'heidi' || login === 'ivan' ? 'correct horse' : null,
    resources: ['vpn', 'office'],
    tokens: [{ type: login === 'judy' ? 'hotp' : 'totp', secret: secretFor(login) }],
  })),
};

describe.skipIf(findProgram('radclient') === null)(`radclient${without('radclient')}`, () => {
  let its: Installation;
  beforeAll(async () => {
    its = await Installation.serving(RECORDS);
  });
  afterAll(() => its.remove());

  /** Runs radclient once. `from`: the client's own address; `seconds`: how long it waits, short where no answer is to come. */
  const radclient = (
    attributes: string,
    { command = 'auth', from = '', host = '127.0.0.1', seconds = 5 } = {},
  ): Promise<Ran & { readonly reply: string }> => {
    const port = command === 'acct' ? its.ports.accounting : its.ports.radius;
    const args = ['-x', '-r', '1', '-t', `${seconds}`, `${host}:${port}`, command, SECRET];
    const source = from === '' ? '' : `,Packet-Src-IP-Address=${from}`;
    return run('radclient', args, { input: `${attributes}${source}\n` }).then((ran) => ({
      ...ran,
      reply: ran.stdout.includes('Received') ? ran.stdout.slice(ran.stdout.indexOf('Received')) : '',
    }));
  };
  const signIn = (user: string, password: string, from = '') =>
    radclient(`User-Name="${user}",User-Password="${password}"`, { from });
  const lastEvent = async (client: string) => (await its.events('client = ?', [client])).at(-1);

  test('signs in with a code over IPv4 and finds the reply attributes, Message-Authenticator first (RAD-14, RAD-33)', async () => {
    const { code, stdout, reply } = await signIn('alice', otp(secretFor('alice')));
    expect(code, stdout).toBe(0);
    expect(reply).toMatch(/^Received Access-Accept/);
    const lines = reply.split('\n').map((line) => line.trim());
    expect(lines[1]).toMatch(/^Message-Authenticator = 0x[0-9a-f]{32}$/);
    expect(lines.slice(2).filter((line) => line.includes(' = '))).toEqual([
      'Filter-Id = "vpn-users"',
      'Cisco-AVPair = "shell:priv-lvl=15"',
      'Cisco-AVPair = "ip:addr-pool=a"',
    ]);
    expect(await lastEvent('edge')).toMatchObject({
      outcome: 'accepted',
      login: 'alice',
      door: 'radius',
      method: 'pap',
    });
  });

  test('signs in over IPv6', async () => {
    const attributes = `User-Name=bob,User-Password=${otp(secretFor('bob'))}`;
    const { code, stdout } = await radclient(attributes, { host: '[::1]' });
    expect(code, stdout).toBe(0);
    expect(await lastEvent('edge-6')).toMatchObject({ outcome: 'accepted', login: 'bob', source: '::1' });
  });

  test('is refused with a wrong code, and learns no reason; the event has it', async () => {
    const { code, reply } = await signIn('carol', otp(secretFor('carol')) === '000000' ? '000001' : '000000');
    expect(code).not.toBe(0);
    expect(reply).toMatch(/^Received Access-Reject/);
    expect(reply).not.toContain('Reply-Message');
    expect(await lastEvent('edge')).toMatchObject({ outcome: 'refused', reason: 'wrong_otp', login: 'carol' });
  });

  test('is refused with a code that was accepted before, by whatever name', async () => {
    const code = otp(secretFor('dave'));
    expect((await signIn('dave-alias', code)).code).toBe(0);
    expect((await signIn('dave', code)).code).not.toBe(0);
    expect(await lastEvent('edge')).toMatchObject({ outcome: 'refused', reason: 'replayed_otp' });
  });

  test.each([
    ['CORP\\\\erin', 'erin'],
    ['frank@corp.example', 'frank'],
  ] as const)('signs in as %s where the client lists the domain', async (name, user) => {
    const { code, stdout } = await signIn(name, otp(secretFor(user)));
    expect(code, stdout).toBe(0);
    const [record] = await its.rows('select id from users where login = ?', [user]);
    expect(await lastEvent('edge')).toMatchObject({ outcome: 'accepted', user_id: record?.['id'] });
  });

  test('finds its Proxy-States again, in order (RAD-12, RAD-43)', async () => {
    const attributes = `User-Name=grace,User-Password=${otp(secretFor('grace'))},Proxy-State=0x707831,Proxy-State=0x707832`;
    const unsigned = await radclient(attributes, { from: '127.0.0.5', seconds: 1 });
    expect(unsigned.reply, 'Proxy-State without Message-Authenticator').toBe('');
    await until('an event', async () => (await lastEvent('old-proxy'))?.['reason'] === 'bad_authenticator');
    const signed = await radclient(`${attributes},Message-Authenticator=0x00`, { from: '127.0.0.5' });
    expect(signed.code, signed.stdout).toBe(0);
    expect(signed.reply.match(/Proxy-State = 0x\w+/g)).toEqual(['Proxy-State = 0x707831', 'Proxy-State = 0x707832']);
  });

  test('once it has signed, an unsigned request is no longer answered (RAD-42)', async () => {
    const ask = (signature: string, seconds = 5) =>
      radclient(`User-Name=mallory,User-Password=000000${signature}`, { from: '127.0.0.3', seconds });
    expect((await ask('')).reply).toMatch(/^Received Access-Reject/);
    expect((await ask(',Message-Authenticator=0x00')).reply).toMatch(/^Received Access-Reject/);
    expect((await ask('', 1)).reply).toBe('');
    await until('an event', async () => (await lastEvent('signing'))?.['reason'] === 'bad_authenticator');
    expect((await ask(',Message-Authenticator=0x00')).reply).toMatch(/^Received Access-Reject/);
    await until('the client to be known as signing', async () => {
      const rows = await its.rows(
        `select message_authenticator_seen as seen from radius_clients where name = 'signing'`,
      );
      return rows[0]?.['seen'] === 1;
    });
  });

  test('asks Status-Server on both ports (RAD-65, RAD-66)', async () => {
    for (const port of [its.ports.radius, its.ports.accounting]) {
      const args = ['-x', '-r', '1', '-t', '5', `127.0.0.1:${port}`, 'status', SECRET];
      const { code, stdout } = await run('radclient', args, { input: 'Message-Authenticator=0x00\n' });
      expect(code, stdout).toBe(0);
      expect(stdout).toMatch(/Received (Access-Accept|Accounting-Response)/);
    }
  });

  test('has its accounting answered once it is stored (RAD-61)', async () => {
    const session =
      'Acct-Session-Id=0001,User-Name=alice,NAS-IP-Address=192.0.2.1,Framed-IP-Address=10.0.0.5,Calling-Station-Id=198.51.100.7';
    const { code, stdout } = await radclient(`Acct-Status-Type=Start,${session}`, { command: 'acct' });
    expect(code, stdout).toBe(0);
    const stored = await its.events(`kind = 'accounting'`);
    expect(stored).toMatchObject([{ login: 'alice', client: 'edge', source: '198.51.100.7', method: 'start' }]);
    expect(JSON.parse(String(stored[0]?.['detail']))).toMatchObject({ sessionId: '0001', framedAddress: '10.0.0.5' });
    const shown = await its.api('/api/v1/events?kind=accounting');
    expect(shown.body).toMatchObject({ items: [{ kind: 'accounting', login: 'alice', client: 'edge' }] });
  });

  test('signs in with password and code in one field', async () => {
    const code = otp(secretFor('heidi'));
    expect((await signIn('heidi', `wrong horse${code}`, '127.0.0.2')).code).not.toBe(0);
    expect(await lastEvent('office-gate')).toMatchObject({ reason: 'wrong_password' });
    const { code: status, stdout } = await signIn('heidi', `correct horse${code}`, '127.0.0.2');
    expect(status, stdout).toBe(0);
  });

  test('signs in with OpenVPN’s SCRV1', async () => {
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const credential = `SCRV1:${base64('correct horse')}:${base64(otp(secretFor('ivan')))}`;
    const { code, stdout } = await signIn('ivan', credential, '127.0.0.2');
    expect(code, stdout).toBe(0);
  });

  test('signs in with a HOTP token, presses that nobody sent included (OTP-2)', async () => {
    const secret = secretFor('judy');
    expect((await signIn('judy', hotp(secret, 0))).code).toBe(0);
    expect((await signIn('judy', hotp(secret, 7))).code).toBe(0);
    expect((await signIn('judy', hotp(secret, 3))).code, 'skipped, so spent').not.toBe(0);
    expect((await signIn('judy', hotp(secret, 8))).code).toBe(0);
  });

  test('with a wrong shared secret it is refused, and the event says what to look at', async () => {
    const password = 'User-Name=mallory,User-Password=123456';
    const unsigned = await radclient(password, { from: '127.0.0.4', seconds: 1 });
    expect(unsigned.code, 'the reply does not verify').not.toBe(0);
    const event = await lastEvent('misconfigured');
    expect(event).toMatchObject({ outcome: 'refused', login: 'mallory' });
    expect(String(event?.['detail'])).toContain('shared secret');
    const signed = await radclient(`${password},Message-Authenticator=0x00`, { from: '127.0.0.4', seconds: 1 });
    expect(signed.reply).toBe('');
    await until('an event', async () => (await lastEvent('misconfigured'))?.['reason'] === 'bad_authenticator');
  });
});
