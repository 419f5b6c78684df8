/**
 * The store is away: nobody is let in and nobody is told no. RADIUS is silent, so that the NAS asks its next server, LDAP says
 * unavailable (52), HTTP 503; the process lives, is not ready, and goes on by itself as soon as it can write.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import knex from 'knex';
import { afterEach, describe, expect, test } from 'vitest';
import { Installation, QUICK } from '../support/installation.js';
import { run } from '../support/program.js';
import { RadiusNas } from '../support/radius-nas.js';
import { expectClosedDoors, expectOpenDoors } from './doors.js';
import { codeOf, loginOf, RECORDS, SECRET, type SignIn } from './load.js';

/** How long no answer is silence. A write waits five seconds for a lock; a full disk is told at once. */
const SILENCE_MS = { locked: 7_000, full: 2_000 } as const;

let its: Installation | null = null;
let nas: RadiusNas | null = null;
const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  nas?.close();
  try {
    await its?.remove();
  } finally {
    for (const step of undo.splice(0).reverse()) await step();
  }
});

async function serving(folder?: string): Promise<{ installation: Installation; asking: RadiusNas }> {
  const installation = await Installation.serving(RECORDS, {
    settings: QUICK,
    ...(folder === undefined ? {} : { folder }),
  });
  its = installation;
  const asking = await RadiusNas.open(installation.ports.radius, SECRET);
  nas = asking;
  // Makes the key while it can be made.
  expect((await installation.api('/api/v1/users')).status).toBe(200);
  return { installation, asking };
}

test('another process holds the write lock for longer than a write waits; released, all goes on', {
  timeout: 60_000,
}, async () => {
  const { installation, asking } = await serving();
  const other = knex({
    client: 'sqlite3',
    connection: { filename: installation.database },
    useNullAsDefault: true,
    pool: { min: 1, max: 1 },
  });
  undo.push(() => other.destroy());
  await other.raw('begin immediate');
  await expectClosedDoors(installation, asking, SILENCE_MS.locked);
  expect((await installation.api('/api/v1/users?limit=1')).status, 'reading goes on').toBe(200);
  await other.raw('rollback');
  await expectOpenDoors(installation, asking);
});

const canMount = ((): boolean => {
  if (process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).status === 0;
  if (mounted) spawnSync('umount', [folder]);
  rmSync(folder, { recursive: true });
  return mounted;
})();

describe.skipIf(!canMount)(`a disk of its own${canMount ? '' : ', skipped without root and mount'}`, () => {
  test('the disk is full; freed, all goes on', { timeout: 60_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-disk-'));
    expect((await run('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder])).code).toBe(0);
    undo.push(async () => {
      expect((await run('umount', [folder])).code).toBe(0);
      rmSync(folder, { recursive: true });
    });
    const { installation, asking } = await serving(folder);
    // A reader who stays keeps the write-ahead log from being started anew in the room that it has: it has to grow.
    const reader = knex({
      client: 'sqlite3',
      connection: { filename: installation.database },
      useNullAsDefault: true,
      pool: { min: 1, max: 1 },
    });
    undo.push(() => reader.destroy());
    await reader.raw('begin');
    await reader.raw('select 1 from meta');
    const filler = join(folder, 'filler');
    const { bavail, bsize } = statfsSync(folder);
    writeFileSync(filler, Buffer.alloc(bavail * bsize));

    // The log may have room left that the file system has given it already.
    const accepted: SignIn[] = [];
    let answer = 'accept';
    for (let user = 3; answer === 'accept' && user < RECORDS.users.length; user++) {
      const signIn = { user, counter: 0 };
      answer = await asking.signIn(loginOf(user), codeOf(signIn), SILENCE_MS.full);
      if (answer === 'accept') accepted.push(signIn);
    }
    expect(answer).toBe('silence');
    await expectClosedDoors(installation, asking, SILENCE_MS.full);

    rmSync(filler);
    await reader.raw('rollback');
    await expectOpenDoors(installation, asking);
    for (const signIn of accepted) expect(await asking.signIn(loginOf(signIn.user), codeOf(signIn))).toBe('reject');
    await installation.kill9();
    await installation.start();
    for (const signIn of accepted) expect(await asking.signIn(loginOf(signIn.user), codeOf(signIn))).toBe('reject');
    expect(await installation.rows('pragma integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  });
});
