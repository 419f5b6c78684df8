#!/usr/bin/env node
// Writes the generated parts of docs/reference anew: what --help, the configuration's schema, the rules and the problems say.
// The test that finds them out of step is the one that writes them, so that there is one way to make them.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const test = ['vitest', 'run', 'test/docs/reference.test.ts', '--update'];
const { status } = spawnSync('npx', ['--no-install', ...test], { cwd: root, stdio: 'inherit' });
process.exitCode = status ?? 1;
