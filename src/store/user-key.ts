/**
 * A user's number in indexes of the event log: 52 bits of the id's random part. It is computed from the id alone, so the
 * events of a deleted user are still found; two users may share it, so whoever reads also compares the id.
 */
const RANDOM_HEX_DIGITS = 13;

/** The key of the user with this UUID: an integer below 2^52, exact in JSON and in a number. */
export function userKey(userId: string): number {
  return Number.parseInt(userId.replaceAll('-', '').slice(-RANDOM_HEX_DIGITS), 16);
}
