/** Passwords at rest: argon2id (RFC 9106) as PHC strings, `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`. */
import { randomBytes } from 'node:crypto';
import { hash, parseOptions, verify } from '@node-rs/argon2';
import { type HashingQueue, processHashingQueue } from './hashing-queue.js';

/** OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane. Memory in KiB. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 } as const;
const SALT_OCTETS = 16;

/** What a hash that was brought (file, import) may ask of us: each sign-in pays for it. */
export const HASH_LIMITS = {
  characters: 512, // a PHC string of the sizes below has at most 300
  memoryCost: 131_072, // 128 MiB; two at a time are 256 MiB
  cost: 524_288, // memory times passes: 13 times our own, about a third of a second
  parallelism: 4,
  saltOctets: { least: 8, most: 64 }, // RFC 9106 §3.1 asks for 8
  outputOctets: { least: 16, most: 64 }, // 128 bit at least
} as const;

/** An argon2id hash of `password`; null where too many sign-ins wait (answer "busy"). */
export async function tryHashPassword(
  password: string,
  queue: HashingQueue = processHashingQueue,
): Promise<string | null> {
  return queue.run(() => hash(normalised(password), PARAMETERS));
}

/** An argon2id hash of `password`, outside the queue: for commands and imports, where nobody waits for an answer. */
export async function hashPassword(password: string): Promise<string> {
  return hash(normalised(password), PARAMETERS);
}

/**
 * Whether `password` is what `passwordHash` was made of; null where too many wait. Without a hash it takes as long, and is false.
 */
export async function verifyPassword(
  passwordHash: string | null,
  password: string,
  queue: HashingQueue = processHashingQueue,
): Promise<boolean | null> {
  const known = passwordHash !== null && isAcceptableHash(passwordHash);
  const matches = await queue.run(() => verify(known ? passwordHash : NOBODYS_HASH, normalised(password)));
  return matches === null ? null : known && matches;
}

/** True for an argon2id PHC string, version 19, whose parameters are within HASH_LIMITS. */
export function isAcceptableHash(phc: string): boolean {
  if (phc.length > HASH_LIMITS.characters || !phc.startsWith('$argon2id$v=19$')) return false;
  try {
    const { memoryCost, timeCost, parallelism, saltLen, outputLen } = parseOptions(phc);
    return (
      memoryCost <= HASH_LIMITS.memoryCost &&
      memoryCost * timeCost <= HASH_LIMITS.cost &&
      memoryCost >= 8 * parallelism && // RFC 9106 §3.1
      parallelism <= HASH_LIMITS.parallelism &&
      saltLen >= HASH_LIMITS.saltOctets.least &&
      saltLen <= HASH_LIMITS.saltOctets.most &&
      outputLen >= HASH_LIMITS.outputOctets.least &&
      outputLen <= HASH_LIMITS.outputOctets.most
    );
  } catch {
    // parseOptions throws for whatever is no PHC string of argon2's, and for nothing else.
    return false;
  }
}

/** A hash that no password is known for, with our parameters: random octets in place of salt and output. */
const NOBODYS_HASH = nobodysHash();

function nobodysHash(): string {
  const part = (octets: number) => randomBytes(octets).toString('base64').replace(/=+$/, '');
  const { memoryCost, timeCost, parallelism, outputLen } = PARAMETERS;
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${part(SALT_OCTETS)}$${part(outputLen)}`;
}

/** RFC 8265 §4.2 (OpaqueString): the same password from a keyboard that composes accents and from one that does not. */
function normalised(password: string): string {
  return password.normalize('NFC');
}
