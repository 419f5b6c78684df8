/** Runs the vector files of test/vectors/radius: a command, its input, → and what must come out. */
import { readFileSync } from 'node:fs';
import { committedProof } from '../../src/access/ports.js';
import { Secret } from '../../src/base/secret.js';
import { ATTRIBUTE, attributesOf } from '../../src/radius/attributes.js';
import {
  type Authentic,
  checkAccessRequest,
  checkAccountingRequest,
  checkStatusServer,
  SecretKey,
  signReply,
} from '../../src/radius/authenticator.js';
import { AT, CODE, decode, type Packet } from '../../src/radius/packet.js';
import { buildAccept, buildAccountingResponse, buildReject, buildStatusReply } from '../../src/radius/response.js';
import { hidePassword, revealPassword } from '../../src/radius/user-password.js';

export interface Vector {
  readonly line: number;
  readonly command: string;
  readonly input: string;
  readonly expected: string;
}

/** Reads a file of vectors; a line that begins with a blank goes on from the one before. */
export function readVectors(name: string): Vector[] {
  const text = readFileSync(new URL(`../vectors/radius/${name}`, import.meta.url), 'utf8');
  const vectors: Vector[] = [];
  let current: { line: number; text: string } | null = null;
  const close = () => {
    if (current === null) return;
    const [left = '', expected = ''] = current.text.split('→');
    const [command = '', ...input] = left.trim().split(/\s+/);
    vectors.push({ line: current.line, command, input: input.join(' '), expected: expected.trim() });
    current = null;
  };
  for (const [index, line] of text.split('\n').entries()) {
    if (line.startsWith(' ') && current !== null) current.text += ` ${line.trim()}`;
    else {
      close();
      if (line.trim() !== '' && !line.startsWith('#')) current = { line: index + 1, text: line };
    }
  }
  close();
  return vectors;
}

export const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

const CODES = new Map<number, string>([
  [CODE.accessRequest, 'Access-Request'],
  [CODE.accountingRequest, 'Accounting-Request'],
  [CODE.statusServer, 'Status-Server'],
]);
const NAMES = new Map<number, string>([
  [ATTRIBUTE.userName, 'User-Name'],
  [ATTRIBUTE.userPassword, 'User-Password'],
  [ATTRIBUTE.chapPassword, 'CHAP-Password'],
  [ATTRIBUTE.nasIpAddress, 'NAS-IP-Address'],
  [ATTRIBUTE.nasPort, 'NAS-Port'],
  [ATTRIBUTE.serviceType, 'Service-Type'],
  [7, 'Framed-Protocol'],
  [ATTRIBUTE.state, 'State'],
  [ATTRIBUTE.proxyState, 'Proxy-State'],
  [ATTRIBUTE.acctStatusType, 'Acct-Status-Type'],
  [ATTRIBUTE.acctSessionId, 'Acct-Session-Id'],
  [ATTRIBUTE.eapMessage, 'EAP-Message'],
  [ATTRIBUTE.messageAuthenticator, 'Message-Authenticator'],
]);
const TEXTS = new Set<number>([ATTRIBUTE.userName, ATTRIBUTE.acctSessionId]);

/** A packet or a decode error as a vector file writes it. */
export function render(datagram: Buffer): string {
  const packet = decode(datagram);
  if ('kind' in packet) {
    const { kind, ...fields } = packet;
    return [kind, ...Object.entries(fields).map(([name, value]) => `${name}=${value}`)].join(' ');
  }
  const attributes = [...attributesOf(packet.octets, AT.attributes)].map(({ type, start, end }) => {
    const value = packet.octets.subarray(start, end);
    return `${NAMES.get(type) ?? type}=${TEXTS.has(type) ? `"${value.toString('utf8')}"` : value.toString('hex')}`;
  });
  return [CODES.get(packet.code) ?? `code ${packet.code}`, `id=${packet.identifier}`, ...attributes].join(' ');
}

/** Executes vectors one after the other: `secret` and `decode` set what the later ones work on. */
export class VectorRun {
  #key = new SecretKey(Secret.of('testing123'));
  #datagram: Buffer = Buffer.alloc(0);

  /** What the command gives, in the notation of the file; for `decode` and `respond` compare with normalised blanks. */
  run(vector: Vector): string {
    switch (vector.command) {
      case 'secret':
        this.#key = new SecretKey(Secret.of(vector.input));
        return '';
      case 'decode':
        this.#datagram = hex(vector.input);
        return render(this.#datagram);
      case 'truncate':
        return this.#truncate();
      case 'authentic':
        return this.#authentic(vector.input === 'yes');
      case 'password': {
        const packet = this.#packet();
        for (const { type, start, end } of attributesOf(packet.octets, AT.attributes)) {
          if (type !== ATTRIBUTE.userPassword) continue;
          return revealPassword(
            packet.octets.subarray(start, end),
            packet.octets.subarray(4, 20),
            this.#key,
          ).toString();
        }
        return 'none';
      }
      case 'hide': {
        const authenticator = hex('000102030405060708090a0b0c0d0e0f');
        return hidePassword(Buffer.from(JSON.parse(vector.input)), authenticator, this.#key)?.toString('hex') ?? 'null';
      }
      case 'respond': {
        const [code = '', ...attributes] = vector.input.split(' ');
        const reply = Buffer.concat([this.#packet().octets.subarray(0, 20), hex(attributes.join(''))]);
        reply[0] = Number(code);
        reply.writeUInt16BE(reply.length, 2);
        signReply(reply, 0, this.#key);
        return reply.toString('hex');
      }
      case 'accept':
        return text(buildAccept(this.#proven(), this.#key, committedProof('event'), hex(vector.input)));
      case 'reject':
        return text(buildReject(this.#proven(), this.#key));
      case 'account':
        return text(buildAccountingResponse(this.#proven(), this.#key));
      case 'status':
        return text(buildStatusReply(this.#proven(), this.#key, vector.input === 'auth' ? 'auth' : 'acct'));
      default:
        throw new Error(`line ${vector.line}: no command ${vector.command}`);
    }
  }

  #packet(): Packet {
    const packet = decode(this.#datagram);
    if ('kind' in packet) throw new Error(packet.kind);
    return packet;
  }

  #check(demanded: boolean) {
    const packet = this.#packet();
    if (packet.code === CODE.accountingRequest) return checkAccountingRequest(packet, this.#key);
    if (packet.code === CODE.statusServer) return checkStatusServer(packet, this.#key);
    return checkAccessRequest(packet, this.#key, { messageAuthenticator: demanded, limitProxyState: true });
  }

  #authentic(demanded: boolean): string {
    const checked = this.#check(demanded);
    return typeof checked === 'string' ? checked : 'yes';
  }

  #proven(): Authentic<Packet> {
    const checked = this.#check(false);
    if (typeof checked === 'string') throw new Error(checked);
    return checked;
  }

  #truncate(): string {
    for (let length = 0; length < this.#datagram.length; length++) {
      const cut = decode(this.#datagram.subarray(0, length));
      if (!('kind' in cut) || cut.kind !== 'short') return `not short at ${length}`;
    }
    return 'every shorter prefix is short';
  }
}

const text = (reply: Buffer | null): string => reply?.toString('hex') ?? 'null';
