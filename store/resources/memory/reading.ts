import type { MemoryItemRow } from '../../port/resources/memory.ts';
import type { Turns } from '../../port/turns.ts';
import type { ResourceDatabase, Statements } from '../database.ts';
import { MEMORY_ITEMS_BY_NUMBER } from '../queries/memory.ts';

/** A namespace that is read. */
export interface MemoryReading {
  readonly db: Statements;
  readonly engine: ResourceDatabase['engine'];
  readonly tenantId: string;
  readonly namespace: string;
  readonly turns: Turns;
}

/** Items of up to 72 KiB that one statement of SQLite reads, which holds the thread meanwhile. */
const ITEMS_PER_STATEMENT = 16;

/** In the order of the numbers. One that was deleted meanwhile is missing. */
export async function readItems(
  { db, engine, tenantId, turns }: MemoryReading,
  namespace: number,
  numbers: readonly number[],
): Promise<readonly MemoryItemRow[]> {
  const found = new Map<number, MemoryItemRow>();
  for (const piece of piecesOf(numbers, engine === 'sqlite' ? ITEMS_PER_STATEMENT : numbers.length)) {
    await turns.next();
    const rows = await db.all(MEMORY_ITEMS_BY_NUMBER, { tenantId, number: namespace, items: piece.map(String) });
    for (const row of rows) found.set(row.number, row);
  }
  return numbers.flatMap((number) => found.get(number) ?? []);
}

export function* piecesOf<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size);
}
