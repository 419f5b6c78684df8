/** The servers that Sallyport is compared with: their scripts, what they are called, and what they promise. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RADLOAD } from './load.mjs';
import { freePorts } from './ports.mjs';
import { adopt, announce, run } from './processes.mjs';

const script = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Programs that scripts/bench did not find and could not install. */
const absent = new Set((process.env.BENCH_WITHOUT ?? '').split(' '));

export const FREERADIUS = {
  name: 'FreeRADIUS',
  with: 'rlm_totp',
  script: script('peer-freeradius.sh'),
  present: !absent.has('freeradius'),
  version: async () => /Version ([\d.]+)/.exec((await run('freeradius', ['-v'])).stdout)?.[1] ?? '',
};

export const SLAPD = {
  name: 'OpenLDAP slapd',
  with: 'slapo-otp',
  script: script('peer-slapd.sh'),
  present: !absent.has('slapd'),
  // It says so on stderr.
  version: async () => /slapd ([\d.]+)/.exec((await run('slapd', ['-VV'])).stderr)?.[1] ?? '',
};

/** What stands before the code in a password that slapd accepts: its users have a password too. */
export const SLAPD_PREFIX = 'pw';

/** Starts a peer with so many users, in the new folder `folder`; it answers when this returns. */
export async function startPeer(peer, folder, users) {
  const [port] = await freePorts(1);
  const pidFile = join(folder, 'pid');
  announce(pidFile);
  await run(peer.script, [folder, port, users].map(String), { env: { ...process.env, RADLOAD } });
  return { port, ...adopt(pidFile) };
}
