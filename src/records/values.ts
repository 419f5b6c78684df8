/** The values that record fields hold, each with its rule and its limit. None of them rewrites what it is given. */
import { z } from 'zod';
import { parseDuration } from '../base/duration.js';
import { decodeBase32, secretStrength } from '../otp/base32.js';
import { canonicalNetwork } from './network.js';

/** What one record may cost to keep, show and search. */
export const LIMITS = {
  login: 255, // product.md
  name: 128, // fits a table column; FreeRADIUS and NAS names are far shorter
  displayName: 200,
  email: 254, // RFC 5321 §4.5.3.1.3, less the angle brackets
  phone: 32, // E.164 has 15 digits; the rest is spacing
  passwordOctets: 1_024, // argon2 would take 4 GiB; nobody types more
  passwordHash: 512, // a PHC string of 16 octets of salt and 32 of hash has 97 characters
  sharedSecretOctets: 128, // RFC 2865 §3 sets none; NAS user interfaces end at 128 or below
  serial: 64,
  tokenSecret: 256, // 512 bit are 103 characters; the rest is spacing
  domain: 255,
  dn: 1_024,
  aliases: 50,
  tokensOfUser: 50, // each is tried at every sign-in
  groupsOfUser: 500,
  resourcesOfUser: 500,
  resourcesOfGroup: 500,
  networks: 100,
  accessHours: 50,
  replyAttributes: 64,
  replyValues: 32, // of one attribute
  replyValueOctets: 253, // RFC 2865 §5
  domains: 50,
  serviceAccounts: 20,
} as const;

/** What is wrong with a text, in words, or null. */
export type Rule = (value: string) => string | null;

/** A rule with a length; control characters and lone surrogates are always wrong. */
const rule =
  (max: number, wrong: Rule = () => null): Rule =>
  (value) =>
    value.length > max ? `at most ${max} characters` : (wrong(value) ?? plainText(value));

/** A string schema from a rule; `max` is shown in the API's description. */
export const text = (max: number, wrong: Rule = () => null) => schemaOf(max, rule(max, wrong));

const schemaOf = (max: number, wrong: Rule) =>
  z
    .string()
    .max(max, `at most ${max} characters`)
    .superRefine((value, context) => {
      const message = value.length > max ? null : wrong(value);
      if (message !== null) context.addIssue({ code: 'custom', message });
    });

const LOGIN_CHARACTER = /[A-Za-z0-9_\-@~!#%+.$]/;
const CONTROL = /[\p{Cc}\u2028\u2029\p{Cs}]/u;
const LOGIN = /^[A-Za-z0-9_\-@~!#%+.$]+$/;
const UUID_LENGTH = 36;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a reference is an id rather than a name; names of this form are refused, so there is no doubt. */
export const isId = (reference: string): boolean => UUID.test(reference);

/** What is wrong with `value` as a login or alias, or null. The message names the first character that may not be there. */
export function loginFault(value: string): string | null {
  if (value === '') return 'must not be empty';
  if (value.length > LIMITS.login) return `at most ${LIMITS.login} characters`;
  if (LOGIN.test(value) && value.length < UUID_LENGTH) return null;
  const bad = [...value].find((character) => !LOGIN_CHARACTER.test(character));
  if (bad === undefined) return isId(value) ? 'has the form of an id' : null;
  const shown = /\s|\p{C}/u.test(bad)
    ? `U+${(bad.codePointAt(0) ?? 0).toString(16).padStart(4, '0').toUpperCase()}`
    : bad;
  return `must not contain ${shown}: Latin letters, digits and _ - @ ~ ! # % + . $ are allowed`;
}

function nameFault(value: string): string | null {
  if (value === '') return 'must not be empty';
  if (value.trim() !== value) return 'must not begin or end with a space';
  if (CONTROL.test(value)) return 'must not contain control characters';
  return isId(value) ? 'has the form of an id' : null;
}

/** The key by which names are found and unique, without regard to case. */
export const nameKey = (name: string): string => name.toLowerCase();

const octets = (value: string): number => Buffer.byteLength(value, 'utf8');
const plainText = (value: string): string | null =>
  CONTROL.test(value) ? 'must not contain control characters' : null;

export const login = text(LIMITS.login, loginFault).meta({
  description: 'Unique over all logins and aliases, whatever the case',
});
export const name = text(LIMITS.name, nameFault);
/** A record named by its name (a user: login or alias) or id. */
export const reference = text(LIMITS.login, (value) => (value === '' ? 'must not be empty' : plainText(value)));
const displayNameRule = rule(LIMITS.displayName, (value) => (value === '' ? 'must not be empty' : plainText(value)));
const emailRule = rule(LIMITS.email, (value) =>
  /^[^\s@\p{C}]+@[^\s@\p{C}]+$/u.test(value) ? null : 'is not a mail address',
);
const phoneRule = rule(LIMITS.phone, (value) =>
  /^\+?[0-9][0-9 ()./-]*$/.test(value) ? null : 'is not a telephone number: digits, spaces and + ( ) . / -',
);
const passwordRule = rule(LIMITS.passwordOctets, (value) => {
  if (value === '') return 'must not be empty';
  if (octets(value) > LIMITS.passwordOctets) return `at most ${LIMITS.passwordOctets} octets in UTF-8`;
  return plainText(value);
});
/** What a brought hash may ask of us at each sign-in; first-factor/password.ts holds to the same bounds. */
export const passwordHash = text(LIMITS.passwordHash, (value) => {
  const match = /^\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,5}),p=(\d)\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$/.exec(
    value,
  );
  if (match === null) return 'is not an argon2id hash in PHC form ($argon2id$v=19$m=…,t=…,p=…$salt$hash)';
  const [memory, passes, lanes] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const bearable =
    lanes >= 1 && lanes <= 4 && passes >= 1 && memory >= 8 * lanes && memory <= 131_072 && memory * passes <= 524_288;
  return bearable ? null : 'asks for more than 128 MiB, 4 lanes or 512 Ki of memory times passes, or for nothing';
});
export const sharedSecret = text(LIMITS.sharedSecretOctets, (value) => {
  if (value === '') return 'must not be empty';
  return octets(value) > LIMITS.sharedSecretOctets
    ? `at most ${LIMITS.sharedSecretOctets} octets in UTF-8`
    : plainText(value);
});
const serialRule = rule(LIMITS.serial, (value) =>
  /^[\x21-\x7e]+$/.test(value) ? null : 'must be printable ASCII without spaces, and not empty',
);
const tokenSecretRule = rule(LIMITS.tokenSecret, (value) => {
  const decoded = decodeBase32(value);
  switch (decoded.kind) {
    case 'empty':
      return 'must not be empty';
    case 'character':
      return `is not Base32: ${JSON.stringify(decoded.character)} at character ${decoded.at + 1}; A–Z and 2–7 are allowed`;
    case 'length':
      return 'is not Base32: the length does not fit; a character may be missing';
    case 'octets': {
      const strength = secretStrength(decoded.octets.length);
      if (strength === 'tooShort') return `has ${decoded.octets.length * 8} bit; at least 80 are needed`;
      return strength === 'tooLong' ? 'has more than 512 bit' : null;
    }
  }
});
export const displayName = schemaOf(LIMITS.displayName, displayNameRule);
export const email = schemaOf(LIMITS.email, emailRule);
export const phone = schemaOf(LIMITS.phone, phoneRule);
export const password = schemaOf(LIMITS.passwordOctets, passwordRule);
export const serial = schemaOf(LIMITS.serial, serialRule);
export const tokenSecret = schemaOf(LIMITS.tokenSecret, tokenSecretRule);

