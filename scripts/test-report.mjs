/** The last lines of scripts/test. Arguments: vitest's JSON results, checks that passed, that failed, programs that are missing. */
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [file = '', passed = '', failed = '', missing = ''] = process.argv.slice(2);
const list = (words) => words.split(' ').filter((word) => word !== '');

const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { testResults: [] };
const tests = results.testResults.flatMap((suite) =>
  suite.assertionResults.map(({ status, fullName }) => ({ status, fullName })),
);
const of = (...statuses) => tests.filter(({ status }) => statuses.includes(status));
// A file that cannot be loaded has no tests to fail.
const broken = results.testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0);
const skipped = of('pending', 'skipped', 'todo', 'disabled');

const lines = ['──'];
for (const { fullName } of of('failed')) lines.push(`failed   ${fullName}`);
for (const { name } of broken) lines.push(`failed   ${relative(process.cwd(), name)} (could not be loaded)`);
for (const { fullName } of skipped) lines.push(`skipped  ${fullName}`);
if (list(missing).length > 0) lines.push(`missing  ${list(missing).join(' ')}`);
const checks = list(failed).length > 0 ? `; failed: ${list(failed).join(', ')}` : '';
const total = `${of('passed').length} tests passed, ${of('failed').length + broken.length} failed, ${skipped.length} skipped`;
lines.push(`${list(failed).length > 0 ? 'FAILED' : 'OK'}: ${total}; checks passed: ${list(passed).join(', ') || 'none'}${checks}`);
console.log(lines.join('\n'));
