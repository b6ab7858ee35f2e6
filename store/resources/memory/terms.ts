/** How many items one search looks at, at most. */
export const MAX_READ = 10_000;
/** Entries of the index that an item may have. Removing one takes about 20 µs in SQLite, which overwrites it. */
export const MAX_TERMS = 4_000;
/** How often a word occurs in an item is indexed exactly up to 4, and then in steps. */
const TIMES = [2, 3, 4, 6, 8, 12, 16, 32] as const;

/** A word as it is indexed: the index serves all namespaces, so that each term names its own. */
export function termOf(namespace: number, word: string): string {
  return `${namespace.toString(36)}_${word}`;
}

/** The terms of the items in which a word occurs several times, with how often. */
export function timesOf(term: string): readonly (readonly [term: string, times: number])[] {
  return TIMES.map((times) => [`${term}_${times}`, times] as const);
}

/**
 * The terms by which an item is found: each of its words once, and how often it occurs if that is more than once. A list of the items of a term then
 * takes as long as it has items, whatever their texts.
 */
export function termsOf(namespace: number, words: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const terms: string[] = [];
  for (const [word, count] of counts) {
    const term = termOf(namespace, word);
    terms.push(term);
    const [several] = timesOf(term)
      .filter(([, times]) => times <= count)
      .slice(-1);
    if (several !== undefined) terms.push(several[0]);
    if (terms.length >= MAX_TERMS) break;
  }
  return terms.slice(0, MAX_TERMS);
}

export interface TermCount {
  readonly term: string;
  /** How many items contain it; counted up to `MAX_READ + 1`. */
  readonly items: number;
}

/** The rarer a term, the heavier it is (inverse document frequency, as BM25 has it). */
export interface WeightedTerm extends TermCount {
  readonly weight: number;
}

/**
 * The terms to read: the rarest, which say most, as long as the items in which they occur are no more than `MAX_READ` together, but at least one, of which
 * only that many items are read. Others count for nothing.
 */
export function termsToRead(counts: readonly TermCount[], itemsInAll: number): readonly WeightedTerm[] {
  const occurring = counts
    .filter(({ items }) => items > 0)
    .map(({ term, items }) => ({ term, items: Math.min(items, MAX_READ + 1) }))
    .sort((a, b) => a.items - b.items);
  let read = 0;
  const chosen = occurring.filter(({ items }, index) => {
    read += items;
    return index === 0 || read <= MAX_READ;
  });
  return chosen.map(({ term, items }) => ({ term, items, weight: weightOf(Math.min(items, itemsInAll), itemsInAll) }));
}

function weightOf(items: number, itemsInAll: number): number {
  return Math.log(1 + (itemsInAll - items + 0.5) / (items + 0.5));
}
