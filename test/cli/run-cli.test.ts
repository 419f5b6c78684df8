import { describe, expect, test } from 'vitest';
import type { Argv } from 'yargs';
import { command, commandGroup, EXIT } from '../../src/cli/command.js';
import { otpCommand } from '../../src/cli/otp.js';
import { runCli } from '../../src/cli/run-cli.js';
import { versionCommand } from '../../src/cli/version.js';
import { memoryIo } from './memory-io.js';

const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const keys = commandGroup('key', 'Keys', [
  command({
    usage: 'create',
    summary: 'Make one',
    options: (yargs: Argv) =>
      yargs.option('with-secrets', { type: 'boolean', default: false }).option('name', { type: 'string', array: true }),
    repeatable: ['name'],
    run: async (options, io) => {
      io.out(`${options.withSecrets} ${options.name?.join(' ')}`);
      return EXIT.failed;
    },
  }),
]);

const sallyport = async (...args: string[]) => {
  const io = memoryIo();
  const code = await runCli(args, [otpCommand, versionCommand, keys], io);
  return { code, out: io.stdout.join('\n'), err: io.stderr.join('\n') };
};

describe('the command line', () => {
  test('a command runs with its options, and its exit code comes back', async () => {
    expect(await sallyport('key', 'create', '--with-secrets', '--name', 'a', '--name', 'b')).toEqual({
      code: 1,
      out: 'true a b',
      err: '',
    });
  });

  test.each([
    [[], 'sallyport: which command?'],
    [['otpp'], 'Did you mean otp?'],
    [['otp'], 'sallyport otp: an argument is missing'],
    [['otp', SECRET, '--nope'], 'sallyport otp: Unknown argument: nope'],
    [['otp', '--digits', '5', SECRET], 'Choices: 6, 7, 8'],
    [['otp', '--counter', '1', '--counter', '2', SECRET], '--counter may be given once'],
    [['otp', '--counter', '-1', SECRET], '--counter is a whole number from 0'],
    [['otp', '--period', '0', SECRET], '--period is a whole number of seconds'],
    [['otp', 'GEZ0'], 'character 4 is none of'],
    [['otp', 'GEZ'], 'was something cut off?'],
    [['key'], "sallyport key: which of key's commands?"],
    [['key', 'create', '--nope'], "Try 'sallyport key create --help'."],
  ])('%j is wrong usage: exit code 2, nothing on stdout, and where to read on', async (args, message) => {
    const { code, out, err } = await sallyport(...args);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toContain(message);
    expect(err).toMatch(/Try 'sallyport.* --help'\.$/);
  });

  test('help goes to stdout, lists the commands, and teaches with examples', async () => {
    const top = await sallyport('--help');
    expect(top.code).toBe(0);
    expect(top.out).toContain('sallyport otp <secret>  Print the current code');
    expect(top.out).toContain('Exit codes: 0 done, 1 failed, 2 wrong usage');
    const otp = await sallyport('otp', '--help');
    expect(otp.out).toContain('Examples:');
    expect(otp.err).toBe('');
  });

  test('the version is the package’s', async () => {
    expect((await sallyport('version')).out).toMatch(/^sallyport \d+\.\d+\.\d+/);
    expect(JSON.parse((await sallyport('version', '--json')).out)).toMatchObject({ node: process.versions.node });
  });
});

describe('sallyport otp', () => {
  // RFC 4226 appendix D.
  test.each([
    [0, '755224'],
    [1, '287082'],
    [9, '520489'],
  ])('OTP-2: at counter %d prints %s and nothing else', async (counter, code) => {
    expect(await sallyport('otp', '--counter', String(counter), SECRET)).toEqual({ code: 0, out: code, err: '' });
  });

  test('without a counter it prints a TOTP code as long as was asked, for secrets in digits too', async () => {
    expect((await sallyport('otp', SECRET, '--digits', '8', '--algorithm', 'SHA512', '--period', '60')).out).toMatch(
      /^\d{8}$/,
    );
    expect((await sallyport('otp', '22222222')).out).toMatch(/^\d{6}$/);
  });
});
