/** The load generators, and their line of figures as an object. */
import { join } from 'node:path';
import { run, start } from './processes.mjs';

/** As the records of installation.mjs and the peers' scripts have it. */
const RADIUS_SECRET = 'testing123';

/** Compiled by scripts/bench; named by it. */
const BINARIES = process.env.BENCH_BINARIES ?? '.';
export const RADLOAD = join(BINARIES, 'radload');
const LDAPLOAD = join(BINARIES, 'ldapload');

/** The users that a load asks: `users` of them from `first` on, in scattered order, no one twice in `asks`. */
const whom = ({ first = 0, users, asks, seconds }) =>
  ['-r', '-f', first, '-n', users, '-N', Math.min(asks ?? users, users), '-d', seconds].map(String);

/** Asks `port` over RADIUS, `window` in flight, until each has been asked or the seconds are over. */
export async function radiusLoad(port, window, asked) {
  const args = ['-p', port, '-s', RADIUS_SECRET, '-w', window].map(String);
  return radiusFigures((await run(RADLOAD, [...args, ...whom(asked)])).stdout);
}

/** Binds to `port` over so many connections; `prefix` stands before each code. */
export async function ldapLoad(port, connections, asked, prefix = '') {
  const args = ['-p', port, '-c', connections, '-P', prefix].map(String);
  return ldapFigures((await run(LDAPLOAD, [...args, ...whom(asked)])).stdout);
}

/**
 * Asks over RADIUS `rate` times a second, however long the answers take, over and over the same users; `finish` ends it and
 * returns the figures.
 */
export function steadyRadiusLoad(port, rate, { first, users }) {
  const args = ['-p', port, '-s', RADIUS_SECRET, '-w', 4096, '-R', rate, '-r', '-f', first, '-n', users, '-d', 86_400];
  const load = start(RADLOAD, args.map(String));
  let text = '';
  load.stdout.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  return {
    finish: async () => {
      await load.stop('SIGINT');
      return radiusFigures(text);
    },
  };
}

const LATENCY = /latency ms p50 ([\d.]+) p99 ([\d.]+) max ([\d.]+)/;

function radiusFigures(line) {
  const counts = /sent (\d+) accept (\d+) .*in ([\d.]+)s: .* ([\d.]+) accepts\/s/.exec(line);
  return figures(line, counts);
}

function ldapFigures(line) {
  const counts = /invalidCredentials (\d+) other (\d+) closed (\d+)/.exec(line);
  const good = /success (\d+) .*in ([\d.]+)s: .* ([\d.]+) binds\/s/.exec(line);
  const unanswered = Number(/unanswered (\d+)/.exec(line)?.[1] ?? 0);
  if (counts === null || good === null) return figures(line, null);
  const asked = Number(good[1]) + Number(counts[1]) + Number(counts[2]) + unanswered;
  return figures(line, ['', asked, good[1], good[2], good[3]]);
}

/** asked and accepted are counts; perSecond counts what was accepted alone; p50, p99, max are ms over all answers. */
function figures(line, counts) {
  const latency = LATENCY.exec(line);
  if (counts === null || latency === null) throw new Error(`the load generator said what nobody understands: ${line}`);
  const [, asked, accepted, seconds, perSecond] = counts.map(Number);
  if (accepted === 0) throw new Error(`not one of ${asked} requests was accepted: ${line.trim()}`);
  const [, p50, p99, max] = latency.map(Number);
  return { asked, accepted, seconds, perSecond, p50, p99, max };
}
