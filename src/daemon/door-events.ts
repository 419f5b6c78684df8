/** What the doors tell beside decisions, as events of the log and lines for the operator. */
import type { Logger } from 'pino';
import type { DoorEvent as LdapDoorEvent } from '../ldap/door-event.js';
import type { AccountingRecord } from '../radius/accounting.js';
import type { DoorEvent as RadiusDoorEvent } from '../radius/door-event.js';
import type { EventAppender } from '../store/event-appender.js';

/** What to look at, by reason: the likely cause, for who reads the log at three in the morning. */
const LIKELY: Readonly<Record<string, string>> = {
  unknown_client: 'no RADIUS client or LDAP application has this address; add it, or it is not yours',
  bad_authenticator: 'the shared secret differs, or Message-Authenticator is required and missing',
  malformed: 'not what the protocol allows',
  method_not_allowed:
    'it asks in a way that is not taken here; PAP works everywhere over RADIUS, a simple bind over LDAP',
};

/** A sink for a door's events: one event each (the doors limit how many), one line each. */
export function doorEventSink(
  door: 'radius' | 'ldap',
  appender: EventAppender,
  log: Logger,
): (event: RadiusDoorEvent | LdapDoorEvent) => void {
  return (event) => {
    const { reason, detail, peer, client } = event;
    log.warn({ door, reason, detail, address: peer, client }, `${reason}: ${LIKELY[reason] ?? 'refused at the door'}`);
    const more: Record<string, string | number> = {};
    if (detail !== null) more['detail'] = detail;
    if ('suppressed' in event && event.suppressed > 0) more['suppressed'] = event.suppressed;
    if ('station' in event && event.station !== null) more['station'] = event.station;
    void appender.append({
      time: event.receivedAt,
      kind: 'door',
      outcome: 'refused',
      reason,
      login: event.login,
      client,
      door,
      source: 'source' in event ? (event.source ?? peer) : peer,
      method: event.method,
      detail: Object.keys(more).length === 0 ? null : more,
    });
  };
}

/** Lines of accounting kept to know one that comes again with another Acct-Delay-Time (RFC 2866 §5.2). */
const REMEMBERED_LINES = 8_192;

/** Stores accounting: one event a line, once. Resolves `stored` only when it is on disk, for it is answered then. */
export function accountingSink(
  appender: EventAppender,
): (record: AccountingRecord) => Promise<'stored' | 'unavailable'> {
  const seen = new Map<string, Promise<boolean>>();
  return async (record) => {
    const {
      duplicateKey,
      receivedAt,
      client,
      login,
      source,
      peer,
      status,
      clientId: _clientId,
      resourceId: _resourceId,
      ...session
    } = record;
    let stored = seen.get(duplicateKey);
    if (stored === undefined) {
      stored = appender.append({
        time: receivedAt,
        kind: 'accounting',
        outcome: null,
        reason: null,
        login,
        client,
        door: 'radius',
        source: source ?? peer,
        method: status,
        detail: session,
      });
      seen.set(duplicateKey, stored);
      const oldest = seen.size > REMEMBERED_LINES ? seen.keys().next().value : undefined;
      if (oldest !== undefined) seen.delete(oldest);
    }
    if (await stored) return 'stored';
    seen.delete(duplicateKey);
    return 'unavailable';
  };
}
