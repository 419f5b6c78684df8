/**
 * FreeRADIUS between the NAS and us, forwarding with Proxy-State, asked by radclient:
 *
 *   freeradius -f -d raddb -l radius.log
 *   echo 'User-Name=alice,User-Password=492039' | radclient -x 127.0.0.1:21812 auth nas-secret
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts, Installation } from '../support/installation.js';
import { otp, secretOf } from '../support/otp.js';
import { findProgram, run, until, without } from '../support/program.js';

/** The proxy is another client than the NAS, with a secret of its own. */
const SECRETS = { nas: 'nas-secret', proxy: 'proxy-secret' } as const;
const RECORDS = {
  resources: [{ name: 'vpn', replyAttributes: { 'Filter-Id': 'vpn-users' } }],
  radiusClients: [
    { name: 'proxy', address: '127.0.0.1', secret: SECRETS.proxy, resource: 'vpn', requireMessageAuthenticator: 'yes' },
  ],
  users: ['alice', 'bob'].map((login, n) => ({
    login,
    resources: ['vpn'],
    tokens: [{ type: 'totp', secret: secretOf(n) }],
  })),
};

const PROGRAMS = ['freeradius', 'radclient'];

describe.skipIf(PROGRAMS.some((name) => findProgram(name) === null))(
  `FreeRADIUS as a proxy${without(...PROGRAMS)}`,
  () => {
    let its: Installation;
    let proxy: ChildProcess;
    let port = 0;
    let log = '';

    beforeAll(async () => {
      its = await Installation.serving(RECORDS);
      port = (await freePorts()).radius;
      const folder = join(its.folder, 'raddb');
      mkdirSync(folder);
      log = join(folder, 'radius.log');
      writeFileSync(join(folder, 'radiusd.conf'), configuration(folder));
      proxy = spawn(findProgram('freeradius') ?? '', ['-f', '-d', folder, '-l', log], { stdio: 'ignore' });
      await until('FreeRADIUS to answer', async () => {
        if (proxy.exitCode !== null) throw new Error(`FreeRADIUS ended: ${readFileSync(log, 'utf8')}`);
        const args = ['-r', '1', '-t', '1', `127.0.0.1:${port}`, 'status', SECRETS.nas];
        return (await run('radclient', args, { input: 'Message-Authenticator=0x00\n' })).code === 0;
      });
    });
    afterAll(async () => {
      if (proxy.exitCode === null) {
        const ended = once(proxy, 'exit');
        proxy.kill('SIGKILL');
        await ended;
      }
      await its.remove();
    });

    /** The least that proxies: every Access-Request, signed, to us. */
    const configuration = (folder: string): string => `
    prefix = /usr
    logdir = ${folder}
    run_dir = ${folder}
    raddbdir = ${folder}
    libdir = /usr/lib/freeradius
    correct_escapes = true
    security {
      allow_core_dumps = no
      reject_delay = 0
      status_server = yes
    }
    client nas {
      ipaddr = 127.0.0.1
      secret = ${SECRETS.nas}
    }
    home_server sallyport {
      type = auth
      ipaddr = 127.0.0.1
      port = ${its.ports.radius}
      secret = ${SECRETS.proxy}
      response_window = 10
      status_check = status-server
    }
    home_server_pool doors {
      type = fail-over
      home_server = sallyport
    }
    realm sallyport {
      auth_pool = doors
      nostrip
    }
    server default {
      listen {
        type = auth
        ipaddr = 127.0.0.1
        port = ${port}
      }
      authorize {
        update control {
          &Proxy-To-Realm := "sallyport"
        }
      }
      pre-proxy {
        update proxy-request {
          &Message-Authenticator := 0x00
        }
      }
    }
  `;

    const ask = (attributes: string) =>
      run('radclient', ['-x', '-r', '1', '-t', '10', `127.0.0.1:${port}`, 'auth', SECRETS.nas], {
        input: `${attributes}\n`,
      });

    test('brings an accept back with its attributes, and the NAS’s own Proxy-State (RAD-12, RAD-43)', async () => {
      const code = otp(secretOf(0));
      const attributes = `User-Name=alice,User-Password=${code},Proxy-State=0x6e6173`;
      const { code: status, stdout } = await ask(attributes);
      expect(status, `${stdout}${readFileSync(log, 'utf8')}`).toBe(0);
      const reply = stdout.slice(stdout.indexOf('Received'));
      expect(reply).toMatch(/^Received Access-Accept/);
      expect(reply).toContain('Filter-Id = "vpn-users"');
      expect(reply).toContain('Proxy-State = 0x6e6173');
      expect((await ask(attributes)).stdout).toContain('Received Access-Reject');
      expect(await its.events(`client = 'proxy'`)).toMatchObject([
        { outcome: 'accepted', login: 'alice' },
        { outcome: 'refused', reason: 'replayed_otp', login: 'alice' },
      ]);
    });

    test('brings a reject back', async () => {
      expect((await ask('User-Name=bob,User-Password=abcdef')).stdout).toContain('Received Access-Reject');
    });
  },
);
