/**
 * A NAS for load and faults, over the codec of the `radius` package: many requests at once, every answer verified, and the very
 * octets at hand to send again.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import radius from 'radius';

/** One Access-Request on its way. Resolves with what the answer says; `silence` where none came in time. */
export type RadiusAnswer = 'accept' | 'reject' | 'silence';

/** A request that was sent, to be sent again. */
export interface Sent {
  readonly socket: number;
  readonly id: number;
  readonly octets: Buffer;
}

interface Pending {
  readonly octets: Buffer;
  readonly done: (answer: RadiusAnswer) => void;
}

const IDENTIFIERS = 256;
/** Ports of the NAS: with 256 identifiers each, that many requests at once. */
const SOCKETS = 4;

export class RadiusNas {
  readonly #sockets: readonly Socket[];
  readonly #port: number;
  readonly #secret: string;
  readonly #pending = new Map<number, Pending>();
  #next = 0;

  private constructor(sockets: readonly Socket[], port: number, secret: string) {
    this.#sockets = sockets;
    this.#port = port;
    this.#secret = secret;
    for (const [index, socket] of sockets.entries()) {
      // The server's port may be closed for a while: that is silence.
      socket.on('error', () => undefined);
      socket.on('message', (reply) => this.#answered(index, reply));
    }
  }

  /** A NAS at 127.0.0.1 that asks the server at `port` there. */
  static async open(port: number, secret: string): Promise<RadiusNas> {
    const sockets = await Promise.all(
      Array.from({ length: SOCKETS }, async () => {
        const socket = createSocket('udp4');
        socket.bind(0, '127.0.0.1');
        await once(socket, 'listening');
        return socket;
      }),
    );
    return new RadiusNas(sockets, port, secret);
  }

  /** Signs in; waits `limitMs` for the answer. `sent` is told of the request before it leaves. */
  signIn(
    login: string,
    password: string,
    limitMs = 5_000,
    sent: (request: Sent) => void = () => {},
  ): Promise<RadiusAnswer> {
    const slot = this.#freeSlot();
    const socket = slot % this.#sockets.length;
    const id = Math.floor(slot / this.#sockets.length);
    const octets = radius.encode({
      code: 'Access-Request',
      secret: this.#secret,
      identifier: id,
      attributes: [
        ['User-Name', login],
        ['User-Password', password],
      ],
      add_message_authenticator: true,
    });
    const request = { socket, id, octets };
    sent(request);
    return this.again(request, limitMs);
  }

  /** Sends the same octets (again) from the same port, as a NAS does that had no answer. */
  again({ socket, id, octets }: Sent, limitMs = 5_000): Promise<RadiusAnswer> {
    const slot = id * this.#sockets.length + socket;
    return new Promise((resolve) => {
      const done = (answer: RadiusAnswer) => {
        clearTimeout(timer);
        this.#pending.delete(slot);
        resolve(answer);
      };
      const timer = setTimeout(() => done('silence'), limitMs);
      this.#pending.set(slot, { octets, done });
      this.#sockets[socket]?.send(octets, this.#port, '127.0.0.1');
    });
  }

  /** Ends the waiting for every answer. */
  giveUp(): void {
    for (const { done } of [...this.#pending.values()]) done('silence');
  }

  close(): void {
    this.giveUp();
    for (const socket of this.#sockets) socket.close();
  }

  #freeSlot(): number {
    const slots = IDENTIFIERS * this.#sockets.length;
    for (let tried = 0; tried < slots; tried++) {
      const slot = this.#next;
      this.#next = (this.#next + 1) % slots;
      if (!this.#pending.has(slot)) return slot;
    }
    throw new Error(`${slots} requests are waiting already`);
  }

  #answered(socket: number, reply: Buffer): void {
    const pending = this.#pending.get((reply[1] ?? 0) * this.#sockets.length + socket);
    if (pending === undefined) return;
    if (!radius.verify_response({ request: pending.octets, response: reply, secret: this.#secret })) return;
    const { code } = radius.decode({ packet: reply, secret: this.#secret });
    pending.done(code === 'Access-Accept' ? 'accept' : 'reject');
  }
}
