/**
 * Which keys of a long file come twice, without keeping the file: a number a key (53 bits of a hash), sorted at the end. Two
 * keys may share a number, so what is found is a suspicion, to be looked at in a second reading.
 */

const FIRST_SIZE = 65_536;

export class RepeatedKeys {
  #numbers = new Float64Array(FIRST_SIZE);
  #count = 0;

  add(key: string): void {
    if (this.#count === this.#numbers.length) {
      const larger = new Float64Array(this.#numbers.length * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.#count] = keyNumber(key);
    this.#count += 1;
  }

  /** The numbers that came more than once. */
  suspects(): ReadonlySet<number> {
    const sorted = this.#numbers.subarray(0, this.#count).sort();
    const found = new Set<number>();
    for (let i = 1; i < sorted.length; i++) {
      const number = sorted[i];
      if (number !== undefined && number === sorted[i - 1]) found.add(number);
    }
    return found;
  }
}

/** 53 bits of a key: two FNV-like hashes with different multipliers. Not for keys that an enemy chooses: those only cost a second reading. */
export function keyNumber(key: string): number {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    a = Math.imul(a ^ unit, 2_654_435_761);
    b = Math.imul(b ^ unit, 1_597_334_677);
  }
  a = Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909);
  b = Math.imul(b ^ (b >>> 16), 2_246_822_507) ^ Math.imul(a ^ (a >>> 13), 3_266_489_909);
  return 4_294_967_296 * (b & 0x1f_ffff) + (a >>> 0);
}
