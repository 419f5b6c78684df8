/** One socket and its connection: carries out what the connection wants done (connection.ts), and tells it what happened. */
import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import type { Clock, Instant } from '../base/units.js';
import { type BindDoor, type BindReport, decideBind, reportOn } from './bind-door.js';
import { type ConnectionOptions, LdapConnection } from './connection.js';
import type { DelayQueue, Sleeper } from './delay-queue.js';
import { type DoorEvent, mayReport } from './door-event.js';
import type { CloseCause, Instruction, Verdict } from './instruction.js';
import { LIMITS } from './limits.js';
import type { Peer, Peers } from './peers.js';
import type { ResultCode } from './result-code.js';

export interface LdapMetrics {
  /** A connection ended, or was not taken (`connections`). */
  closed(cause: CloseCause): void;
  /** An operation was answered with `code`, not success. */
  error(code: ResultCode): void;
  /** What became of a bind. */
  bind(outcome: 'anonymous' | Verdict['kind']): void;
}

/** Where bugs are told; a pino logger is one. */
export interface LdapLog {
  error(facts: Readonly<Record<string, unknown>>, text: string): void;
}

/** What all sessions of a server share. */
export interface SessionWorld extends BindDoor {
  readonly connection: Omit<ConnectionOptions, 'peer' | 'secure'>;
  readonly clock: Clock;
  readonly peers: Peers;
  readonly delays: DelayQueue;
  readonly metrics: LdapMetrics;
  readonly log: LdapLog;
  secureContext(): SecureContext | null;
  onDoorEvent(event: DoorEvent): void;
  /** The session is over and its socket destroyed. */
  onGone(session: Session): void;
}

export class Session implements Sleeper {
  readonly #world: SessionWorld;
  readonly #peer: Peer;
  readonly #connection: LdapConnection;
  #socket: Socket;
  #gone = false;
  /** When the connection was closed on our side; the socket lingers until the last answer has arrived. */
  #closedAt: Instant | null = null;
  /** Since when answers wait that the peer does not read. */
  #stalledAt: Instant | null = null;
  #pausedByConnection = false;

  constructor(world: SessionWorld, socket: Socket, peer: Peer, secure: boolean) {
    this.#world = world;
    this.#peer = peer;
    this.#socket = socket;
    this.#connection = new LdapConnection({ ...world.connection, peer: peer.address, secure }, world.clock());
    socket.setNoDelay(true);
    if (secure) this.#handshake();
    else this.#listen(socket);
  }

  /** The delay of a refusal is over. */
  wake(): void {
    this.#perform(this.#connection.wake(this.#world.clock()));
  }

