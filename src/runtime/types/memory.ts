import type { JsonObject } from '../../../machines/json.ts';
import type { MemoryItem, MemoryResult, MemorySearchOptions } from '../../executors/memory/connector.ts';
import type { Caller } from './caller.ts';

/** A text that is remembered. */
export interface MemoryItemView {
  readonly id: string;
  readonly text: string;
  readonly metadata: JsonObject;
  /** Increases with each new item. */
  readonly number: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** Null: it is kept until it is removed. */
  readonly expiresAtMs: number | null;
}

/** A namespace without its items. */
export interface MemoryNamespaceView {
  readonly name: string;
  /** How many it has; expired ones count until they are deleted. */
  readonly items: number;
  /** Size of all texts and metadata. */
  readonly bytes: number;
  readonly createdAtMs: number;
}

/** Which items of a namespace are read. */
export interface MemoryPageRequest {
  /** Default 100. */
  readonly limit?: number;
  /** The number of the last item of the page before; default: the first page. */
  readonly before?: number | null;
}

/** Items of a namespace. */
export interface MemoryItemsPage {
  readonly items: readonly MemoryItemView[];
  /** `before` of the next page; null if this is the last one. */
  readonly next: number | null;
}

/** The items that a search has found. */
export interface MemorySearchResult {
  /** The best first. */
  readonly results: readonly MemoryResult[];
  /** Whether more items have words of the query than the search has looked at. */
  readonly truncated: boolean;
}

/** Items that were stored. */
export interface StoredMemory {
  /** Of the items, in their order. */
  readonly ids: readonly string[];
  readonly added: number;
  readonly replaced: number;
}

/** The built-in memory. Methods reject with `bad_request` for names and texts that cannot be stored. */
export interface RuntimeMemory {
  /** Stores items in order, up to 1,000; when it fails, the first of them may be stored. Rejects with `limit_exceeded_memory`, and with `tenant_not_active`. */
  add(caller: Caller, namespace: string, items: readonly MemoryItem[]): Promise<StoredMemory>;
  /** The items that contain any word of the query: rare words count most. Looks at 10,000 items at most. */
  search(tenantId: string, namespace: string, query: string, options?: MemorySearchOptions): Promise<MemorySearchResult>;
  /** Rejects with `not_found`. */
  get(tenantId: string, namespace: string, id: string): Promise<MemoryItemView>;
  /** The newest first. A page ends early when its texts have 4 MiB. */
  items(tenantId: string, namespace: string, page?: MemoryPageRequest): Promise<MemoryItemsPage>;
  /** By name, from the one after `after`. */
  namespaces(
    tenantId: string,
    page?: { readonly limit?: number; readonly after?: string },
  ): Promise<readonly MemoryNamespaceView[]>;
  /** Removes one item, or without an id the namespace with all items. Resolves to how many; rejects with `not_found` for an unknown id. */
  remove(caller: Caller, namespace: string, id?: string): Promise<number>;
  /** Deletes what has expired, of all tenants, as a server does every ten minutes. Searches leave it out in any case. */
  removeExpired(): Promise<number>;
}
