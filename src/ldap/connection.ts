/**
 * One LDAP connection, without its socket: octets, verdicts and time go in, instructions come out; whoever drives it carries
 * them out in order. A deadline is a value here and never a timer.
 *
 *   open ──bind──▶ binding ──verdict──▶ open          While binding nothing else is processed (LDAP-24): up to 16 messages
 *     │               └──refused──▶ holding ──wake──▶ open    wait, then reading stops. Holding is a refusal that must not
 *     └─StartTLS─▶ handshaking ──secured──▶ open              leave yet (LDAP-22): it holds no place in flight.
 *   any ──▶ closed, which takes nothing in and gives nothing out
 */
import { type Instant, type Millis, millis } from '../base/units.js';
import { unreachable } from '../base/unreachable.js';
import type { LdapDirectory } from './directory.js';
import { FrameReader, type FramingError } from './framing.js';
import type { CloseCause, Instruction, Report, Verdict } from './instruction.js';
import { LIMITS } from './limits.js';
import { type BindRequest, type Decoded, decodeMessage, type ExtendedRequest, RESPONSE } from './message.js';
import { OID } from './oid.js';
import { encodeEntry, encodeExtended, encodeNotice, encodeResult } from './response.js';
import { RESULT, type ResultCode } from './result-code.js';

export interface ConnectionOptions {
  /** Canonical. */
  readonly peer: string;
  /** TLS from the first octet on. */
  readonly secure: boolean;
  readonly requireTls: boolean;
  readonly allowAnonymous: boolean;
  readonly rejectDelay: Millis;
  /** There is a certificate. */
  readonly startTls: () => boolean;
  readonly directory: LdapDirectory;
}

/** A message that waits its turn; `behind` where a bind was running when it came. */
interface Waiting {
  readonly decoded: Decoded | FramingError;
  readonly behind: boolean;
}

interface RunningBind {
  readonly id: number;
  readonly receivedAt: Instant;
  holding: boolean;
}

/** A code for the operation's own response, a response as it is, or null where nothing is to be said (yet). */
type Answer = ResultCode | Buffer | null;

const NOTHING: readonly Instruction[] = [];
const LDAP_VERSION = 3;

export class LdapConnection {
  readonly #options: ConnectionOptions;
  readonly #reader = new FrameReader();
  #phase: 'open' | 'handshaking' | 'closed' = 'open';
  #secure: boolean;
  /** How we write the name that is bound; null: anonymous. */
  #boundDn: string | null = null;
  #bind: RunningBind | null = null;
  #queue: Waiting[] = [];
  #paused = false;
  #draining = false;
  /** The peer sends nothing more (half-closed). */
  #ended = false;
  #anyMessage = false;
  #lastActivity: Instant;
  /** Since when half a message lies there. */
  #halfSince: Instant | null = null;
  #out: Instruction[] = [];

  constructor(options: ConnectionOptions, now: Instant) {
    this.#options = options;
    this.#secure = options.secure;
    this.#phase = options.secure ? 'handshaking' : 'open';
    this.#lastActivity = now;
  }

  get closed(): boolean {
    return this.#phase === 'closed';
  }

  /** Messages are read: no handshake is under way, and it has not ended. */
  get open(): boolean {
    return this.#phase === 'open';
  }

  /** The name that is bound, as we write it; null: anonymous. */
  get boundDn(): string | null {
    return this.#boundDn;
  }

