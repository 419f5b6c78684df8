/** A cable to a server over TCP that a test can cut, or on which it can lose the answers. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class Cable {
  readonly port: number;
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #ends = new Set<Socket>();
  #whole = true;
  #answers = true;

  private constructor(server: Server, port: number, target: { readonly host: string; readonly port: number }) {
    this.#server = server;
    this.port = port;
    this.#target = target;
    server.on('connection', (near) => this.#join(near));
  }

  /** A cable from a port of 127.0.0.1 to `host` and `port`. */
  static async to(host: string, port: number): Promise<Cable> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new Cable(server, address.port, { host, port });
  }

  /** Ends every connection, and each new one at once. */
  cut(): void {
    this.#whole = false;
    for (const end of this.#ends) end.destroy();
  }

  /** What is asked arrives; what is answered does not. */
  loseAnswers(): void {
    this.#answers = false;
  }

  /** New connections work again. */
  mend(): void {
    this.#whole = true;
    this.#answers = true;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #join(near: Socket): void {
    if (!this.#whole) {
      near.destroy();
      return;
    }
    const far = connect(this.#target);
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#ends.add(end);
      end.on('error', () => undefined);
      end.on('close', () => {
        this.#ends.delete(end);
        other.destroy();
      });
    }
    near.on('data', (chunk) => far.write(chunk));
    far.on('data', (chunk) => {
      if (this.#answers) near.write(chunk);
    });
  }
}
