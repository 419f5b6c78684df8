/**
 * A user's number in indexes of the event log: 52 bits of the id's random part. It is computed from the id alone, so the
 * events of a deleted user are still found; two users may share it, so whoever reads also compares the id.
 */

/** The key of the user with this UUID (text with dashes): an integer below 2^52, exact in JSON and in a number. */
export function userKey(userId: string): number {
  // The last 13 of 32 hex digits: one before the last dash, twelve after it.
  return Number.parseInt(userId.charAt(22) + userId.slice(24), 16);
}
