/**
 * A UDP port, at one address or at all. A reply must leave from the address that was asked (RAD-11), and Node does not tell
 * which one that was. So where a wildcard is listened on, each local address has a socket of its own, which the kernel prefers;
 * the wildcard's socket takes what comes to addresses that are not known yet, and they are looked for every few seconds (a
 * floating address that moves here must answer as itself).
 *
 * Those sockets share a port, which takes SO_REUSEADDR, and with that two processes could share it as well without noticing. So
 * the port is first bound once without: this fails where anyone else has it.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { type Endpoint, formatEndpoint } from './address.js';
import { LIMITS } from './limits.js';

/** Why an address cannot be listened on. `address` is the text of the configuration. */
export type ListenError = { readonly address: string; readonly code: string } & (
  | { readonly kind: 'addressTaken' }
  /** Ports below 1024 need a privilege. */
  | { readonly kind: 'notAllowed' }
  /** No interface has the address. */
  | { readonly kind: 'notLocal' }
  | { readonly kind: 'failed' }
);

/** One socket of a port; `id` is unique in the process. */
export interface PortSocket {
  readonly id: number;
  readonly socket: Socket;
}

/** Takes a datagram in. Must not throw. */
export type Receive = (from: PortSocket, datagram: Buffer, remote: RemoteInfo) => void;

/** What the port tells about itself. */
export interface PortLog {
  warn(fields: object, message: string): void;
}

let nextId = 0;
const WILDCARDS = new Set(['0.0.0.0', '::']);

/** An open port. */
export class UdpPort {
  readonly #receive: Receive;
  readonly #log: PortLog;
  readonly #endpoint: Endpoint;
  /** By the address bound. */
  readonly #sockets = new Map<string, PortSocket>();
  #timer: NodeJS.Timeout | null = null;
  #port = 0;
  #closed = false;

  private constructor(endpoint: Endpoint, receive: Receive, log: PortLog) {
    this.#endpoint = endpoint;
    this.#receive = receive;
    this.#log = log;
  }

  /** Opens the port, or says why not; then nothing stays open. */
  static async open(endpoint: Endpoint, receive: Receive, log: PortLog): Promise<UdpPort | ListenError> {
    const port = new UdpPort(endpoint, receive, log);
    const error = await port.#open();
    return error ?? port;
  }

  /** The address as configured, with the port that is really open. */
  get address(): string {
    return formatEndpoint({ address: this.#endpoint.address, port: this.#port });
  }

  /** Closes every socket; what was not read is lost. */
  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const { socket } of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  async #open(): Promise<ListenError | null> {
    const { address, port } = this.#endpoint;
    const text = formatEndpoint(this.#endpoint);
    const first = await bind(address, port, false);
    if (first instanceof Error) return listenError(text, first);
    this.#port = first.address().port;
    if (!WILDCARDS.has(address)) {
      this.#attach(address, first);
      return null;
    }
    await new Promise<void>((done) => first.close(() => done()));
    const wildcard = await bind(address, this.#port, true);
    if (wildcard instanceof Error) return listenError(text, wildcard);
    this.#attach(address, wildcard);
    await this.#followAddresses();
    let busy = false;
    this.#timer = setInterval(() => {
      if (busy) return;
      busy = true;
      void this.#followAddresses().finally(() => {
        busy = false;
      });
    }, LIMITS.addressScanMillis);
    this.#timer.unref();
    return null;
  }

  /** Opens sockets for addresses that have come, closes those of addresses that have gone. */
  async #followAddresses(): Promise<void> {
    const wildcard = this.#endpoint.address;
    const local = localAddresses(wildcard === '::' ? 'IPv6' : 'IPv4');
    for (const [address, { socket }] of this.#sockets) {
      if (address === wildcard || local.has(address)) continue;
      this.#sockets.delete(address);
      socket.close();
    }
    for (const address of local) {
      if (this.#sockets.has(address)) continue;
      const socket = await bind(address, this.#port, true);
      // An address may be there and not be ready (IPv6 duplicate detection): the wildcard serves it, the next look tries again.
      if (socket instanceof Error) continue;
      if (this.#closed) {
        socket.close();
        return;
      }
      this.#attach(address, socket);
    }
  }

  #attach(address: string, socket: Socket): void {
    const from: PortSocket = { id: nextId++, socket };
    socket.on('message', (datagram, remote) => this.#receive(from, datagram, remote));
    socket.on('error', (error) => this.#log.warn({ address: this.address, error: error.message }, 'radius socket'));
    try {
      socket.setRecvBufferSize(LIMITS.receiveBufferOctets);
    } catch {
      // Best effort: the kernel has limits of its own, and works with less.
    }
    this.#sockets.set(address, from);
  }
}

/** Binds, or gives the error. IPv6 sockets take no IPv4: that has sockets of its own. */
function bind(address: string, port: number, reuseAddr: boolean): Promise<Socket | NodeJS.ErrnoException> {
  return new Promise((done) => {
    const ipv6 = address.includes(':');
    const socket = createSocket({
      type: ipv6 ? 'udp6' : 'udp4',
      ipv6Only: ipv6,
      reuseAddr,
      // Only addresses are ever looked up here. Asking the resolver for each reply costs more than sending it.
      lookup: (host, _options, found) => found(null, host, ipv6 ? 6 : 4),
    });
    const failed = (error: NodeJS.ErrnoException) => {
      socket.close();
      done(error);
    };
    socket.once('error', failed);
    socket.bind({ address, port }, () => {
      socket.off('error', failed);
      done(socket);
    });
  });
}

function localAddresses(family: 'IPv4' | 'IPv6'): Set<string> {
  const found = new Set<string>();
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    for (const { address, family: its } of addresses ?? []) {
      // A link-local address means nothing without its interface.
      if (its === family) found.add(address.startsWith('fe80:') ? `${address}%${name}` : address);
    }
  }
  return found;
}

function listenError(address: string, error: NodeJS.ErrnoException): ListenError {
  const code = error.code ?? error.message;
  switch (code) {
    case 'EADDRINUSE':
      return { kind: 'addressTaken', address, code };
    case 'EACCES':
      return { kind: 'notAllowed', address, code };
    case 'EADDRNOTAVAIL':
      return { kind: 'notLocal', address, code };
    default:
      return { kind: 'failed', address, code };
  }
}
