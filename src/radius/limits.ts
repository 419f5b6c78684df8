/** What one stranger, and one NAS, may cost the RADIUS door. A limit without a reason is a guess. */
export const LIMITS = {
  /** RFC 2865 §3. */
  packetOctets: 4096,
  headerOctets: 20,
  /** RFC 2865 §5: the length octet counts type and length too. */
  attributeOctets: 253,
  /** All reply attributes of a resource: what a packet holds, less header, Message-Authenticator and one full Proxy-State. */
  replyAttributesOctets: 4096 - 20 - 18 - 255,
  /** RFC 2865 §5.2: User-Password is 16 to 128 octets. */
  passwordOctets: 128,
  /** Requests whose decision is under way: a quarter of a second's work at full load; more would only wait longer than the NAS. */
  inFlight: 4096,
  /** One source may hold this share of them, so that one NAS gone mad leaves room for the others. */
  inFlightShare: 1 / 2,
  /** Rejects that wait for their moment: 0.25 s of rejects at 60,000 a second, some 5 MB. */
  delayedRejects: 16_384,
  /** RFC 5080 §2.2.2 asks for 5 to 30 s. */
  duplicateMillis: 30_000,
  /**
   * Requests with different keys. A key is one of 256 Identifiers of a port, and a NAS uses it again as soon as it has its answer:
   * sixty-four ports that work at full load have 16,384, which live their 30 s. A flood of 40,000 a second, each with a key of its
   * own, leaves them 3.3 s, in which a NAS comes again at least once. In all 26 MB, of which only what is used becomes real.
   */
  duplicateEntries: 131_072,
  /** A reply that fits is kept in a slot made beforehand. Header, signature and some attributes have 60 to 100 octets. */
  duplicateSlotOctets: 128,
  /** Authenticators and replies. This is reached only where replies are large, which are kept beside the slots. */
  duplicateOctets: 16 * 1024 * 1024,
  /** Source addresses whose client is remembered; a spoofer who fills it costs a scan of the networks a packet. */
  knownSources: 8192,
  /** Asked of the kernel (which caps it at its own limit): some 8,000 requests while the process is busy. */
  receiveBufferOctets: 4 * 1024 * 1024,
  /** Door events about one client, address and name: one in so long (RAD-41). */
  eventMillis: 60_000,
  /** Different ones within that time, so that a spoofer cannot fill the event log. */
  eventKeys: 1024,
  /** How often local addresses are looked at again where a wildcard is listened on: a floating address must answer soon. */
  addressScanMillis: 5_000,
} as const;
