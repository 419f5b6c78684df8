/**
 * What becomes of a datagram, in this order (protocol.md §7):
 *
 *   unknown source           → nothing           known, but no packet          → nothing
 *   code not for this port   → nothing           not authentic                 → nothing
 *   answered lately          → the same octets   being decided                 → nothing
 *   no place left            → nothing           refused at the door           → Access-Reject, delayed
 *   asked: accepted          → Access-Accept     refused → Access-Reject, delayed     unavailable → nothing
 *
 * Nothing that a packet holds may throw out of here; what does is a bug, counted, and answered like a store that is down.
 */
import type { RemoteInfo } from 'node:dgram';
import type { Decision } from '../access/request.js';
import type { Instant } from '../base/units.js';
import { unreachable } from '../base/unreachable.js';
import { readAccessRequest } from './access-request.js';
import { readAccounting } from './accounting.js';
import { type Authentic, checkAccessRequest, checkAccountingRequest, type NotAuthentic } from './authenticator.js';
import type { KnownClient, RadiusClient } from './clients.js';
import { DelayedReplies, dueAt } from './delayed-replies.js';
import { DoorEvents, EventThrottle } from './door-event.js';
import { DuplicateCache, type DuplicateEntry } from './duplicate-cache.js';
import { LIMITS } from './limits.js';
import { AT, CODE, decode, nasIdentifierOf, type Packet } from './packet.js';
import type { DropCause, RadiusServerDeps } from './ports.js';
import { replyAttributeProblemText, replyAttributesOf } from './reply-attributes.js';
import { buildAccept, buildAccountingResponse, buildReject } from './response.js';
import { Places, type Source, Sources } from './sources.js';
import { answerStatusServer } from './status-server.js';
import type { PortSocket } from './udp-port.js';

/** One packet of a known client on its way. */
interface Arrived {
  readonly from: PortSocket;
  readonly remote: RemoteInfo;
  readonly source: Source;
  readonly client: KnownClient;
  readonly receivedAt: Instant;
  /** The same moment by the clock that never goes back. */
  readonly arrived: number;
}

/** Everything between a datagram and its reply. */
export class RadiusDoor {
  readonly #deps: RadiusServerDeps;
  readonly #sources = new Sources();
  readonly #duplicates = new DuplicateCache();
  readonly #events: DoorEvents;
  readonly #lines = new EventThrottle();
  readonly #delayed: DelayedReplies;
  readonly #places: Places;
  /** Records that have shown a Message-Authenticator here; a reload brings new records, which have it written down. */
  readonly #signs = new WeakSet<RadiusClient>();

  constructor(deps: RadiusServerDeps) {
    this.#deps = deps;
    this.#events = new DoorEvents((event) => deps.onDoorEvent(event));
    this.#delayed = new DelayedReplies(deps.uptime);
    this.#places = new Places(deps.inFlight ?? LIMITS.inFlight);
  }

  /** Whether anything is being decided, or waits to be sent. */
  get busy(): boolean {
    return this.#places.taken > 0 || this.#delayed.size > 0;
  }

  /** Drops what waits to be sent. */
  close(): void {
    this.#delayed.clear();
  }

  /** Takes a datagram that came to a port of this kind. Never throws. */
  take(kind: 'auth' | 'acct', from: PortSocket, datagram: Buffer, remote: RemoteInfo): void {
    try {
      this.#take(kind, from, datagram, remote);
    } catch (error) {
      this.#bug(error);
    }
  }

