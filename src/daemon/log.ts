/** The operator's log: readable on a terminal, JSON lines elsewhere. Secrets are opaque by type (base/secret.ts) and redacted by name. */
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

/** Names under which a secret might be logged by mistake. */
const REDACTED = [
  'password',
  'secret',
  'credential',
  'authorization',
  'key',
  '*.password',
  '*.secret',
  '*.credential',
  '*.authorization',
  '*.key',
];

/** A log to standard output at `level`; pretty where that is a terminal. */
export function makeLog(level: string): Logger {
  const options = { level, base: null, redact: { paths: REDACTED, censor: '[secret]' } };
  if (!process.stdout.isTTY) return pino({ ...options, timestamp: pino.stdTimeFunctions.isoTime });
  return pino(options, pretty({ colorize: true, translateTime: 'HH:MM:ss', ignore: 'pid,hostname', sync: true }));
}