/** Rules by themselves, for whoever checks a million values and has no use for a schema. */
export const RULES = {
  login: loginFault,
  displayName: displayNameRule,
  email: emailRule,
  phone: phoneRule,
  password: passwordRule,
  serial: serialRule,
  tokenSecret: tokenSecretRule,
} as const;

export const network = text(64, (value) =>
  canonicalNetwork(value) === null ? 'is not an address or network (192.0.2.0/24, 2001:db8::/32, 192.0.2.7)' : null,
);
export const domain = text(LIMITS.domain, (value) =>
  /^[^\s\\@\p{C}]+$/u.test(value) ? null : 'must be a domain name without spaces, \\ or @',
);
const DN_VALUE = String.raw`(?:[^,+"\\<>;\u0000]|\\.)*`;
const DN_PART = String.raw`\s*(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)\s*=${DN_VALUE}`;
const DN = new RegExp(String.raw`^${DN_PART}(?:\+${DN_PART})*(?:,${DN_PART}(?:\+${DN_PART})*)*$`, 'u');
/** RFC 4514, loosely: the LDAP door parses it to the letter. */
export const dn = text(LIMITS.dn, (value) =>
  DN.test(value) ? null : 'is not a distinguished name (dc=example,dc=org)',
);

/** Milliseconds from `min` to `max`, as text; `bounds` says the same in words. */
export const duration = (min: number, max: number, bounds: string) =>
  text(16, (value) => {
    const span = parseDuration(value);
    if (span === null) return 'is not a duration (500ms, 30s, 15m, 12h, 30d)';
    return span < min || span > max ? `must be ${bounds}` : null;
  });

const zones = new Map<string, boolean>();
/** Known to this Node's copy of the IANA database. */
export const timeZone = text(64, (value) => {
  let known = zones.get(value);
  if (known === undefined) {
    known = isTimeZone(value);
    if (zones.size < 1_000) zones.set(value, known);
  }
  return known ? null : 'is not an IANA time zone (Europe/Berlin)';
});

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false; // Intl has no other way to say that it does not know a zone.
  }
}

/** A list without the same entry twice, compared by `key`. */
export const list = <T extends z.ZodType>(item: T, max: number, key: (value: z.output<T>, index: number) => string) =>
  z
    .array(item)
    .max(max, `at most ${max} entries`)
    .superRefine((values, context) => {
      const seen = new Set<string>();
      values.forEach((value, i) => {
        const known = key(value, i);
        if (seen.has(known)) context.addIssue({ code: 'custom', path: [i], message: 'is there twice' });
        seen.add(known);
      });
    });

/** The names of other records. */
export const references = (max: number) => list(reference, max, nameKey);

export const id = z.string().meta({ description: 'UUIDv7' });
export const time = z.iso.datetime();

/** What every record shows beside its own fields. */
export const recordHead = {
  id,
  createdAt: time,
  updatedAt: time,
  revision: z.number().int().meta({ description: 'Raised by each change; the ETag' }),
} as const;
