/** Object identifiers of protocol features that this server has, or knows and refuses. */
export const OID = {
  startTls: '1.3.6.1.4.1.1466.20037', // RFC 4511 §4.14
  whoAmI: '1.3.6.1.4.1.4203.1.11.3', // RFC 4532
  passwordModify: '1.3.6.1.4.1.4203.1.11.1', // RFC 3062; refused, nothing is written here
  allOperational: '1.3.6.1.4.1.4203.1.5.1', // RFC 3673: `+` in a selection
  absoluteFilters: '1.3.6.1.4.1.4203.1.5.3', // RFC 4526: `(&)` and `(|)`
} as const;
