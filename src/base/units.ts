/**
 * The units that numbers have here. A number with a brand was made where its unit is known, and cannot be mixed up
 * with another further in. `as` stands in this file alone.
 */
declare const unit: unique symbol;

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number & { readonly [unit]: 'instant' };
/** A span of time in milliseconds. */
export type Millis = number & { readonly [unit]: 'millis' };
/** A span of time in whole seconds. */
export type Seconds = number & { readonly [unit]: 'seconds' };

/** A clock that rules are told, never ask: the process passes `Date.now`, a test passes what it likes. */
export type Clock = () => Instant;

/** Marks `ms` (since the epoch) as an instant. */
export const instant = (ms: number): Instant => ms as Instant;
/** Marks `ms` as a span in milliseconds. */
export const millis = (ms: number): Millis => ms as Millis;
/** Marks `s` as a span in seconds. */
export const seconds = (s: number): Seconds => s as Seconds;

/** The wall clock. */
export const systemClock: Clock = () => instant(Date.now());
