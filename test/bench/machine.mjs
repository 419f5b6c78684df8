/** What the figures were measured on; nothing that tells whose machine it is. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { run } from './processes.mjs';

const GIB = 1024 ** 3;
const KIB_IN_MIB = 1024;

/** Above this share of its cores, the machine has other work, and the figures are of that too. */
const BUSY = 0.25;

/** Facts as text, and whether others are using the machine. `folder` is where the databases are. */
export async function machineFacts(folder) {
  const cores = availableParallelism();
  // scripts/bench looked before it built.
  const load = Number(process.env.BENCH_LOAD ?? loadavg()[0]);
  return {
    cores: `${cores} ${cores === 1 ? 'core' : 'cores'} (${cpus()[0]?.model.trim() ?? 'unknown'})`,
    memory: `${Math.round(totalmem() / GIB)} GiB`,
    system: operatingSystem(),
    fileSystem: (await run('stat', ['-f', '-c', '%T', folder])).stdout.trim(),
    node: process.version,
    load: load.toFixed(1),
    busy: load > BUSY * cores,
  };
}

/** The resident memory of a process, MiB. */
export function residentMemory(pid) {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kib === undefined) throw new Error(`the memory of process ${pid} is not to be read`);
  return Number(kib) / KIB_IN_MIB;
}

function operatingSystem() {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform;
  } catch {
    return process.platform;
  }
}
