/** What each peer address holds at the moment: connections, and binds in flight. An address that holds nothing is forgotten. */

export interface Peer {
  /** Canonical, IPv4-mapped IPv6 folded to IPv4. */
  readonly address: string;
  connections: number;
  bindsInFlight: number;
  /** Door events in the current minute. */
  events: number;
  minute: number;
}

export interface PeerLimits {
  readonly connections: number;
  readonly connectionsPerPeer: number;
  readonly bindsInFlight: number;
}

export class Peers {
  readonly #peers = new Map<string, Peer>();
  readonly #limits: PeerLimits;
  readonly #bindsPerPeer: number;
  #connections = 0;
  #bindsInFlight = 0;

  constructor(limits: PeerLimits) {
    this.#limits = limits;
    // Half, so that one peer alone cannot make the door busy for the others.
    this.#bindsPerPeer = Math.max(1, Math.floor(limits.bindsInFlight / 2));
  }

  get connections(): number {
    return this.#connections;
  }

  get bindsInFlight(): number {
    return this.#bindsInFlight;
  }

  /** Counts a new connection; null where there are too many, of all peers or of this one. */
  connect(address: string): Peer | null {
    if (this.#connections >= this.#limits.connections) return null;
    let peer = this.#peers.get(address);
    if (peer === undefined) {
      peer = { address, connections: 0, bindsInFlight: 0, events: 0, minute: 0 };
      this.#peers.set(address, peer);
    }
    if (peer.connections >= this.#limits.connectionsPerPeer) return null;
    peer.connections += 1;
    this.#connections += 1;
    return peer;
  }

  disconnect(peer: Peer): void {
    peer.connections -= 1;
    this.#connections -= 1;
    this.#forget(peer);
  }

  /** Takes a place for a bind; false where none is free. */
  startBind(peer: Peer): boolean {
    if (this.#bindsInFlight >= this.#limits.bindsInFlight || peer.bindsInFlight >= this.#bindsPerPeer) return false;
    peer.bindsInFlight += 1;
    this.#bindsInFlight += 1;
    return true;
  }

  endBind(peer: Peer): void {
    peer.bindsInFlight -= 1;
    this.#bindsInFlight -= 1;
    this.#forget(peer);
  }

  /** A peer that still has a bind in flight stays, so that connecting anew does not begin its count anew. */
  #forget(peer: Peer): void {
    if (peer.connections === 0 && peer.bindsInFlight === 0) this.#peers.delete(peer.address);
  }
}
