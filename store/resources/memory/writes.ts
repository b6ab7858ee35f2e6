import type { ActionContext } from '../../port/control.ts';
import type { MemoryItemWrite, MemoryLimits, MemoryPut, MemoryPutResult } from '../../port/resources/memory.ts';
import * as sql from '../queries/memory.ts';
import { all, get, run, runEach, type Script } from '../script.ts';
import { MAX_TERMS, termsOf } from './terms.ts';
import { wordsOf } from './words.ts';

/** What one transaction writes, in entries of the index: SQLite holds the thread for about 50 ms. */
const ADDED_PER_TRANSACTION = 40_000;
/** To remove an entry takes as long as to add this many. */
const REMOVAL = 20;
/** How often a namespace that others delete meanwhile is created again. */
const CREATIONS = 10;

export interface PreparedItem extends MemoryItemWrite {
  readonly wordsInOrder: readonly string[];
  readonly bytes: number;
}

export function preparedItem(item: MemoryItemWrite): PreparedItem {
  return { ...item, wordsInOrder: wordsOf(item.text), bytes: Buffer.byteLength(item.text) + Buffer.byteLength(item.metadata) };
}

/** Stores the first of the items, as many as one transaction should write; none of them if they would exceed a limit all together. */
export function* putFirst(
  { namespace, rest, limits }: Pick<MemoryPut, 'namespace' | 'limits'> & { readonly rest: readonly PreparedItem[] },
  { tenantId, atMs }: ActionContext,
): Script<MemoryPutResult> {
  const { number, ...held } = yield* lockedNamespace(tenantId, namespace, atMs);
  const before = yield* all(sql.MEMORY_SIZES, { tenantId, number, ids: rest.map(({ id }) => id) });
  const totals = yield* get(sql.MEMORY_TOTALS, { tenantId });
  const addedItems = rest.length - before.length;
  const addedBytes = sum(rest, 'bytes') - sum(before, 'bytes');
  const exceeded = exceededLimit(limits, {
    namespaces: totals?.namespaces ?? 0,
    itemsPerNamespace: addedItems > 0 ? held.items + addedItems : 0,
    bytes: addedBytes > 0 ? (totals?.bytes ?? 0) + addedBytes : 0,
  });
  if (exceeded !== null) {
    yield* run(sql.DELETE_EMPTY_MEMORY_NAMESPACE, { tenantId, number });
    return { exceeded };
  }
  const sizes = new Map(before.map((size) => [size.id, size]));
  const first = firstOf(
    rest,
    ({ id, wordsInOrder }) => entriesOf(wordsInOrder.length) + REMOVAL * entriesOf(sizes.get(id)?.words ?? 0),
  );
  const replaced = first.flatMap(({ id }) => sizes.get(id) ?? []);
  const rows = first.map(({ wordsInOrder, ...item }) => ({
    ...item,
    ...{ tenantId, number, atMs, terms: termsOf(number, wordsInOrder).join(' '), words: wordsInOrder.length },
  }));
  yield* runEach(sql.PUT_MEMORY_ITEM, rows);
  yield* run(sql.ADD_TO_MEMORY_TOTALS, {
    ...{ tenantId, number, items: rows.length - replaced.length },
    bytes: sum(rows, 'bytes') - sum(replaced, 'bytes'),
    words: sum(rows, 'words') - sum(replaced, 'words'),
  });
  return { added: rows.length - replaced.length, replaced: replaced.length };
}

/** Deletes the first of the items, as many as one transaction should write, and a namespace with its last item. Resolves to how many. */
export function* deleteFirst(tenantId: string, number: number, found: readonly sql.StoredSize[]): Script<number> {
  if (found.length === 0) return 0;
  const items = firstOf(found, ({ words }) => REMOVAL * entriesOf(words));
  yield* run(sql.DELETE_MEMORY_ITEMS, { tenantId, number, ids: items.map(({ id }) => id) });
  const removed = { items: -items.length, bytes: -sum(items, 'bytes'), words: -sum(items, 'words') };
  yield* run(sql.ADD_TO_MEMORY_TOTALS, { tenantId, number, ...removed });
  yield* run(sql.DELETE_EMPTY_MEMORY_NAMESPACE, { tenantId, number });
  return items.length;
}

function* lockedNamespace(tenantId: string, namespace: string, atMs: number): Script<sql.NamespaceTotals> {
  for (let i = 0; i < CREATIONS; i += 1) {
    const held = yield* get(sql.LOCK_MEMORY_NAMESPACE, { tenantId, namespace });
    if (held !== null) return held;
    yield* run(sql.CREATE_MEMORY_NAMESPACE, { tenantId, namespace, atMs });
  }
  throw new Error(`memory namespace ${namespace} is deleted as often as it is created`);
}

function exceededLimit(limits: MemoryLimits, wanted: MemoryLimits): keyof MemoryLimits | null {
  return (Object.keys(limits) as (keyof MemoryLimits)[]).find((name) => wanted[name] > limits[name]) ?? null;
}

/** Entries of the index of an item with that many words, at most. */
function entriesOf(words: number): number {
  return Math.min(words, MAX_TERMS);
}

/** At least one. */
function firstOf<T>(all: readonly T[], cost: (each: T) => number): readonly T[] {
  let total = 0;
  const end = all.findIndex((each, index) => {
    total += cost(each);
    return index > 0 && total > ADDED_PER_TRANSACTION;
  });
  return end < 0 ? all : all.slice(0, end);
}

function sum<K extends string>(rows: readonly { readonly [P in K]: number }[], key: K): number {
  return rows.reduce((total, row) => total + row[key], 0);
}
