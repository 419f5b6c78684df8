/**
 * The benchmark, once scripts/bench has built all it needs: measures, writes Markdown to stdout and to the file BENCH_REPORT.
 * Progress goes to stderr. Whatever it started ends with it, however it ends. `--quick`: few users, short rounds.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machineFacts } from './machine.mjs';
import { compareLdap, compareRadius, measureMany } from './measurements.mjs';
import { FREERADIUS, SLAPD } from './peers.mjs';
import { endAll } from './processes.mjs';
import { report } from './report.mjs';

/** In flight and connections: a busy hour of a few large NAS, and of an application server's pool. */
const COMMON = { window: 256, connections: 64 };
/** A round of 300,000 sign-ins is some seconds at the speeds seen; slapd does some 30,000 binds in 10 s. */
const FULL = {
  ...COMMON,
  rounds: 3,
  radiusUsers: 300_000,
  aloneRadius: 5_000,
  ldapUsers: 100_000,
  ldapSeconds: 10,
  aloneLdap: 2_000,
  manyUsers: 600_000,
  servedUsers: 200_000,
  quietSeconds: 10,
};
const QUICK = {
  ...COMMON,
  rounds: 2,
  radiusUsers: 30_000,
  aloneRadius: 500,
  ldapUsers: 10_000,
  ldapSeconds: 3,
  aloneLdap: 200,
  manyUsers: 30_000,
  servedUsers: 10_000,
  quietSeconds: 3,
};

const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 };

const began = performance.now();
const quick = process.argv.includes('--quick');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
let ending = false;

for (const [name, number] of Object.entries(SIGNALS)) process.on(name, () => end(128 + number));

try {
  const markdown = await measure(quick ? QUICK : FULL);
  process.stdout.write(markdown);
  const file = process.env.BENCH_REPORT;
  if (file !== undefined) writeFileSync(file, markdown);
  say('done');
  await end(0);
} catch (error) {
  // What fails while all is being ended fails for that reason.
  if (!ending) console.error(`error: ${error.message}`);
  await end(1);
}

async function measure(sizes) {
  const facts = await machineFacts(folder);
  if (facts.busy) say(`warning: the machine is busy (load ${facts.load}); figures will be of that too`);
  const peers = { freeradius: await called(FREERADIUS), slapd: await called(SLAPD) };
  const radius = await compareRadius(sizes, folder, say);
  const ldap = await compareLdap(sizes, folder, say);
  const many = await measureMany(sizes, folder, say);
  return report({ sizes, quick, facts, peers, radius, ldap, many });
}

async function called(peer) {
  return peer.present ? `${peer.name} ${await peer.version()} + ${peer.with}` : null;
}

function say(text) {
  const passed = Math.round((performance.now() - began) / 1000);
  console.error(`${String(passed).padStart(4)} s  ${text}`);
}

async function end(code) {
  if (ending) return;
  ending = true;
  await endAll();
  rmSync(folder, { recursive: true, force: true });
  process.exit(code);
}
