import type { ActionContext } from '../../port/control.ts';
import {
  type FoundMemoryItem,
  MEMORY_ITEMS_PER_REMOVAL,
  type MemoryItemRow,
  type MemoryLimits,
  type MemoryNamespaceRow,
  type MemoryPage,
  type MemoryPut,
  type MemoryPutResult,
  type MemoryRemoval,
  type MemorySearch,
  type MemoryStore,
} from '../../port/resources/memory.ts';
import type { ResourceDatabase } from '../database.ts';
import * as sql from '../queries/memory.ts';
import { all, get, run, runEach, type Script } from '../script.ts';
import { MAX_READ, termOf, termsToRead } from './terms.ts';
import { wordsOf, wordsOfQuery } from './words.ts';

/** Words of a query that are looked for. */
const MAX_QUERY_WORDS = 32;
/** How often a namespace that others delete meanwhile is created again. */
const CREATIONS = 10;

export class Memory implements MemoryStore {
  readonly #db: ResourceDatabase;

  constructor(db: ResourceDatabase) {
    this.#db = db;
  }

  namespaces(tenantId: string, page: { readonly after: string; readonly limit: number }): Promise<readonly MemoryNamespaceRow[]> {
    return this.#db.tenant(tenantId).all(sql.MEMORY_NAMESPACES, { ...page, tenantId });
  }

  get(tenantId: string, namespace: string, id: string, nowMs: number): Promise<MemoryItemRow | null> {
    return this.#db.tenant(tenantId).get(sql.MEMORY_ITEM, { tenantId, namespace, id, nowMs });
  }

  list(tenantId: string, namespace: string, page: MemoryPage): Promise<readonly MemoryItemRow[]> {
    const values = { ...page, tenantId, namespace, before: page.before ?? Number.MAX_SAFE_INTEGER };
    return this.#db.tenant(tenantId).all(sql.MEMORY_ITEMS, values);
  }

  async search(
    tenantId: string,
    namespace: string,
    { query, limit, nowMs, filter }: MemorySearch,
  ): Promise<readonly FoundMemoryItem[]> {
    const db = this.#db.tenant(tenantId);
    const words = wordsOfQuery(query, MAX_QUERY_WORDS);
    const totals = words.length === 0 ? null : await db.get(sql.MEMORY_NAMESPACE, { tenantId, namespace });
    if (totals === null || totals.items === 0) return [];
    const { number } = totals;
    const terms = words.map((word) => termOf(number, word));
    const counts = await db.all(sql.MEMORY_TERM_COUNTS, { terms, max: MAX_READ + 1 });
    const weights = termsToRead(counts, totals.items);
    const found = Object.keys(weights);
    if (found.length === 0) return [];
    const rows = await db.all(sql.SEARCH_MEMORY, {
      ...{ tenantId, number, limit, nowMs, filter },
      wanted: JSON.stringify(weights),
      any: found.map((term) => `'${term}'`).join(' | '),
      meanWords: Math.max(totals.words, 1) / totals.items,
      max: 2 * MAX_READ,
    });
    // Sums of the same numbers may differ in their last digits.
    return rows.map((row) => ({ ...row, score: Math.round(row.score * 1e6) / 1e6 }));
  }

