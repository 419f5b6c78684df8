/** What one stranger may cost a decision. A limit without a reason is a guess. */
export const LIMITS = {
  /** Requests that wait for one user. More than anyone's devices send at once, a NAS gone wild included; a guesser gets "unavailable" and no event. */
  waitingPerUser: 64,
  /** Times that one decision is made on cached records, then fresh ones, or for a name that changed hands, before it gives up. */
  rounds: 8,
  /** Keyed hashes of wrong credentials kept per counter: a VPN client that retries alternates between one or two. */
  recentWrong: 5,
  /** Failures over all sources, as a multiple of the policy's: strangers must be many before they lock her out (product.md). */
  overallFactor: 10,
  /** Time zones whose formatter is kept (about 50 KiB each): more than policies of one installation name. */
  timeZones: 64,
  /** product.md: a login has 1 to 255 characters. */
  loginCharacters: 255,
  /** Characters shown of a login that names nobody: enough to recognise a typing error, too few of a password. */
  unknownLoginShown: 2,
} as const;
