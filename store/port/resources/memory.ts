import type { ActionContext } from '../control.ts';
import type { Turns } from '../turns.ts';

export interface MemoryNamespaceRow {
  readonly name: string;
  readonly items: number;
  readonly bytes: number;
  readonly createdAtMs: number;
}

export interface MemoryItemRow {
  /** Increases with each new item: lists go by it. */
  readonly number: number;
  readonly id: string;
  readonly text: string;
  /** JSON object text. */
  readonly metadata: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly expiresAtMs: number | null;
}

export type FoundMemoryItem = MemoryItemRow & {
  /** Positive; larger is better. Scores of different searches cannot be compared. */
  readonly score: number;
};

export interface MemoryFindings {
  /** The best first. */
  readonly items: readonly FoundMemoryItem[];
  /** Whether more items have words of the query than the search has looked at. */
  readonly truncated: boolean;
}

/** An item that is new or replaces the one of the same id. */
export interface MemoryItemWrite {
  readonly id: string;
  readonly text: string;
  readonly metadata: string;
  readonly expiresAtMs: number | null;
}

/** What a tenant may store. */
export interface MemoryLimits {
  readonly namespaces: number;
  readonly itemsPerNamespace: number;
  /** Bytes of all texts and metadata of the tenant. */
  readonly bytes: number;
}

export interface MemoryPut {
  readonly namespace: string;
  /** Each id once. */
  readonly items: readonly MemoryItemWrite[];
  readonly limits: MemoryLimits;
  /** Fields for the event beside the namespace and the numbers of items. */
  readonly origin: Readonly<Record<string, string>>;
}

export type MemoryPutResult =
  | { readonly added: number; readonly replaced: number }
  /** The rest of the items was not stored; of a write by one writer at a time, none. */
  | { readonly exceeded: keyof MemoryLimits };

export interface MemorySearch {
  /** Words in any language; nothing in it is syntax. */
  readonly query: string;
  readonly limit: number;
  /** Items that expire at this time or before are left out. */
  readonly nowMs: number;
  /** JSON object text: the item's metadata has all of these values, none of which is an object or a list. */
  readonly filter: string;
}

export interface MemoryPage {
  /** The number of the last item of the page before; null for the first page. */
  readonly before: number | null;
  readonly limit: number;
  readonly nowMs: number;
}

export interface MemoryItemsPage {
  readonly items: readonly MemoryItemRow[];
  /** `before` of the next page; null if this is the last one. */
  readonly next: number | null;
}

/** Which items are removed: one, or the next of the namespace. */
export interface MemoryRemoval {
  readonly namespace: string;
  /** Null: any. */
  readonly id: string | null;
  readonly origin: Readonly<Record<string, string>>;
}

/**
 * Texts by namespace, found by their words: the items that contain any word of the query, ranked by BM25 over the items of the namespace. Texts never
 * enter the log; its events name namespaces, ids and numbers of items.
 */
export interface MemoryStore {
  /** By name, `after` exclusive. */
  namespaces(tenantId: string, page: { readonly after: string; readonly limit: number }): Promise<readonly MemoryNamespaceRow[]>;
  get(tenantId: string, namespace: string, id: string, nowMs: number): Promise<MemoryItemRow | null>;
  /** The newest first. A page ends early when its texts have 4 MiB. */
  list(tenantId: string, namespace: string, page: MemoryPage, turns: Turns): Promise<MemoryItemsPage>;
  search(tenantId: string, namespace: string, search: MemorySearch, turns: Turns): Promise<MemoryFindings>;
  /**
   * Stores items in the namespace of the context's tenant, which it creates if needed: in their order, in several transactions if they are large, so that
   * the first of them may be stored when it fails.
   */
  put(write: MemoryPut, context: ActionContext, turns: Turns): Promise<MemoryPutResult>;
  /** Removes as much as one transaction should write. Resolves to the number of items; 0 = there are none. An empty namespace is removed, too. */
  remove(removal: MemoryRemoval, context: ActionContext): Promise<number>;
  /** Tenants with items that have expired. */
  tenantsWithExpired(nowMs: number): Promise<readonly string[]>;
  /** Like `remove`, of the context's tenant. */
  removeExpired(nowMs: number, context: ActionContext): Promise<number>;
}