  put(write: MemoryPut, context: ActionContext): Promise<MemoryPutResult> {
    const { namespace, origin } = write;
    return this.#db.act(context, function* () {
      const result = yield* put(write, context);
      const event =
        'exceeded' in result ? null : { type: 'memory_stored', data: JSON.stringify({ namespace, ...result, ...origin }) };
      if (event === null) yield* dropIfEmpty(context.tenantId, namespace);
      return { event, result };
    });
  }

  remove({ namespace, id, origin }: MemoryRemoval, context: ActionContext): Promise<number> {
    const { tenantId } = context;
    return this.#db.act(context, function* () {
      const held = yield* get(sql.LOCK_MEMORY_NAMESPACE, { tenantId, namespace });
      if (held === null) return { event: null, result: 0 };
      const { number } = held;
      const items = yield* id === null
        ? all(sql.MEMORY_ITEMS_TO_REMOVE, { tenantId, number, limit: MEMORY_ITEMS_PER_REMOVAL })
        : all(sql.MEMORY_SIZES, { tenantId, number, ids: [id] });
      yield* deleteItems(tenantId, number, items);
      const data = { namespace, ...(id === null ? {} : { id }), items: items.length, ...origin };
      return { event: items.length === 0 ? null : { type: 'memory_deleted', data: JSON.stringify(data) }, result: items.length };
    });
  }

  async tenantsWithExpired(nowMs: number): Promise<readonly string[]> {
    return (await this.#db.runtime.all(sql.TENANTS_WITH_EXPIRED_MEMORY, { nowMs })).map(({ tenantId }) => tenantId);
  }

  removeExpired(nowMs: number, context: ActionContext): Promise<number> {
    const { tenantId } = context;
    return this.#db.act(context, function* () {
      const expired = yield* get(sql.EXPIRED_MEMORY_NAMESPACE, { tenantId, nowMs });
      const held = expired === null ? null : yield* get(sql.LOCK_MEMORY_NAMESPACE, { tenantId, ...expired });
      if (expired === null || held === null) return { event: null, result: 0 };
      const { number } = held;
      const items = yield* all(sql.EXPIRED_MEMORY_ITEMS, { tenantId, number, nowMs, limit: MEMORY_ITEMS_PER_REMOVAL });
      yield* deleteItems(tenantId, number, items);
      const data = JSON.stringify({ ...expired, items: items.length, reason: 'expired' });
      return { event: items.length === 0 ? null : { type: 'memory_deleted', data }, result: items.length };
    });
  }
}

function* put({ namespace, items, limits }: MemoryPut, { tenantId, atMs }: ActionContext): Script<MemoryPutResult> {
  const { number, ...held } = yield* lockedNamespace(tenantId, namespace, atMs);
  const rows = items.map((item) => {
    const words = wordsOf(item.text);
    const terms = words.map((word) => termOf(number, word)).join(' ');
    return { ...item, tenantId, number, atMs, terms, words: words.length, bytes: sizeOf(item) };
  });
  const before = yield* all(sql.MEMORY_SIZES, { tenantId, number, ids: items.map(({ id }) => id) });
  const added = {
    items: rows.length - before.length,
    bytes: sum(rows, 'bytes') - sum(before, 'bytes'),
    words: sum(rows, 'words') - sum(before, 'words'),
  };
  const totals = yield* get(sql.MEMORY_TOTALS, { tenantId });
  const exceeded = exceededLimit(limits, {
    namespaces: totals?.namespaces ?? 0,
    itemsPerNamespace: added.items > 0 ? held.items + added.items : 0,
    bytes: added.bytes > 0 ? (totals?.bytes ?? 0) + added.bytes : 0,
  });
  if (exceeded !== null) return { exceeded };
  yield* runEach(sql.PUT_MEMORY_ITEM, rows);
  yield* run(sql.ADD_TO_MEMORY_TOTALS, { tenantId, number, ...added });
  return { added: added.items, replaced: before.length };
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

function* dropIfEmpty(tenantId: string, namespace: string): Script<void> {
  const held = yield* get(sql.LOCK_MEMORY_NAMESPACE, { tenantId, namespace });
  if (held !== null) yield* run(sql.DELETE_EMPTY_MEMORY_NAMESPACE, { tenantId, number: held.number });
}

/** A namespace without items is deleted with the last one. */
function* deleteItems(tenantId: string, number: number, items: readonly sql.StoredSize[]): Script<void> {
  if (items.length === 0) return;
  yield* run(sql.DELETE_MEMORY_ITEMS, { tenantId, number, ids: items.map(({ id }) => id) });
  const removed = { items: -items.length, bytes: -sum(items, 'bytes'), words: -sum(items, 'words') };
  yield* run(sql.ADD_TO_MEMORY_TOTALS, { tenantId, number, ...removed });
  yield* run(sql.DELETE_EMPTY_MEMORY_NAMESPACE, { tenantId, number });
}

function sizeOf({ text, metadata }: MemoryPut['items'][number]): number {
  return Buffer.byteLength(text) + Buffer.byteLength(metadata);
}

function sum<K extends string>(rows: readonly { readonly [P in K]: number }[], key: K): number {
  return rows.reduce((total, row) => total + row[key], 0);
}
