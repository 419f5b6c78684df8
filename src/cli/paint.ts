/** Colour and weight for a terminal that takes them. What is painted says the same without. */

/** Makes text stand out. */
export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  strong(text: string): string;
  faint(text: string): string;
}

/** SGR parameters: ECMA-48 §8.3.117; each resets what it set. */
const sgr = (on: number, off: number) => (text: string) => `\u001b[${on}m${text}\u001b[${off}m`;
const COLOURED: Paint = { good: sgr(32, 39), bad: sgr(31, 39), strong: sgr(1, 22), faint: sgr(2, 22) };
const asItIs = (text: string): string => text;
const PLAIN: Paint = { good: asItIs, bad: asItIs, strong: asItIs, faint: asItIs };

/** The paint for an output that is a terminal that takes colours, or is not. */
export const paintFor = (colours: boolean): Paint => (colours ? COLOURED : PLAIN);

/** Whether `stream` takes colours: a terminal that is not dumb, and nobody has set NO_COLOR (no-color.org). */
export const takesColours = (
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean => stream.isTTY === true && env['TERM'] !== 'dumb' && (env['NO_COLOR'] ?? '') === '';
