/** `sallyport otp SECRET`: the code that an authenticator app would show now, for demos, scripts and tests. */
import type { Argv } from 'yargs';
import { seconds, systemClock } from '../base/units.js';
import { decodeBase32 } from '../otp/base32.js';
import { hotp } from '../otp/hotp.js';
import { DEFAULT_PERIOD, totp } from '../otp/totp.js';
import { command, EXIT, type ExitCode, type Io, wrongUsage } from './command.js';

export interface OtpOptions {
  /** Base32. */
  readonly secret: string;
  readonly digits: 6 | 7 | 8;
  /** Seconds. */
  readonly period: number;
  readonly algorithm: 'SHA1' | 'SHA256' | 'SHA512';
  /** HOTP at this counter; without it TOTP at this moment. */
  readonly counter: number | undefined;
}

/** Longer than a day is no one-time password any more, and most likely a unit mixed up. */
const PERIOD_MAX_SECONDS = 86_400;

const options = (yargs: Argv) =>
  yargs
    .positional('secret', { type: 'string', demandOption: true, describe: 'The secret in Base32' })
    .option('digits', { choices: [6, 7, 8] as const, default: 6 as const, describe: 'Length of the code' })
    .option('period', { type: 'number', default: Number(DEFAULT_PERIOD), describe: 'TOTP: seconds a code lasts' })
    .option('algorithm', {
      choices: ['SHA1', 'SHA256', 'SHA512'] as const,
      default: 'SHA1' as const,
      describe: 'Hash under the HMAC',
    })
    .option('counter', { type: 'number', describe: 'HOTP at this counter, instead of TOTP at this moment' });

export async function run(options: OtpOptions, io: Io): Promise<ExitCode> {
  const decoded = decodeBase32(options.secret);
  switch (decoded.kind) {
    case 'octets':
      break;
    case 'empty':
      return wrongUsage(io, 'otp', 'the secret is empty');
    case 'character':
      return wrongUsage(io, 'otp', `the secret is not Base32: character ${decoded.at + 1} is none of A–Z and 2–7`);
    default:
      return wrongUsage(io, 'otp', 'the secret is not Base32: its length fits no octets; was something cut off?');
  }
  const { algorithm, digits, counter, period } = options;
  if (counter !== undefined) {
    if (!Number.isSafeInteger(counter) || counter < 0)
      return wrongUsage(io, 'otp', '--counter is a whole number from 0');
    io.out(hotp(algorithm, decoded.octets, digits, counter));
    return EXIT.done;
  }
  if (!Number.isInteger(period) || period < 1 || period > PERIOD_MAX_SECONDS) {
    return wrongUsage(io, 'otp', `--period is a whole number of seconds from 1 to ${PERIOD_MAX_SECONDS}`);
  }
  io.out(totp(algorithm, decoded.octets, digits, systemClock(), seconds(period)));
  return EXIT.done;
}

export const otpCommand = command({
  usage: 'otp <secret>',
  summary: 'Print the current code for a Base32 secret',
  options,
  examples: [
    ['otp GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', 'what an authenticator app shows now'],
    ['otp --counter 7 GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', 'what a hardware token shows at its eighth press'],
  ],
  notes: 'Only the code is printed. The secret is visible in the list of processes: use this for demos and tests.',
  run,
});