  #take(kind: 'auth' | 'acct', from: PortSocket, datagram: Buffer, remote: RemoteInfo): void {
    const { clock, uptime, clients } = this.#deps;
    const receivedAt = clock();
    const arrived = uptime();
    const source = this.#sources.of(remote.address);
    const packet = decode(datagram);
    const broken = 'kind' in packet;
    const client = clients().find(source.address, broken ? null : nasIdentifierOf(packet));
    if (client === null) {
      this.#drop('unknown_client');
      this.#events.unknownClient(source.address, receivedAt);
      return;
    }
    if (broken) {
      this.#drop('malformed');
      this.#line(
        'malformed',
        `not a RADIUS packet (${packet.kind}): is something else sending to this port?`,
        client,
        source,
        receivedAt,
      );
      return;
    }
    const at: Arrived = { from, remote, source, client, receivedAt, arrived };
    if (packet.code === CODE.accessRequest && kind === 'auth') this.#access(packet, at);
    else if (packet.code === CODE.accountingRequest && kind === 'acct') this.#accounting(packet, at);
    else if (packet.code === CODE.statusServer) this.#status(packet, at, kind);
    else {
      this.#drop('unexpected_code');
      const asked = `code ${packet.code} on the ${kind === 'auth' ? 'authentication' : 'accounting'} port: are the ports of the client mixed up?`;
      this.#line('unexpected_code', asked, client, source, receivedAt);
    }
  }

  /** What makes no event, but a line for the operator: once a minute for each cause and address. */
  #line(cause: DropCause, text: string, client: KnownClient, source: Source, now: Instant): void {
    const suppressed = this.#lines.pass(`${cause} ${source.address}`, now);
    if (suppressed === null) return;
    this.#deps.log.warn({ cause, address: source.address, client: client.record.name, suppressed }, text);
  }

  #access(packet: Packet, at: Arrived): void {
    const { record, key } = at.client;
    const checked = checkAccessRequest(packet, key, {
      messageAuthenticator: this.#demandsSignature(record),
      limitProxyState: record.limitProxyState,
    });
    if (typeof checked === 'string') {
      this.#notAuthentic(checked, at);
      return;
    }
    this.#learn(checked, at.client);
    const entry = this.#admit(checked, at);
    if (entry === null) return;
    void this.#ask(checked, at, entry);
  }

  /** Never rejects. */
  async #ask(packet: Authentic<Packet>, at: Arrived, entry: DuplicateEntry): Promise<void> {
    let decision: Decision;
    try {
      const read = readAccessRequest(packet, at);
      if (read.kind === 'refuse') {
        this.#events.ofUser(read, at.client.record, at.source.address, at.receivedAt);
        this.#reject(packet, at, entry);
        this.#places.leave(at.source);
        return;
      }
      decision = await this.#deps.authenticate(read.request);
    } catch (error) {
      this.#failed(error, at, entry);
      return;
    }
    this.#places.leave(at.source);
    try {
      this.#decided(decision, packet, at, entry);
    } catch (error) {
      this.#duplicates.forget(entry);
      this.#bug(error);
    }
  }

  #decided(decision: Decision, packet: Authentic<Packet>, at: Arrived, entry: DuplicateEntry): void {
    switch (decision.outcome) {
      case 'accepted':
        this.#accept(decision, packet, at, entry);
        break;
      case 'refused':
        this.#reject(packet, at, entry);
        break;
      case 'unavailable':
        // The NAS goes to its next server, or comes again and is decided anew.
        this.#duplicates.forget(entry);
        this.#drop(UNAVAILABLE[decision.cause]);
        break;
      default:
        unreachable(decision);
    }
  }

  #accept(
    { proof, resource, login }: Extract<Decision, { outcome: 'accepted' }>,
    packet: Authentic<Packet>,
    at: Arrived,
    entry: DuplicateEntry,
  ): void {
    const attributes = replyAttributesOf(resource);
    const reply = attributes.kind === 'compiled' ? buildAccept(packet, at.client.key, proof, attributes.octets) : null;
    if (reply !== null) {
      this.#send(reply, packet, at, entry);
      return;
    }
    // RAD-24. Who was let in by the rules and cannot be told so as the record wants it, is not let in.
    const detail =
      attributes.kind === 'problems'
        ? attributes.problems.map(replyAttributeProblemText).join('; ')
        : `reply over ${LIMITS.packetOctets} octets`;
    this.#deps.log.error({ resource: resource.name, detail }, 'accepted, but the reply cannot be built');
    const told = { reason: 'malformed', detail, login, method: 'pap', source: null, station: null } as const;
    this.#events.ofUser(told, at.client.record, at.source.address, at.receivedAt);
    this.#reject(packet, at, entry);
  }

  #accounting(packet: Packet, at: Arrived): void {
    const checked = checkAccountingRequest(packet, at.client.key);
    if (typeof checked === 'string') {
      this.#notAuthentic(checked, at);
      return;
    }
    const entry = this.#admit(checked, at);
    if (entry === null) return;
    try {
      this.#record(checked, at, entry);
    } catch (error) {
      this.#failed(error, at, entry);
    }
  }

  #record(packet: Authentic<Packet>, at: Arrived, entry: DuplicateEntry): void {
    const peer = at.source.address;
    const record = readAccounting(packet, { client: at.client, peer, receivedAt: at.receivedAt });
    if ('malformed' in record) {
      this.#events.ofClient('malformed', record.malformed, at.client.record, peer, at.receivedAt);
      this.#drop('malformed');
      this.#duplicates.forget(entry);
      this.#places.leave(at.source);
      return;
    }
    this.#deps.recordAccounting(record).then(
      (outcome) => {
        this.#places.leave(at.source);
        const reply = outcome === 'stored' ? buildAccountingResponse(packet, at.client.key) : null;
        if (reply !== null) {
          this.#send(reply, packet, at, entry);
          return;
        }
        this.#duplicates.forget(entry);
        this.#drop(outcome === 'stored' ? 'malformed' : 'store_unavailable');
      },
      (error: unknown) => this.#failed(error, at, entry),
    );
  }

  #status(packet: Packet, at: Arrived, kind: 'auth' | 'acct'): void {
    const reply = answerStatusServer(packet, at.client.key, kind, this.#deps.storeReady());
    if (Buffer.isBuffer(reply)) {
      this.#deps.metrics.answered(reply[AT.code] ?? 0);
      this.#transmit(reply, at);
    } else if (reply === 'store_unavailable') this.#drop(reply);
    else this.#notAuthentic(reply, at);
  }

  #demandsSignature(record: RadiusClient): boolean {
    if (record.requireMessageAuthenticator !== 'auto') return record.requireMessageAuthenticator === 'yes';
    return record.messageAuthenticatorSeen || this.#signs.has(record);
  }

  /** RAD-42: EAP is always signed, so it proves nothing about the client's PAP. */
  #learn(packet: Authentic<Packet>, { record, oneAddress }: KnownClient): void {
    if (packet.messageAuthenticator === 0 || packet.eap || !oneAddress) return;
    if (record.requireMessageAuthenticator !== 'auto' || this.#demandsSignature(record)) return;
    this.#signs.add(record);
    this.#deps.messageAuthenticatorSeen(record.id);
    this.#deps.log.info({ client: record.name }, 'sends Message-Authenticator, which is demanded from now on');
  }

  /** Lets a request in that is neither a duplicate nor one too many; it then holds a place. */
  #admit(packet: Authentic<Packet>, at: Arrived): DuplicateEntry | null {
    const seen = this.#duplicates.see(at, packet.octets, at.receivedAt);
    if (typeof seen === 'number') {
      if (this.#places.take(at.source)) return seen;
      this.#duplicates.forget(seen);
      this.#drop('overload');
    } else if (seen === 'working') this.#deps.metrics.duplicate('dropped');
    else {
      this.#deps.metrics.duplicate('resent');
      this.#transmit(seen, at);
    }
    return null;
  }

  /** Every refusal, whatever its reason, is built and sent here, and leaves after the same time (RAD-25). */
  #reject(packet: Authentic<Packet>, at: Arrived, entry: DuplicateEntry): void {
    const reply = buildReject(packet, at.client.key);
    const due = dueAt(at.arrived, this.#deps.uptime(), this.#deps.rejectDelay);
    // No room beside the request's own Proxy-States: nothing that we could send would be an answer.
    if (reply === null) this.#drop('malformed');
    else if (this.#delayed.add(due, { send: () => this.#send(reply, packet, at, entry) })) return;
    else this.#drop('overload');
    this.#duplicates.forget(entry);
  }

  #send(reply: Buffer, packet: Authentic<Packet>, at: Arrived, entry: DuplicateEntry): void {
    if (!this.#duplicates.answer(entry, at, packet.octets, reply)) return;
    this.#deps.metrics.answered(reply[AT.code] ?? 0);
    this.#transmit(reply, at);
  }

  #transmit(reply: Buffer, { from, remote }: Arrived): void {
    try {
      from.socket.send(reply, remote.port, remote.address);
    } catch (error) {
      // The address that was asked is no longer ours; so the way back is gone.
      this.#deps.log.warn({ error: String(error) }, 'radius reply not sent');
    }
  }

  #notAuthentic(cause: NotAuthentic, at: Arrived): void {
    this.#drop(cause);
    const detail = cause === 'bad_authenticator' ? null : cause;
    this.#events.ofClient('bad_authenticator', detail, at.client.record, at.source.address, at.receivedAt);
  }

  #drop(cause: DropCause): void {
    this.#deps.metrics.dropped(cause);
  }

  #failed(error: unknown, at: Arrived, entry: DuplicateEntry): void {
    this.#places.leave(at.source);
    this.#duplicates.forget(entry);
    this.#bug(error);
  }

  #bug(error: unknown): void {
    this.#deps.metrics.internalError();
    const stack = error instanceof Error ? error.stack : String(error);
    this.#deps.log.error({ stack }, 'internal error in the RADIUS server');
  }
}

const UNAVAILABLE = {
  store: 'store_unavailable',
  overload: 'overload',
  upstream: 'upstream_unavailable',
} as const satisfies Record<Extract<Decision, { outcome: 'unavailable' }>['cause'], DropCause>;
