/** What one stranger may cost the HTTP door. A limit without a reason is a guess. */
export const HTTP_LIMITS = {
  bodyOctets: 1024 * 1024, // the largest body is a resource with its reply attributes, a few KiB; Fastify's own default
  bodyDepth: 32, // a record is 4 levels deep; a bound for whoever walks a body recursively
  headerOctets: 16 * 1024, // Node's own default; a request of ours is below 1 KiB
  paramOctets: 1024, // a login has up to 255 characters, and each may be percent-encoded
  headersMillis: 10_000, // a client that takes longer to send its headers is not sending them
  requestMillis: 30_000, // headers and body; 1 MiB in 30 s is a slow mobile link
  idleMillis: 65_000, // above the 60 s for which load balancers keep idle connections, so that they close first
  socketMillis: 120_000, // a socket on which nothing moved for so long has no client any more
  connections: 1024, // open sockets; what a service manager usually grants in descriptors
  inFlight: 256, // requests that are worked on; each holds at most one body
  inFlightPerPeer: 192, // one host alone does not shut out the others
  backlog: 511, // Node's own default
} as const;

/** How long a caller is told to wait where the server is at its bound or its database away. Unit: seconds. */
export const RETRY_AFTER_SECONDS = 1;

/** API keys that were good a moment ago, so that a busy caller costs no query for each request. */
export const KEY_CACHE = {
  entries: 1000, // more keys than this in use at once are a flood
  millis: 5_000, // the change feed empties it sooner; this is for a feed that has stopped
} as const;

/** Resources that sign-ins named a moment ago. */
export const NAME_CACHE = { entries: 1000, millis: 5_000 } as const;

/** Wrong keys by peer: a script with a mistyped key has a few tries; a guesser has no chance, this spares the database. */
export const WRONG_KEY_BUDGET = { burst: 20, perMinute: 20, peers: 10_000 } as const;

/** Refused sign-ins by key and login: far above the lockout's ten, below what would fill the log by guessing. */
export const REFUSAL_BUDGET = { burst: 100, perMinute: 60, peers: 50_000 } as const;
