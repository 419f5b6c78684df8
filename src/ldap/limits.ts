/** What one stranger may cost us. A limit without a reason is a guess. */
import { millis } from '../base/units.js';

const KIB = 1024;

export const LIMITS = {
  bytesBeforeBind: 256 * KIB, // a bind is under 1 KiB; OpenLDAP's default for anonymous sessions is 262,143
  bytesAfterBind: 1024 * KIB, // a search with 1,000 filter nodes fits; OpenLDAP allows 4 MiB, and we take no writes
  filterDepth: 32, // RFC 4515 sets none; this one is ours, so that parsing has a bound
  filterNodes: 1000, // the largest that applications send (Nextcloud, Jenkins) have some dozen
  operationsWaiting: 16, // clients pipeline two or three; behind a bind nothing runs, so more would only be memory
  connections: 4096, // of all peers; each costs some 10 KiB
  connectionsPerPeer: 512, // pools of one application host stay well below; one host cannot take all places
  bindsInFlight: 4096, // as many as connections: a connection has one at a time
  firstMessageWithin: millis(30_000), // sent at once by every client; Jenkins gives up after 30 s itself
  idle: millis(600_000), // pools keep connections open between requests; nslcd and sssd reconnect by themselves
  messageWithin: millis(10_000), // 1 MiB in 10 s is 0.8 Mbit/s
  handshakeWithin: millis(10_000), // three round trips
  unreadAnswersFor: millis(30_000), // a client that does not read its answers for so long is gone (LDAP-56)
  lingerFor: millis(2_000), // after the last answer: time for it to arrive before the socket is destroyed
  sweepEvery: millis(1_000), // how late a time-out may be noticed
  doorEventsPerMinute: 60, // events from one peer that no decision stands behind; a flood must not become a log
} as const;