  /** Now and then: ends what has taken too long. */
  sweep(now: Instant): void {
    this.#perform(this.#connection.expire(now));
    if (this.#stalledAt !== null && now - this.#stalledAt >= LIMITS.unreadAnswersFor) this.#abort('timeout');
    if (this.#closedAt !== null && now - this.#closedAt >= LIMITS.lingerFor) this.#socket.destroy();
  }

  /** The server stops: a running bind is finished, then the notice goes out. */
  shutdown(): void {
    this.#socket.pause();
    this.#perform(this.#connection.shutdown());
  }

  /** The server has waited long enough. */
  destroy(): void {
    this.#socket.destroy();
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      if (socket !== this.#socket) return;
      if (this.#connection.closed) return;
      this.#perform(this.#connection.receive(chunk, this.#world.clock()));
    });
    socket.on('end', () => {
      if (socket === this.#socket) this.#onEnd();
    });
    socket.on('drain', () => this.#onDrain());
    // What follows an error is always `close`.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (socket === this.#socket) this.#onClose();
    });
  }

  #onEnd(): void {
    if (this.#connection.closed) this.#socket.destroy();
    else this.#perform(this.#connection.end(this.#world.clock()));
  }

  #onDrain(): void {
    this.#stalledAt = null;
    if (!this.#pausedByConnection) this.#socket.resume();
  }

  #onClose(): void {
    if (this.#gone) return;
    this.#gone = true;
    if (this.#closedAt === null) {
      const handshaking = this.#socket instanceof TLSSocket && !this.#connection.open;
      this.#world.metrics.closed(handshaking ? 'tls_failed' : 'peer');
      this.#connection.abandon();
    }
    this.#world.peers.disconnect(this.#peer);
    this.#world.onGone(this);
  }

  /** Ends at once, without anything said. */
  #abort(cause: CloseCause): void {
    if (this.#closedAt === null) this.#world.metrics.closed(cause);
    this.#closedAt ??= this.#world.clock();
    this.#connection.abandon();
    this.#socket.destroy();
  }

  #perform(instructions: readonly Instruction[]): void {
    let list = instructions;
    // A loop, not a recursion: a stranger decides how many binds come in one piece that are answered at once.
    while (list.length > 0) {
      const verdict = this.#carryOut(list);
      list = verdict === null ? [] : this.#connection.settle(verdict, this.#world.clock());
    }
  }

  /** Returns the verdict where the last thing asked could be answered at once. */
  #carryOut(list: readonly Instruction[]): Verdict | null {
    const socket = this.#socket;
    const several = list.length > 1;
    let verdict: Verdict | null = null;
    if (several) socket.cork();
    for (const instruction of list) {
      switch (instruction.do) {
        case 'send':
          this.#send(instruction.octets);
          break;
        case 'ask':
          verdict = this.#ask(instruction.name, instruction.password, instruction.receivedAt);
          break;
        case 'wait':
          this.#world.delays.add(instruction.span, this);
          break;
        case 'startTls':
          this.#startTls(instruction.octets);
          break;
        case 'pause':
          this.#pausedByConnection = true;
          socket.pause();
          break;
        case 'resume':
          this.#pausedByConnection = false;
          if (this.#stalledAt === null) socket.resume();
          break;
        case 'report': {
          const { reason, detail, name } = instruction.report;
          const applications = this.#world.applications();
          this.#report(reportOn(applications, name, this.#peer.address, reason, detail));
          break;
        }
        case 'anonymous':
          this.#world.metrics.bind('anonymous');
          break;
        case 'count':
          this.#world.metrics.error(instruction.code);
          break;
        case 'close':
          this.#close(instruction.cause);
          break;
      }
    }
    if (several) socket.uncork();
    return verdict;
  }

  #send(octets: Buffer): void {
    if (this.#socket.writable && !this.#socket.write(octets) && this.#stalledAt === null) {
      // Who does not read its answers is not read from either.
      this.#stalledAt = this.#world.clock();
      this.#socket.pause();
    }
  }

  #ask(name: string, password: Buffer, receivedAt: Instant): Verdict | null {
    const { peers, metrics } = this.#world;
    if (!peers.startBind(this.#peer)) {
      metrics.bind('busy');
      return { kind: 'busy' };
    }
    const attempt = { name, password, peer: this.#peer.address, receivedAt };
    const answer = decideBind(this.#world, attempt, (report) => this.#report(report));
    if (answer instanceof Promise) {
      answer.then(this.#onVerdict, this.#onFailure);
      return null;
    }
    peers.endBind(this.#peer);
    metrics.bind(answer.kind);
    return answer;
  }

  readonly #onVerdict = (verdict: Verdict): void => {
    this.#world.peers.endBind(this.#peer);
    this.#world.metrics.bind(verdict.kind);
    this.#perform(this.#connection.settle(verdict, this.#world.clock()));
  };

  /** A bug of ours: the client hears `other` (80), the log has the stack. */
  readonly #onFailure = (error: unknown): void => {
    this.#world.log.error({ err: error }, 'ldap: a bind failed inside');
    this.#onVerdict({ kind: 'failed' });
  };

  #report(report: BindReport): void {
    const receivedAt = this.#world.clock();
    if (!mayReport(this.#peer, receivedAt)) return;
    this.#world.onDoorEvent({ ...report, method: 'bind', peer: this.#peer.address, receivedAt });
  }

  #startTls(response: Buffer): void {
    const socket = this.#socket;
    // What the socket has already read came before our answer could be known (LDAP-30).
    if (socket.readableLength > 0) {
      this.#abort('starttls_injection');
      return;
    }
    socket.pause();
    socket.write(response, (error) => {
      if (!error && !this.#gone && !this.#connection.closed) this.#handshake();
    });
  }

  #handshake(): void {
    const secureContext = this.#world.secureContext();
    if (secureContext === null) {
      this.#abort('tls_failed');
      return;
    }
    const plain = this.#socket;
    plain.removeAllListeners('data');
    plain.removeAllListeners('end');
    plain.on('error', () => undefined);
    const socket = new TLSSocket(plain, { isServer: true, secureContext });
    this.#socket = socket;
    socket.on('secure', () => this.#perform(this.#connection.secured(this.#world.clock())));
    this.#listen(socket);
  }

  #close(cause: CloseCause): void {
    this.#world.metrics.closed(cause);
    this.#closedAt = this.#world.clock();
    const socket = this.#socket;
    socket.end();
    // Reading on (and forgetting) lets the peer get our last answer: unread octets would turn the end into a reset.
    socket.resume();
  }
}
