/**
 * A secret that cannot be printed by accident: `String()`, `JSON.stringify`, template strings, `console.log` and pino all
 * show `[secret]`. Reading it takes the word `reveal`, which a reviewer can search for.
 */
import { timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';

export class Secret {
  readonly #octets: Buffer;

  private constructor(octets: Buffer) {
    this.#octets = octets;
  }

  /** Wraps octets, or the UTF-8 octets of a text. The caller forgets its own copy. */
  static of(value: Buffer | string): Secret {
    return new Secret(typeof value === 'string' ? Buffer.from(value, 'utf8') : value);
  }

  /** The octets themselves. Do not keep, log or send what comes back. */
  reveal(): Buffer {
    return this.#octets;
  }

  /** Equal in value; takes the same time whichever octet differs (a different length is not hidden). */
  equals(other: Secret): boolean {
    return this.#octets.length === other.#octets.length && timingSafeEqual(this.#octets, other.#octets);
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
