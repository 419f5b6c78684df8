/** "Did you mean …?": the known word that is nearest to one that is not known. */

/** More slips than this are another word, not a typing error. */
const SLIPS_FORGIVEN = 2;

/** The nearest of `known` to `word`, letter case and `-`/`_` aside; null where none is near. */
export function nearest(word: string, known: readonly string[]): string | null {
  const plain = (text: string) => text.toLowerCase().replace(/[-_ ]/g, '');
  const wanted = plain(word);
  let best: string | null = null;
  let bestSlips = Math.min(SLIPS_FORGIVEN, Math.floor(wanted.length / 2)) + 1;
  for (const candidate of known) {
    const slips = distance(wanted, plain(candidate), bestSlips);
    if (slips < bestSlips) {
      best = candidate;
      bestSlips = slips;
    }
  }
  return best;
}

/** Levenshtein's distance, or `limit` where it is that or more. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (previous[j - 1] ?? limit) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(swap, (previous[j] ?? limit) + 1, (row[j - 1] ?? limit) + 1));
    }
    previous = row;
  }
  return Math.min(previous[b.length] ?? limit, limit);
}
