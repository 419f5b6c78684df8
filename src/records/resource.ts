/** Resources: what is entered, and the policy for entering it. */
import { z } from 'zod';
import { tokenType } from './token.js';
import { duration, LIMITS, list, name, network, recordHead, text, timeZone } from './values.js';

export const CREDENTIAL_FORMS = ['otp', 'password+otp', 'otp+password', 'challenge'] as const;
export const METHODS = [
  'pap',
  'chap',
  'mschapv1',
  'mschapv2',
  'eap-gtc',
  'eap-mschapv2',
  'eap-ttls',
  'eap-peap',
  'eap-tls',
] as const;
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const itself = (value: string): string => value;
const minute = (end: boolean) =>
  text(5, (value) =>
    /^([01]\d|2[0-3]):[0-5]\d$/.test(value) || (end && value === '24:00')
      ? null
      : `must be a time of day ("08:00"${end ? ', up to "24:00"' : ''})`,
  );

const lockout = z.strictObject({
  failures: z.int('must be a whole number').min(1, 'at least 1').max(1_000, 'at most 1000').nullish(),
  window: duration(1_000, 30 * 86_400_000, 'from 1s to 30d').nullish(),
  duration: duration(1_000, 365 * 86_400_000, 'from 1s to 365d').nullish(),
});

const accessHours = z.strictObject({
  days: list(z.enum(DAYS), 7, itself).min(1, 'names no day'),
  from: minute(false),
  to: minute(true),
  timeZone,
});

const replyValue = z.union([
  text(LIMITS.replyValueOctets, (value) =>
    Buffer.byteLength(value, 'utf8') > LIMITS.replyValueOctets
      ? `at most ${LIMITS.replyValueOctets} octets in UTF-8`
      : null,
  ),
  z
    .int('must be a whole number')
    .min(-(2 ** 31), 'below −2^31')
    .max(2 ** 32 - 1, 'above 2^32 − 1'),
]);
const replyAttributes = z
  .record(
    text(128, (value) => (/^[A-Za-z0-9][A-Za-z0-9._/-]*$/.test(value) ? null : 'is not an attribute name')),
    z.union([replyValue, z.array(replyValue).max(LIMITS.replyValues, `at most ${LIMITS.replyValues} values`)]),
  )
  .superRefine((attributes, context) => {
    if (Object.keys(attributes).length > LIMITS.replyAttributes)
      context.addIssue({ code: 'custom', message: `at most ${LIMITS.replyAttributes} attributes` });
  });

/** The longest grace: longer would let a code be used again long after it was shown. */
const grace = duration(0, 3_600_000, 'at most 1h');

const fields = {
  /** `none`, `local` or the name of an upstream. */
  firstFactor: name.nullish(),
  credentialForms: list(z.enum(CREDENTIAL_FORMS), CREDENTIAL_FORMS.length, itself).min(1, 'names no form').nullish(),
  separator: text(8).nullish(),
  methods: list(z.enum(METHODS), METHODS.length, itself).nullish(),
  lockout: lockout.nullish(),
  sourceNetworks: list(network, LIMITS.networks, itself).nullish(),
  accessHours: z.array(accessHours).max(LIMITS.accessHours, `at most ${LIMITS.accessHours} entries`).nullish(),
  tokenTypes: list(tokenType, 8, itself).nullish(),
  replyAttributes: replyAttributes.nullish(),
  rebindGrace: grace.nullish(),
  reconnectGrace: grace.nullish(),
  active: z.boolean().nullish(),
};

/** `POST /resources`, and `resources` of a records file. */
export const resourceCreate = z.strictObject({ name, ...fields });
export type ResourceCreate = z.output<typeof resourceCreate>;
export const resourcePatch = z.strictObject({ name: name.optional(), ...fields });
export type ResourcePatch = z.output<typeof resourcePatch>;

/** A resource as the API shows it: what holds, defaults filled in. Durations are text. */
export const resourceRecord = z.object({
  ...recordHead,
  name: z.string(),
  firstFactor: z.string(),
  credentialForms: z.array(z.enum(CREDENTIAL_FORMS)),
  separator: z.string(),
  methods: z.array(z.enum(METHODS)),
  lockout: z.object({ failures: z.number(), window: z.string(), duration: z.string() }),
  sourceNetworks: z.array(z.string()),
  accessHours: z.array(
    z.object({ days: z.array(z.enum(DAYS)), from: z.string(), to: z.string(), timeZone: z.string() }),
  ),
  tokenTypes: z.array(tokenType),
  replyAttributes: z.record(z.string(), z.union([z.string(), z.number(), z.array(z.union([z.string(), z.number()]))])),
  rebindGrace: z.string(),
  reconnectGrace: z.string(),
  active: z.boolean(),
});
export type ResourceRecord = z.output<typeof resourceRecord>;
