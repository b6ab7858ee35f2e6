/**
 * How many entries of the index one search reads at most: it then takes about 20 ms, in which SQLite blocks the process. Rare words, which say most, are
 * read first; a word that occurs in more items than are left counts for nothing.
 */
export const MAX_READ = 10_000;

/** A word as it is indexed: the index serves all namespaces, so that each term names its own. */
export function termOf(namespace: number, word: string): string {
  return `${namespace.toString(36)}_${word}`;
}

interface TermCount {
  readonly term: string;
  /** How many items of the namespace contain it. */
  readonly items: number;
}

/** The terms to read, with the weight of each: the rarer, the heavier (inverse document frequency, as BM25 has it). */
export function termsToRead(counts: readonly TermCount[], itemsInAll: number): Readonly<Record<string, number>> {
  const occurring = counts.filter(({ items }) => items > 0).sort((a, b) => a.items - b.items);
  let read = 0;
  const chosen = occurring.filter(({ items }, index) => {
    read += items;
    return index === 0 || read <= MAX_READ;
  });
  return Object.fromEntries(chosen.map(({ term, items }) => [term, weightOf(Math.min(items, itemsInAll), itemsInAll)]));
}

function weightOf(items: number, itemsInAll: number): number {
  return Math.log(1 + (itemsInAll - items + 0.5) / (items + 0.5));
}
