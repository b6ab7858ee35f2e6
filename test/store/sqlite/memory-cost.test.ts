import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { MemoryItemWrite } from '../../../store/port/resources/memory.ts';
import { cpuOfPieces } from '../../support/cpu.ts';
import { type SqliteDatabase, sqliteDatabase } from '../../support/stores.ts';
import { AT_MS, AT_ONCE, context } from '../writes.ts';

/** More than a search looks at; each has all of the words. */
const ITEMS = 20_000;
const WORDS = Array.from({ length: 50 }, (_, n) => `q${n}`);
const FILTER = JSON.stringify(Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`k${n}`, n])));
const PIECE_MS = 50;
/** The least of them counts: garbage collection falls on any piece. */
const ATTEMPTS = 4;

const LIMITS = { namespaces: 5, itemsPerNamespace: 100_000, bytes: 2 ** 30 };
const put = (items: readonly MemoryItemWrite[]) => ({ namespace: 'docs', items, limits: LIMITS, origin: {} });
const item = (id: string, text: string): MemoryItemWrite => ({ id, text, metadata: '{}', expiresAtMs: null });
/** The largest text, and the one with most different words. */
const LARGEST = 'x '.repeat(32_000);
const MOST_WORDS = Array.from({ length: 10_000 }, (_, n) => n.toString(36)).join(' ');

async function filled(database: SqliteDatabase, text = 'text', expiresAtMs: number | null = null) {
  const store = await database.open();
  const db = new Database(database.path);
  db.pragma('synchronous = OFF');
  db.prepare("INSERT INTO memory_namespaces VALUES (1, 'default', 'docs', ?, ?, ?, 0)").run(
    ITEMS,
    ITEMS * text.length,
    50 * ITEMS,
  );
  db.prepare(`INSERT INTO memory_items (tenant_id, namespace, id, created_at_ms, updated_at_ms, expires_at_ms, bytes, words, metadata, text, terms)
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < @items)
    SELECT 'default', 1, 'i' || n, 0, 0, @expiresAtMs, length(@text), 50, iif(n > @items - 2000, @metadata, '{}'), @text, @terms FROM numbers`).run(
    {
      ...{ items: ITEMS, text, expiresAtMs, metadata: FILTER, terms: WORDS.map((word) => `1_${word} 1_${word}_2`).join(' ') },
    },
  );
  db.close();
  return store;
}

async function longestPieceMs(work: Parameters<typeof cpuOfPieces>[0]): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let n = 0; n < ATTEMPTS && least >= PIECE_MS; n += 1) least = Math.min(least, Math.max(...(await cpuOfPieces(work))));
  return least;
}

describe('the thread is held for a moment at a time', () => {
  it('by a search for many words that are in all items', async () => {
    const store = await filled(sqliteDatabase());
    const search = { query: WORDS.join(' '), limit: 100, nowMs: AT_MS, filter: '{}' };
    for (const query of [search, { ...search, query: 'q7' }, { ...search, filter: FILTER }]) {
      const longest = await longestPieceMs(async (turns) => {
        const { items, truncated } = await store.memory.search('default', 'docs', query, turns);
        expect([items.length, truncated]).toEqual([100, true]);
      });
      expect(longest).toBeLessThan(PIECE_MS);
    }
  });

  it('by a list of items, most of which have expired or are large', async () => {
    const page = { before: null, limit: 1_000, nowMs: AT_MS };
    const store = await filled(sqliteDatabase(), 'text', AT_MS);
    const expired = await longestPieceMs(async (turns) => {
      expect(await store.memory.list('default', 'docs', page, turns)).toEqual({ items: [], next: null });
    });
    const large = await sqliteDatabase().open();
    await large.memory.put(put(Array.from({ length: 100 }, (_, n) => item(`i${n}`, LARGEST))), context(), AT_ONCE);
    const first = await longestPieceMs(async (turns) => {
      const { items, next } = await large.memory.list('default', 'docs', page, turns);
      expect([items.length, next]).toEqual([65, items.at(-1)?.number]);
    });
    expect(Math.max(expired, first)).toBeLessThan(PIECE_MS);
  });

  it('by writes of large items, which are stored, replaced and removed a few at a time', async () => {
    const store = await sqliteDatabase().open();
    const sizes: number[] = [];
    const count = async (): Promise<void> => {
      const [namespace] = await store.memory.namespaces('default', { after: '', limit: 1 });
      sizes.push(namespace?.items ?? 0);
    };
    const turns = { next: () => count() };
    const items = Array.from({ length: 25 }, (_, n) => item(`i${n}`, MOST_WORDS));
    expect(await store.memory.put(put(items), context(), turns)).toEqual({ added: 25, replaced: 0 });
    expect([...new Set(sizes)]).toEqual([0, 10, 20]);
    const replaced = await cpuOfPieces((each) =>
      store.memory.put(put(items.slice(0, 3).map(({ id }) => item(id, 'a'))), context(), each),
    );
    // Three texts and three transactions.
    expect(replaced).toHaveLength(7);
    const remove = () => store.memory.remove({ namespace: 'docs', id: null, origin: {} }, context());
    expect([await remove(), await remove(), await remove()]).toEqual([3, 1, 1]);
    const { entries } = await store.audit.find('default', {}, { limit: 99, offset: 0, after: null });
    const stored: number[] = [];
    for await (const { type, data } of entries)
      if (type === 'memory_stored') stored.push(Number(data.added) + Number(data.replaced));
    expect(stored).toEqual([1, 1, 1, 5, 10, 10]);
  });
});
