/**
 * Whether a ledger can write, as far as its last attempt tells. After a failure it is tried again and again: while nobody asks (their
 * gear has gone elsewhere because we are not ready) nobody else would find out that writing works again.
 */

/** What the ledger tells the operator. */
export interface LedgerObserver {
  /** A batch of `size` events is on disk; it took `millis`. */
  batch(size: number, millis: number): void;
  failed(error: unknown): void;
  recovered(): void;
}

/** Between two writes that try whether a store that failed can be written again. */
const PROBE_MS = 1_000;

export class LedgerHealth {
  readonly #observer: LedgerObserver;
  readonly #write: () => Promise<void>;
  #healthy = true;
  #timer: NodeJS.Timeout | null = null;
  #probing = false;

  /** `write` changes a row that says nothing, and rejects where it cannot. */
  constructor(observer: LedgerObserver, write: () => Promise<void>) {
    this.#observer = observer;
    this.#write = write;
  }

  /** Whether the last write succeeded. */
  get healthy(): boolean {
    return this.#healthy;
  }

  /** A write failed. */
  failed(error: unknown): void {
    this.#healthy = false;
    this.#observer.failed(error);
    this.#timer ??= setInterval(() => void this.#probe(), PROBE_MS).unref();
  }

  /** A write succeeded. */
  succeeded(): void {
    if (this.#healthy) return;
    this.#healthy = true;
    this.stop();
    this.#observer.recovered();
  }

  /** Tries no more. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #probe(): Promise<void> {
    if (this.#probing) return;
    this.#probing = true;
    try {
      await this.#write();
      this.succeeded();
    } catch {
      // Still away; the next look will tell.
    } finally {
      this.#probing = false;
    }
  }
}
