import type { ActionContext } from '../../port/control.ts';
import type {
  MemoryFindings,
  MemoryItemRow,
  MemoryItemsPage,
  MemoryNamespaceRow,
  MemoryPage,
  MemoryPut,
  MemoryPutResult,
  MemoryRemoval,
  MemorySearch,
  MemoryStore,
} from '../../port/resources/memory.ts';
import type { Turns } from '../../port/turns.ts';
import type { ControlEvent, ResourceDatabase } from '../database.ts';
import * as sql from '../queries/memory.ts';
import { all, get } from '../script.ts';
import { listMemory } from './list.ts';
import type { MemoryReading } from './reading.ts';
import { searchMemory } from './search.ts';
import { deleteFirst, type PreparedItem, preparedItem, putFirst } from './writes.ts';

/** At most, in one transaction. */
const ITEMS_PER_REMOVAL = 200;

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

  list(tenantId: string, namespace: string, page: MemoryPage, turns: Turns): Promise<MemoryItemsPage> {
    return listMemory(this.#read(tenantId, namespace, turns), page);
  }

  search(tenantId: string, namespace: string, search: MemorySearch, turns: Turns): Promise<MemoryFindings> {
    return searchMemory(this.#read(tenantId, namespace, turns), search);
  }

  #read(tenantId: string, namespace: string, turns: Turns): MemoryReading {
    return { db: this.#db.tenant(tenantId), engine: this.#db.engine, tenantId, namespace, turns };
  }

  async put({ items, ...write }: MemoryPut, context: ActionContext, turns: Turns): Promise<MemoryPutResult> {
    const prepared: PreparedItem[] = [];
    for (const item of items) {
      await turns.next();
      prepared.push(preparedItem(item));
    }
    const { namespace, origin } = write;
    let [added, replaced] = [0, 0];
    while (added + replaced < prepared.length) {
      await turns.next();
      const rest = prepared.slice(added + replaced);
      const result = await this.#db.act(context, function* () {
        const stored = yield* putFirst({ ...write, rest }, context);
        const event = 'exceeded' in stored ? null : memoryEvent('stored', { namespace, ...stored, ...origin });
        return { event, result: stored };
      });
      if ('exceeded' in result) return result;
      added += result.added;
      replaced += result.replaced;
    }
    return { added, replaced };
  }

  remove({ namespace, id, origin }: MemoryRemoval, context: ActionContext): Promise<number> {
    const { tenantId } = context;
    return this.#db.act(context, function* () {
      const held = yield* get(sql.LOCK_MEMORY_NAMESPACE, { tenantId, namespace });
      if (held === null) return { event: null, result: 0 };
      const { number } = held;
      const found = yield* id === null
        ? all(sql.MEMORY_ITEMS_TO_REMOVE, { tenantId, number, limit: ITEMS_PER_REMOVAL })
        : all(sql.MEMORY_SIZES, { tenantId, number, ids: [id] });
      const removed = yield* deleteFirst(tenantId, number, found);
      const data = { namespace, ...(id === null ? {} : { id }), items: removed, ...origin };
      return { event: removed === 0 ? null : memoryEvent('deleted', data), result: removed };
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
      const found = yield* all(sql.EXPIRED_MEMORY_ITEMS, { tenantId, number, nowMs, limit: ITEMS_PER_REMOVAL });
      const removed = yield* deleteFirst(tenantId, number, found);
      const data = { ...expired, items: removed, reason: 'expired' };
      return { event: removed === 0 ? null : memoryEvent('deleted', data), result: removed };
    });
  }
}

function memoryEvent(change: 'stored' | 'deleted', data: object): ControlEvent {
  return { type: `memory_${change}`, data: JSON.stringify(data) };
}
