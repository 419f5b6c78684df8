/** A Sallyport installation for the benchmark, made by the program's own commands, and its daemon. */
import { constants, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from './ports.mjs';
import { run, start, tail } from './processes.mjs';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const USERS_CSV = fileURLToPath(new URL('users-csv.mjs', import.meta.url));

const RECORDS = `resources:
  - { name: vpn, firstFactor: none }
radiusClients:
  - { name: bench, address: 127.0.0.1/32, secret: testing123, resource: vpn }
ldapApplications:
  - { name: bench, baseDn: "dc=example,dc=org", resource: vpn }
`;

const READY_POLL_MS = 5;
const READY_WITHIN_MS = 120_000;

/** The caller's environment without what would change an installation that is not the caller's. */
const ENVIRONMENT = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SALLYPORT_')));

const sallyport = (...args) => run(process.execPath, [MAIN, ...args], { env: ENVIRONMENT });
const configOf = (folder) => join(folder, 'sallyport.yaml');

/** Sets up an installation in the new folder `folder`, with the records but no users. */
export async function setUp(folder) {
  await sallyport('init', folder);
  const records = join(folder, 'bench-records.yaml');
  writeFileSync(records, RECORDS);
  await sallyport('apply', '-c', configOf(folder), '-f', records);
}

/** Writes users `first` … as CSV into `folder`; returns the file. */
export async function writeUsers(folder, first, count) {
  const file = join(folder, `users-${first}.csv`);
  await run(process.execPath, [USERS_CSV, String(first), String(count), file]);
  return file;
}

/** Imports a CSV file of users; returns how long that took (s), the start of the program included. */
export async function importUsers(folder, csv) {
  const { seconds } = await sallyport('import', '-c', configOf(folder), '--format', 'csv', csv);
  return seconds;
}

/** A copy of an installation whose daemon is not running; on disk, so that no round pays for writing it. */
export async function copy(from, to) {
  cpSync(from, to, { recursive: true, mode: constants.COPYFILE_FICLONE });
  await run('sync', ['-f', to]);
}

/**
 * Starts the daemon on free ports of the loopback address. `startSeconds` is from the start of the process to the first
 * /readyz that says yes.
 */
export async function serve(folder) {
  const [radiusPort, accountingPort, ldapPort, httpPort] = await freePorts(4);
  const output = join(folder, 'daemon.log');
  const began = performance.now();
  const daemon = start(process.execPath, [MAIN, 'serve', '-c', configOf(folder)], {
    env: {
      ...ENVIRONMENT,
      SALLYPORT_RADIUS_LISTEN: `127.0.0.1:${radiusPort}`,
      SALLYPORT_RADIUS_ACCOUNTING: `127.0.0.1:${accountingPort}`,
      SALLYPORT_LDAP_LISTEN: `127.0.0.1:${ldapPort}`,
      SALLYPORT_HTTP_LISTEN: `127.0.0.1:${httpPort}`,
    },
    output,
  });
  while (!(await isReady(httpPort))) {
    if (daemon.exit !== null)
      throw new Error(`the daemon ended with ${daemon.exit}:\n${tail(readFileSync(output, 'utf8'))}`);
    if (performance.now() - began > READY_WITHIN_MS)
      throw new Error(`the daemon is not ready after ${READY_WITHIN_MS / 1000} s`);
    await sleep(READY_POLL_MS);
  }
  return { radiusPort, ldapPort, pid: daemon.pid, stop: daemon.stop, startSeconds: (performance.now() - began) / 1000 };
}

const isReady = (port) =>
  fetch(`http://127.0.0.1:${port}/readyz`).then(
    (answer) => answer.status === 200,
    () => false,
  );
