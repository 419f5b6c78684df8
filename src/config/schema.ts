/**
 * The keys of sallyport.yaml, as docs and `config/sallyport.example.yaml` explain them. What the schema yields still has paths
 * as they were written, and optional sections; load-config.ts makes a finished Config of it.
 */
import { z } from 'zod';
import { parseDuration } from '../base/duration.js';
import { type Millis, millis } from '../base/units.js';
import { type ListenAddress, parseListenAddress } from './listen-address.js';

/** Bounds of what may be configured. */
export const CONFIG_LIMITS = {
  rejectDelay: millis(5_000), // a NAS gives up after 3 to 5 s; a refusal must leave before that
  addresses: 32, // per door: every address of a machine with many; each is a socket
  pathLength: 4096, // PATH_MAX on Linux
} as const;

const path = z.string().min(1).max(CONFIG_LIMITS.pathLength);

const duration = (most?: { readonly span: Millis; readonly text: string }) =>
  z.string().transform((text, context): Millis => {
    const span = parseDuration(text);
    if (span !== null && (most === undefined || span <= most.span)) return span;
    const message =
      span === null
        ? `${JSON.stringify(text)} is not a duration; write it like 500ms, 30s, 15m, 12h or 30d`
        : `is more than ${most?.text}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

const listenAddress = z.string().transform((text, context): ListenAddress => {
  const parsed = parseListenAddress(text);
  if (parsed.ok) return parsed.address;
  context.addIssue({ code: 'custom', message: parsed.message });
  return z.NEVER;
});

const listenAddresses = z.array(listenAddress).max(CONFIG_LIMITS.addresses);
const rejectDelay = duration({ span: CONFIG_LIMITS.rejectDelay, text: '5s, when a NAS has given up' }).prefault(
  '250ms',
);
const certificate = z.strictObject({ cert: path, key: path });
const certificateWithCa = z.strictObject({ cert: path, key: path, ca: path.optional() });

/** A section of the contract that this release cannot honour: refused, since ignoring it would be a surprise later. */
const notSupportedYet = (what: string) =>
  z
    .unknown()
    .refine(() => false, { error: `${what} not supported yet; remove this key` })
    .optional();

const database = z.discriminatedUnion('client', [
  z.strictObject({
    client: z.literal('sqlite3'),
    connection: z.strictObject({ filename: path }),
  }),
  z.strictObject({
    client: z.literal('pg'),
    connection: z
      .string()
      .regex(/^postgres(ql)?:\/\/./, { error: 'is not a connection URL like postgres://user@host/database' }),
  }),
]);

/** RFC 4514 in outline, enough to catch a slip; ldap/ reads it in full. */
const distinguishedName = z.string().regex(/^\s*[A-Za-z0-9.-]+\s*=[^,=]+(,\s*[A-Za-z0-9.-]+\s*=[^,=]+)*$/, {
  error: 'is not a DN like dc=example,dc=org',
});

const publicUrl = z.url({ protocol: /^https?$/, error: 'is not a URL like https://mfa.example.org' });

/** The whole file. */
export const configSchema = z.strictObject({
  database,
  masterKeyFile: path.optional(),
  radius: z
    .strictObject({
      listen: listenAddresses.prefault(['0.0.0.0:1812']),
      accounting: listenAddresses.prefault(['0.0.0.0:1813']),
      rejectDelay,
      eap: z.strictObject({ tls: certificateWithCa.optional() }).prefault({}),
      radsec: notSupportedYet('RadSec is'),
    })
    .prefault({}),
  ldap: z
    .strictObject({
      listen: listenAddresses.prefault(['0.0.0.0:389']),
      ldaps: listenAddresses.prefault([]),
      tls: certificate.optional(),
      requireTls: z.boolean().default(false),
      baseDn: distinguishedName.default('dc=example,dc=org'),
      rejectDelay,
    })
    .prefault({}),
  http: z
    .strictObject({
      listen: listenAddress.prefault('127.0.0.1:8080'),
      tls: certificate.optional(),
      publicUrl: publicUrl.optional(),
    })
    .prefault({}),
  mail: notSupportedYet('mail is'),
  upstreams: notSupportedYet('upstreams are'),
  events: z
    .strictObject({
      retention: notSupportedYet('retention is'),
      syslog: notSupportedYet('syslog is'),
      unknownLogins: z.enum(['shortened', 'full']).default('shortened'),
    })
    .prefault({}),
  log: z
    .strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info') })
    .prefault({}),
});

/** What the schema yields. */
export type ConfigFile = z.output<typeof configSchema>;
