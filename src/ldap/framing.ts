/**
 * Cuts the octets of a connection into messages. The announced length is checked as soon as it can be read, before anything
 * is kept for it (LDAP-2); what is kept grows by doubling with what has really arrived, so that neither a lie about a length
 * costs memory nor a message sent octet by octet costs quadratic time.
 */
import { readHeader, TAG } from './ber.js';

export type FramingError = 'protocol_error' | 'too_large';

const NOTHING = Buffer.alloc(0);
const SMALLEST_KEPT = 512;

export class FrameReader {
  #octets: Buffer = NOTHING;
  #start = 0;
  #end = 0;
  /** True where `#octets` was allocated here, so that there may be room behind `#end`. */
  #own = false;

  /** How many octets wait: what `next` has not returned yet. */
  get waiting(): number {
    return this.#end - this.#start;
  }

  /** Takes octets as they arrived. `chunk` belongs to the reader from now on. */
  push(chunk: Buffer): void {
    if (this.#start === this.#end) {
      this.#octets = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#own = false;
      return;
    }
    if (!this.#own || this.#end + chunk.length > this.#octets.length) this.#move(chunk.length);
    this.#end += chunk.copy(this.#octets, this.#end);
  }

  /**
   * The next whole message, as a view that stays true; null where more octets are needed. A content of more than
   * `maxOctets` is `too_large`, something that is no SEQUENCE of definite length `protocol_error`; after either, the
   * connection cannot be read any further.
   */
  next(maxOctets: number): Buffer | FramingError | null {
    if (this.#start === this.#end) return null;
    if (this.#octets.readUInt8(this.#start) !== TAG.sequence) return 'protocol_error';
    const header = readHeader(this.#octets, this.#start, this.#end);
    if (header === 'invalid') return 'protocol_error';
    if (header !== 'incomplete') {
      if (header.contentOctets > maxOctets) return 'too_large';
      const behind = this.#start + header.headerOctets + header.contentOctets;
      if (behind <= this.#end) {
        const frame = this.#octets.subarray(this.#start, behind);
        this.#start = behind;
        if (behind === this.#end) this.#forget();
        return frame;
      }
    }
    // Half a message must not keep the large buffer alive that the socket read it into.
    if (!this.#own) this.#move(0);
    return null;
  }

  #forget(): void {
    this.#octets = NOTHING;
    this.#start = 0;
    this.#end = 0;
    this.#own = false;
  }

  /** Into a new buffer with room for `more`: frames that were handed out are views of the old one. */
  #move(more: number): void {
    const kept = Buffer.allocUnsafe(Math.max(SMALLEST_KEPT, 2 * (this.waiting + more)));
    const length = this.#octets.copy(kept, 0, this.#start, this.#end);
    this.#octets = kept;
    this.#start = 0;
    this.#end = length;
    this.#own = true;
  }
}
