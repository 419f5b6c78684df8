/** Passwords on their way into a record. Hashing takes tens of milliseconds, so it is done before the transaction begins. */

/** argon2id, by whoever holds its queue; the store itself hashes nothing. */
export interface Passwords {
  /** A PHC string. */
  hash(password: string): Promise<string>;
  verify(hash: string, password: string): Promise<boolean>;
}

/** What a body or file says of a password. */
export interface PasswordFields {
  readonly password?: string | null | undefined;
  readonly passwordHash?: string | null | undefined;
}

/** The hash that a record shall have: undefined leaves it alone, null takes it away, and one that fits already is kept. */
export async function wantedHash(
  passwords: Passwords,
  fields: PasswordFields,
  present: string | null,
): Promise<string | null | undefined> {
  const { password, passwordHash } = fields;
  if (typeof passwordHash === 'string') return passwordHash;
  if (typeof password === 'string') {
    if (present !== null && (await passwords.verify(present, password))) return present;
    return passwords.hash(password);
  }
  return password === null || passwordHash === null ? null : undefined;
}
