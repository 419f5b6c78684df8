/**
 * Every process that the benchmark starts is kept here, so that all of them end with it, and no other does. Each leads a
 * group of its own: what it starts in turn ends with it.
 */
import { spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** The daemon has 10 s to drain; what still runs then is killed. */
const END_MS = 12_000;
const POLL_MS = 20;
const TAIL_LINES = 12;

/** Groups that run, by their leader's id; and servers that left their group, whose own id a file tells. */
const groups = new Map();
const pidFiles = new Set();

/**
 * Runs a program to its end. Returns what it wrote and how long it took (s); one that fails is an Error with its last lines.
 */
export async function run(file, args, { env = process.env, cwd } = {}) {
  const began = performance.now();
  const child = spawn(file, args, { env, cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const read = (stream) => {
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    return () => text;
  };
  const [stdout, stderr] = [read(child.stdout), read(child.stderr)];
  const exit = await ended(child);
  const seconds = (performance.now() - began) / 1000;
  if (exit !== 0) {
    throw new Error(`${[file, ...args].join(' ')} ended with ${exit}:\n${tail(stderr() || stdout())}`);
  }
  return { stdout: stdout(), stderr: stderr(), seconds };
}

/**
 * Starts a program that stays; its output goes to `output`, a file, or is read by the caller where none is given. `exit` is
 * null while it runs, then its exit code or signal; `stop` sends a signal and waits for the end.
 */
export function start(file, args, { env = process.env, output } = {}) {
  const to = output === undefined ? 'pipe' : openSync(output, 'a');
  const child = spawn(file, args, { env, detached: true, stdio: ['ignore', to, to] });
  const running = { pid: child.pid, stdout: child.stdout, exit: null, stop };
  const over = ended(child).then((exit) => {
    running.exit = exit;
  });
  async function stop(signal = 'SIGTERM') {
    if (running.exit === null) child.kill(signal);
    await over;
  }
  return running;
}

/**
 * A server that runs on after the script that started it, as process `readFileSync(pidFile)`. The file is looked at when all
 * must end, so that one that is still starting ends too: announce it before, `adopt` it after.
 */
export function announce(pidFile) {
  pidFiles.add(pidFile);
}

export function adopt(pidFile) {
  const pid = pidIn(pidFile);
  if (pid === null) throw new Error(`${pidFile} names no process`);
  return {
    pid,
    stop: async () => {
      signal(pid, 'SIGTERM');
      await gone([pid]);
      pidFiles.delete(pidFile);
    },
  };
}

/** Ends all that still runs. */
export async function endAll() {
  const servers = [...pidFiles].map(pidIn).filter((pid) => pid !== null);
  const left = [...[...groups.keys()].map((leader) => -leader), ...servers];
  for (const pid of left) signal(pid, 'SIGTERM');
  await gone(left);
}

/** The last lines of a text, for a message. */
export const tail = (text) => text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');

function ended(child) {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('spawn', () => groups.set(child.pid, child));
    child.on('close', (code, killedBy) => {
      groups.delete(child.pid);
      resolve(code ?? killedBy);
    });
  });
}

async function gone(pids) {
  const deadline = Date.now() + END_MS;
  while (pids.some((pid) => signal(pid, 0)) && Date.now() < deadline) await sleep(POLL_MS);
  for (const pid of pids) signal(pid, 'SIGKILL');
}

/** False where there is no such process (any more). */
function signal(pid, name) {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

function pidIn(file) {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return Number.isInteger(pid) && pid > 1 ? pid : null;
  } catch {
    return null;
  }
}
