import type { MemoryFindings, MemorySearch } from '../../port/resources/memory.ts';
import * as sql from '../queries/memory.ts';
import { type MemoryReading, piecesOf, readItems } from './reading.ts';
import { MAX_READ, type TermCount, termOf, termsToRead, timesOf, type WeightedTerm } from './terms.ts';
import { wordsOfQuery } from './words.ts';

/** Words of a query that are looked for. */
const MAX_QUERY_WORDS = 50;

/** How much one statement reads: SQLite holds the thread meanwhile, for a few milliseconds; PostgreSQL reads all at once. */
const PIECES = {
  sqlite: { terms: 2, lists: 1, items: 1_000, metadata: 20 },
  postgres: { terms: Number.POSITIVE_INFINITY, lists: Number.POSITIVE_INFINITY, items: MAX_READ, metadata: MAX_READ },
} as const;

/** One word of the query in the items that have it. */
interface Occurrences {
  readonly weight: number;
  /** How often it occurs, by item. */
  readonly times: Map<number, number>;
}

interface Scored {
  readonly item: number;
  readonly score: number;
}

/** BM25 with k1 = 1.2 and b = 0.75. Of items with the same score, the newest is first. */
export async function searchMemory(memory: MemoryReading, search: MemorySearch): Promise<MemoryFindings> {
  const { db, tenantId, namespace } = memory;
  const asked = wordsOfQuery(search.query, MAX_QUERY_WORDS + 1);
  await memory.turns.next();
  const totals = asked.length === 0 ? null : await db.get(sql.MEMORY_NAMESPACE, { tenantId, namespace });
  if (totals === null || totals.items === 0) return { items: [], truncated: false };
  const words = asked.slice(0, MAX_QUERY_WORDS);
  const counts = await countTerms(
    memory,
    words.map((word) => termOf(totals.number, word)),
  );
  const terms = termsToRead(counts, totals.items);
  const occurrences = await readOccurrences(memory, terms);
  const scored = await scoreItems(memory, search, totals, occurrences);
  const best = scored.sort((a, b) => b.score - a.score || b.item - a.item).slice(0, search.limit);
  const truncated = asked.length > words.length || counts.some(({ items }) => items > MAX_READ) || terms.length < counts.length;
  const items = await readItems(
    memory,
    totals.number,
    best.map(({ item }) => item),
  );
  const scores = new Map(best.map(({ item, score }) => [item, score]));
  return { items: items.map((item) => ({ ...item, score: scores.get(item.number) ?? 0 })), truncated };
}

/** The terms that occur. */
async function countTerms({ db, engine, turns }: MemoryReading, terms: readonly string[]): Promise<readonly TermCount[]> {
  const counts: TermCount[] = [];
  for (const piece of piecesOf(terms, PIECES[engine].terms)) {
    await turns.next();
    counts.push(...(await db.all(sql.MEMORY_TERM_COUNTS, { terms: piece, max: MAX_READ + 1 })));
  }
  return counts.filter(({ items }) => items > 0);
}

async function readOccurrences(memory: MemoryReading, terms: readonly WeightedTerm[]): Promise<readonly Occurrences[]> {
  const byTerm = new Map(terms.map(({ term, weight }) => [term, { weight, times: new Map<number, number>() }]));
  let oldest = Number.MAX_SAFE_INTEGER;
  await eachEntry(memory, [...byTerm.keys()], 0, (term, item) => {
    byTerm.get(term)?.times.set(item, 1);
    oldest = Math.min(oldest, item);
  });
  const several = new Map(
    terms.flatMap(({ term }) =>
      timesOf(term).map(([severalTerm, times]) => [severalTerm, { times, of: byTerm.get(term) }] as const),
    ),
  );
  await eachEntry(memory, [...several.keys()], oldest, (term, item) => {
    const entry = several.get(term);
    if (entry?.of?.times.has(item) === true) entry.of.times.set(item, entry.times);
  });
  return [...byTerm.values()];
}

/** The newest `MAX_READ` items with each of the terms, from the item `from`. */
async function eachEntry(
  { db, engine, turns }: MemoryReading,
  terms: readonly string[],
  from: number,
  found: (term: string, item: number) => void,
): Promise<void> {
  const { lists, items } = PIECES[engine];
  for (const piece of piecesOf(terms, lists)) {
    let before = Number.MAX_SAFE_INTEGER;
    for (let read = 0; read < MAX_READ; read += items) {
      await turns.next();
      const rows = await db.all(sql.MEMORY_ENTRIES, { terms: piece, term: piece[0] ?? '', from, before, limit: items });
      for (const { term, item } of rows) found(term, item);
      if (rows.length < items) break;
      before = rows.at(-1)?.item ?? 0;
    }
  }
}

/** Those that have not expired and whose metadata matches. */
async function scoreItems(
  { db, engine, tenantId, turns }: MemoryReading,
  { nowMs, filter }: MemorySearch,
  { number, items, words }: sql.NamespaceTotals,
  occurrences: readonly Occurrences[],
): Promise<Scored[]> {
  const meanWords = Math.max(words, 1) / items;
  const wanted = Object.entries(JSON.parse(filter) as Readonly<Record<string, unknown>>);
  const found = [...new Set(occurrences.flatMap(({ times }) => [...times.keys()]))];
  const scored: Scored[] = [];
  for (const piece of piecesOf(found, wanted.length === 0 ? PIECES[engine].items : PIECES[engine].metadata)) {
    await turns.next();
    const values = { items: piece.map(String), tenantId, number, nowMs, filtered: wanted.length > 0 };
    for (const row of await db.all(sql.MEMORY_CANDIDATES, values)) {
      if (!matches(row.metadata, wanted)) continue;
      let score = 0;
      for (const { weight, times } of occurrences) {
        const count = times.get(row.item);
        if (count !== undefined) score += (weight * 2.2 * count) / (count + 0.3 + (0.9 * row.words) / meanWords);
      }
      // Sums of the same numbers in another order may differ in their last digits.
      scored.push({ item: row.item, score: Math.round(score * 1e6) / 1e6 });
    }
  }
  return scored;
}

/** Values are compared with their types. */
function matches(metadata: string | null, wanted: readonly (readonly [key: string, value: unknown])[]): boolean {
  if (metadata === null) return true;
  const given = JSON.parse(metadata) as Readonly<Record<string, unknown>>;
  return wanted.every(([key, value]) => Object.hasOwn(given, key) && given[key] === value);
}
