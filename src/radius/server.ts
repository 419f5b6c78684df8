/** The RADIUS server: opens its ports, hands every datagram to the door, and ends in order. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Millis } from '../base/units.js';
import { parseEndpoint } from './address.js';
import { loadDictionaries } from './dictionary.js';
import { RadiusDoor } from './door.js';
import type { RadiusServerDeps } from './ports.js';
import { type ListenError, UdpPort } from './udp-port.js';

/** How a start ends. */
export type RadiusStart =
  | { readonly kind: 'listening' }
  | ListenError
  | { readonly kind: 'badAddress'; readonly address: string };

/** How often a stop looks whether everything has been answered. */
const LOOK_MILLIS = 5;

/** Started once, stopped once. */
export class RadiusServer {
  readonly #deps: RadiusServerDeps;
  readonly #door: RadiusDoor;
  readonly #ports: { readonly kind: 'auth' | 'acct'; readonly port: UdpPort }[] = [];
  #stopping = false;

  constructor(deps: RadiusServerDeps) {
    this.#deps = deps;
    this.#door = new RadiusDoor(deps);
  }

  /** Opens every port. Where one cannot be opened all are closed, and it is named. */
  async start(): Promise<RadiusStart> {
    loadDictionaries();
    const wanted = [
      ...this.#deps.listen.map((text) => ({ text, kind: 'auth' as const })),
      ...this.#deps.accounting.map((text) => ({ text, kind: 'acct' as const })),
    ];
    for (const { text, kind } of wanted) {
      const endpoint = parseEndpoint(text);
      const opened =
        endpoint === null
          ? ({ kind: 'badAddress', address: text } as const)
          : await UdpPort.open(
              endpoint,
              (from, datagram, remote) => {
                if (!this.#stopping) this.#door.take(kind, from, datagram, remote);
              },
              this.#deps.log,
            );
      if (!(opened instanceof UdpPort)) {
        this.#close();
        return opened;
      }
      this.#ports.push({ kind, port: opened });
    }
    return { kind: 'listening' };
  }

  /** Where it listens, with the ports that are really open. */
  addresses(): { readonly listen: readonly string[]; readonly accounting: readonly string[] } {
    const of = (kind: 'auth' | 'acct') =>
      this.#ports.filter((each) => each.kind === kind).map(({ port }) => port.address);
    return { listen: of('auth'), accounting: of('acct') };
  }

  /** Takes nothing new, waits at most `grace` for what is being decided and for rejects that wait, then closes. */
  async stop(grace: Millis): Promise<void> {
    this.#stopping = true;
    const until = this.#deps.uptime() + grace;
    while (this.#door.busy && this.#deps.uptime() < until) await sleep(LOOK_MILLIS);
    this.#close();
  }

  #close(): void {
    this.#door.close();
    for (const { port } of this.#ports.splice(0)) port.close();
  }
}
