import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { aliceOnly, type Running, radclient, resource, startServer } from './harness.js';

let running: Running | null = null;
afterEach(async () => {
  await running?.stop();
  running = null;
});

// A program from outside npm: where it is missing, these tests are reported as skipped.
const missing = spawnSync('radclient', ['-v']).error !== undefined;

describe.skipIf(missing)('radclient', () => {
  test('signs in with PAP over IPv4, and finds its reply attributes and its Proxy-States in order (RAD-12, RAD-33)', async () => {
    const vpn = resource({ 'Filter-Id': 'vpn-users', 'Cisco-AVPair': ['shell:priv-lvl=15', 'ip:addr-pool=a'] });
    running = await startServer({ authenticate: aliceOnly(vpn) });
    const { stdout, ok } = await radclient(
      `127.0.0.1:${running.port}`,
      'auth',
      'User-Name=alice,User-Password=755224,Proxy-State=0x707831,Proxy-State=0x707832,Message-Authenticator=0x00',
    );
    expect(ok, stdout).toBe(true);
    const reply = stdout.slice(stdout.indexOf('Received'));
    const lines = reply.split('\n').map((line) => line.trim());
    expect(lines[0]).toMatch(/^Received Access-Accept/);
    expect(lines[1]).toMatch(/^Message-Authenticator = 0x/);
    expect(lines.slice(2).filter((line) => line.includes(' = '))).toEqual([
      'Filter-Id = "vpn-users"',
      'Cisco-AVPair = "shell:priv-lvl=15"',
      'Cisco-AVPair = "ip:addr-pool=a"',
      'Proxy-State = 0x707831',
      'Proxy-State = 0x707832',
    ]);
  });

  test('signs in with PAP over IPv6', async () => {
    running = await startServer({ listen: ['[::1]:0'] });
    const { stdout, ok } = await radclient(`[::1]:${running.port}`, 'auth', 'User-Name=alice,User-Password=755224');
    expect(ok, stdout).toBe(true);
    expect(stdout).toContain('Received Access-Accept');
    expect(running.requests[0]).toMatchObject({ client: 'six', peer: '::1', login: 'alice' });
  });

  test('is refused with a wrong code, and learns nothing', async () => {
    running = await startServer();
    const { stdout, ok } = await radclient(`127.0.0.1:${running.port}`, 'auth', 'User-Name=alice,User-Password=111111');
    expect(ok).toBe(false);
    const reply = stdout.slice(stdout.indexOf('Received'));
    expect(reply).toMatch(/^Received Access-Reject/);
    expect(reply).not.toContain('Reply-Message');
  });

  test('gets its accounting stored and answered (RAD-61, RAD-64)', async () => {
    running = await startServer();
    const { stdout, ok } = await radclient(
      `127.0.0.1:${running.accountingPort}`,
      'acct',
      'Acct-Status-Type=Start,Acct-Session-Id=0001,User-Name=alice,NAS-IP-Address=192.0.2.1,Framed-IP-Address=10.0.0.5,Calling-Station-Id=198.51.100.7',
    );
    expect(ok, stdout).toBe(true);
    expect(stdout).toContain('Received Accounting-Response');
    expect(running.records).toMatchObject([
      {
        clientId: 'edge-id',
        status: 'start',
        sessionId: '0001',
        login: 'alice',
        nasAddress: '192.0.2.1',
        framedAddress: '10.0.0.5',
        source: '198.51.100.7',
      },
    ]);
  });

  test('asks Status-Server on both ports (RAD-65, RAD-66)', async () => {
    running = await startServer();
    for (const port of [running.port, running.accountingPort]) {
      const { stdout, ok } = await radclient(`127.0.0.1:${port}`, 'status', 'Message-Authenticator=0x00');
      expect(ok, stdout).toBe(true);
      expect(stdout).toMatch(/Received (Access-Accept|Accounting-Response)/);
    }
    expect(running.requests).toEqual([]);
    expect(running.events).toEqual([]);
  });

  test('gets a reject for CHAP, which is told in an event', async () => {
    running = await startServer();
    const { stdout } = await radclient(`127.0.0.1:${running.port}`, 'auth', 'User-Name=alice,CHAP-Password=755224');
    expect(stdout).toContain('Received Access-Reject');
    expect(running.requests).toEqual([]);
    expect(running.events).toMatchObject([
      { reason: 'method_not_allowed', method: 'chap', login: 'alice', client: 'edge', resourceId: 'vpn-id' },
    ]);
  });
});