  /** Octets have arrived; `chunk` belongs to the connection from now on. */
  receive(chunk: Buffer, now: Instant): readonly Instruction[] {
    if (this.#phase !== 'open' || this.#draining) return NOTHING;
    this.#reader.push(chunk);
    return this.#work(now);
  }

  /** The answer to `ask`. */
  settle(verdict: Verdict, now: Instant): readonly Instruction[] {
    const bind = this.#bind;
    if (this.#phase === 'closed' || bind === null || bind.holding) return NOTHING;
    if (verdict.kind === 'refused') {
      const span = refusalWait(bind.receivedAt, now, this.#options.rejectDelay);
      if (span > 0) {
        bind.holding = true;
        return [{ do: 'wait', span }];
      }
    }
    if (verdict.kind === 'accepted') this.#boundDn = verdict.dn;
    return this.#finishBind(bind, resultOf(verdict), now);
  }

  /** The span of `wait` is over. */
  wake(now: Instant): readonly Instruction[] {
    const bind = this.#bind;
    if (this.#phase === 'closed' || bind === null || !bind.holding) return NOTHING;
    return this.#finishBind(bind, RESULT.invalidCredentials, now);
  }

  /** The TLS handshake is done. Whoever was bound before is not any more (LDAP-32). */
  secured(now: Instant): readonly Instruction[] {
    if (this.#phase !== 'handshaking') return NOTHING;
    this.#phase = 'open';
    this.#secure = true;
    this.#boundDn = null;
    this.#lastActivity = now;
    return NOTHING;
  }

  /** The peer will send nothing more. What it asked is still answered. */
  end(now: Instant): readonly Instruction[] {
    if (this.#phase === 'closed') return NOTHING;
    this.#ended = true;
    if (this.#phase === 'handshaking') this.#close('tls_failed');
    return this.#work(now);
  }

  /** The server stops (LDAP-12): a running bind is finished, then the notice goes out. */
  shutdown(): readonly Instruction[] {
    if (this.#phase === 'closed') return NOTHING;
    this.#draining = true;
    this.#queue = [];
    if (this.#bind === null) this.#leave();
    return this.#take();
  }

  /** The socket is gone: whatever still comes is for nobody. */
  abandon(): void {
    this.#phase = 'closed';
    this.#bind = null;
    this.#queue = [];
  }

  /** To be called now and then: closes what has taken too long (LDAP-11). */
  expire(now: Instant): readonly Instruction[] {
    if (this.#phase === 'closed' || this.#bind !== null) return NOTHING;
    const idle = now - this.#lastActivity;
    const allowed = this.#anyMessage ? LIMITS.idle : LIMITS.firstMessageWithin;
    const late =
      this.#phase === 'handshaking'
        ? idle >= LIMITS.handshakeWithin
        : idle >= allowed || (this.#halfSince !== null && now - this.#halfSince >= LIMITS.messageWithin);
    if (late) this.#close('timeout');
    return this.#take();
  }

  #finishBind(bind: RunningBind, code: ResultCode, now: Instant): readonly Instruction[] {
    this.#bind = null;
    this.#lastActivity = now;
    this.#result(bind.id, RESPONSE.bind, code);
    if (this.#draining) {
      this.#leave();
      return this.#take();
    }
    return this.#work(now);
  }

  /** Processes what has arrived as far as it goes, and says whether more should be read. */
  #work(now: Instant): readonly Instruction[] {
    while (this.#phase === 'open' && this.#bind === null) {
      const next = this.#queue.shift() ?? this.#pull(now);
      if (next === null) break;
      this.#handle(next, now);
    }
    while (this.#phase === 'open' && this.#bind !== null && this.#queue.length < LIMITS.operationsWaiting) {
      const next = this.#pull(now);
      if (next === null) break;
      if (!this.#refusedAsDuplicate(next)) this.#queue.push(next);
      if (typeof next.decoded === 'string' || next.decoded.kind === 'unreadable') break;
    }
    if (this.#phase !== 'open') return this.#take();
    if (this.#ended && this.#bind === null) this.#close('peer');
    const full = this.#bind !== null && this.#queue.length >= LIMITS.operationsWaiting;
    if (full !== this.#paused) {
      this.#paused = full;
      this.#out.push({ do: full ? 'pause' : 'resume' });
    }
    return this.#take();
  }

  /** The next message out of what has arrived. */
  #pull(now: Instant): Waiting | null {
    if (isFatal(this.#queue.at(-1))) return null;
    const frame = this.#reader.next(this.#boundDn === null ? LIMITS.bytesBeforeBind : LIMITS.bytesAfterBind);
    if (frame === null) {
      if (this.#reader.waiting === 0) this.#halfSince = null;
      else this.#halfSince ??= now;
      return null;
    }
    this.#halfSince = null;
    this.#anyMessage = true;
    this.#lastActivity = now;
    return { decoded: typeof frame === 'string' ? frame : decodeMessage(frame), behind: this.#bind !== null };
  }

  /** LDAP-5: an id that is still in use; the operation that has it goes on untouched. */
  #refusedAsDuplicate({ decoded }: Waiting): boolean {
    if (typeof decoded === 'string' || decoded.kind === 'unreadable' || decoded.response === 0) return false;
    const { id } = decoded;
    const used = this.#queue.some(({ decoded: other }) => {
      return typeof other !== 'string' && other.kind !== 'unreadable' && other.response !== 0 && other.id === id;
    });
    if (!used && this.#bind?.id !== id) return false;
    this.#result(id, decoded.response, RESULT.protocolError);
    return true;
  }

  #handle({ decoded, behind }: Waiting, now: Instant): void {
    if (typeof decoded === 'string') {
      this.#disconnect(decoded);
    } else if (decoded.kind === 'unreadable') {
      this.#disconnect('protocol_error');
    } else {
      const answer = decoded.kind === 'broken' ? this.#broken(decoded) : this.#answer(decoded, behind, now);
      if (typeof answer === 'number') this.#result(decoded.id, decoded.response, answer);
      else if (answer !== null) this.#send(answer);
    }
  }

  /** LDAP-4. An unbind or abandon cannot go wrong so that anybody would hear of it. */
  #broken({ response, code }: Decoded & { kind: 'broken' }): Answer {
    if (response === RESPONSE.bind) this.#boundDn = null;
    return response === 0 ? null : code;
  }

  #answer({ id, request, criticalUnknown }: Decoded & { kind: 'request' }, behind: boolean, now: Instant): Answer {
    // RFC 4511 §4.1.11: criticality means nothing where there is no response to say so.
    if (criticalUnknown && request.kind !== 'unbind' && request.kind !== 'abandon') {
      return RESULT.unavailableCriticalExtension;
    }
    switch (request.kind) {
      case 'unbind':
        this.#close('unbind');
        return null;
      case 'abandon':
        return null;
      case 'bind':
        return this.#startBind(id, request, now);
      case 'search': {
        const { entries, code } = this.#options.directory.search(request, this.#options.peer);
        for (const { dn, attributes } of entries) this.#send(encodeEntry(id, dn, attributes));
        return code;
      }
      case 'compare':
        return this.#options.directory.compare(request, this.#options.peer);
      case 'extended':
        return this.#extended(id, request, behind, now);
      case 'write':
        return RESULT.unwillingToPerform;
      default:
        return unreachable(request);
    }
  }

  /** LDAP-20, 21, 29. From here on until success the connection is anonymous (RFC 4511 §4.2.1). */
  #startBind(id: number, { version, name, password }: BindRequest, now: Instant): Answer {
    this.#boundDn = null;
    if (version !== LDAP_VERSION) {
      this.#report({ reason: 'method_not_allowed', detail: 'protocol_version', name });
      return RESULT.protocolError;
    }
    if (password === null) {
      this.#report({ reason: 'method_not_allowed', detail: 'sasl', name });
      return RESULT.authMethodNotSupported;
    }
    if (password.length === 0 && name === '') {
      this.#out.push({ do: 'anonymous' });
      return this.#options.allowAnonymous ? RESULT.success : RESULT.inappropriateAuthentication;
    }
    if (password.length === 0) {
      // RFC 4513 §5.1.2: an application that sends an empty password must not learn that it is right.
      this.#report({ reason: 'malformed', detail: 'unauthenticated_bind', name });
      return RESULT.unwillingToPerform;
    }
    if (this.#options.requireTls && !this.#secure) {
      this.#report({ reason: 'method_not_allowed', detail: 'cleartext_password', name });
      return RESULT.confidentialityRequired;
    }
    this.#bind = { id, receivedAt: now, holding: false };
    this.#out.push({ do: 'ask', name, password, receivedAt: now });
    return null;
  }

  #extended(id: number, { oid, value }: ExtendedRequest, behind: boolean, now: Instant): Answer {
    switch (oid) {
      case OID.startTls:
        return this.#startTls(id, value, behind, now);
      case OID.whoAmI: {
        if (value !== null) return RESULT.protocolError;
        const who = this.#boundDn === null ? '' : `dn:${this.#boundDn}`;
        return encodeExtended(id, RESULT.success, null, Buffer.from(who, 'utf8'));
      }
      case OID.passwordModify:
        return RESULT.unwillingToPerform;
      default:
        return RESULT.protocolError;
    }
  }

  /** LDAP-30, 31. */
  #startTls(id: number, value: Buffer | null, behind: boolean, now: Instant): Answer {
    const refusal = this.#startTlsRefusal(value, behind);
    if (refusal !== null) {
      this.#out.push({ do: 'count', code: refusal });
      return encodeExtended(id, refusal, OID.startTls, null);
    }
    // What came in the clear behind the request would be taken for what came under TLS (CVE-2011-0411 and its kin).
    if (this.#reader.waiting > 0 || this.#queue.length > 0) {
      this.#close('starttls_injection');
      return null;
    }
    this.#phase = 'handshaking';
    this.#lastActivity = now;
    this.#out.push({ do: 'startTls', octets: encodeExtended(id, RESULT.success, OID.startTls, null) });
    return null;
  }

  #startTlsRefusal(value: Buffer | null, behind: boolean): ResultCode | null {
    if (value !== null) return RESULT.protocolError;
    if (this.#secure || behind) return RESULT.operationsError;
    return this.#options.startTls() ? null : RESULT.unavailable;
  }

  #result(id: number, response: number, code: ResultCode): void {
    if (code !== RESULT.success) this.#out.push({ do: 'count', code });
    this.#send(encodeResult(id, response, code));
  }

  #report(report: Report): void {
    this.#out.push({ do: 'report', report });
  }

  #send(octets: Buffer): void {
    this.#out.push({ do: 'send', octets });
  }

  #disconnect(cause: FramingError): void {
    this.#send(encodeNotice(RESULT.protocolError));
    this.#close(cause);
  }

  #leave(): void {
    // Under a handshake there is nobody to read a notice.
    if (this.#phase === 'open') this.#send(encodeNotice(RESULT.unavailable));
    this.#close('shutdown');
  }

  #close(cause: CloseCause): void {
    this.#phase = 'closed';
    this.#bind = null;
    this.#queue = [];
    this.#out.push({ do: 'close', cause });
  }

  #take(): readonly Instruction[] {
    if (this.#out.length === 0) return NOTHING;
    const out = this.#out;
    this.#out = [];
    return out;
  }
}

/**
 * How long a refusal must still wait: until `delay` after its request came, or the next multiple where deciding took longer
 * (LDAP-22), so that time tells no rule from another. A clock that was set back counts as no time.
 */
export function refusalWait(receivedAt: Instant, now: Instant, delay: Millis): Millis {
  if (delay === 0) return millis(0);
  const elapsed = Math.max(0, now - receivedAt);
  return millis(Math.max(1, Math.ceil(elapsed / delay)) * delay - elapsed);
}

function isFatal(waiting: Waiting | undefined): boolean {
  if (waiting === undefined) return false;
  return typeof waiting.decoded === 'string' || waiting.decoded.kind === 'unreadable';
}

function resultOf(verdict: Verdict): ResultCode {
  switch (verdict.kind) {
    case 'accepted':
      return RESULT.success;
    case 'refused':
      return RESULT.invalidCredentials;
    case 'unavailable':
      return RESULT.unavailable;
    case 'busy':
      return RESULT.busy;
    case 'failed':
      return RESULT.other;
    default:
      return unreachable(verdict);
  }
}
