/** Places for requests in flight: so many in all, so many for one host; past that a request is turned away at once. */

export interface PlaceLimits {
  readonly inFlight: number;
  readonly inFlightPerPeer: number;
}

/** A place that a request holds. Giving it back twice does nothing. */
export interface Place {
  release(): void;
}

export class Places {
  readonly #limits: PlaceLimits;
  readonly #byHost = new Map<string, number>();
  #taken = 0;

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** How many are in flight. */
  get taken(): number {
    return this.#taken;
  }

  /** A place for a request of `host`, or null where there is none left. */
  take(host: string): Place | null {
    const ofHost = this.#byHost.get(host) ?? 0;
    if (this.#taken >= this.#limits.inFlight || ofHost >= this.#limits.inFlightPerPeer) return null;
    this.#taken += 1;
    this.#byHost.set(host, ofHost + 1);
    let held = true;
    return {
      release: () => {
        if (!held) return;
        held = false;
        this.#taken -= 1;
        const left = (this.#byHost.get(host) ?? 1) - 1;
        if (left === 0) this.#byHost.delete(host);
        else this.#byHost.set(host, left);
      },
    };
  }
}
