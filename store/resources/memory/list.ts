import type { MemoryItemsPage, MemoryPage } from '../../port/resources/memory.ts';
import { MEMORY_NAMESPACE, MEMORY_NUMBERS } from '../queries/memory.ts';
import { type MemoryReading, readItems } from './reading.ts';

/** How many items one statement looks at. */
const SCANNED = 1_000;
/** Of texts and metadata in one page. */
const PAGE_BYTES = 4 * 1024 * 1024;

export async function listMemory(memory: MemoryReading, { before, limit, nowMs }: MemoryPage): Promise<MemoryItemsPage> {
  const { db, tenantId, namespace, turns } = memory;
  await turns.next();
  const totals = await db.get(MEMORY_NAMESPACE, { tenantId, namespace });
  if (totals === null) return { items: [], next: null };
  const { number } = totals;
  const numbers: number[] = [];
  let from = before ?? Number.MAX_SAFE_INTEGER;
  let bytes = 0;
  for (;;) {
    await turns.next();
    const scanned = await db.all(MEMORY_NUMBERS, { tenantId, number, before: from, limit: SCANNED, nowMs });
    for (const item of scanned) {
      if (!item.live) continue;
      bytes += item.bytes;
      if (numbers.length > 0 && (numbers.length === limit || bytes > PAGE_BYTES))
        return { items: await readItems(memory, number, numbers), next: numbers.at(-1) ?? null };
      numbers.push(item.number);
    }
    if (scanned.length < SCANNED) return { items: await readItems(memory, number, numbers), next: null };
    from = scanned.at(-1)?.number ?? 0;
  }
}
