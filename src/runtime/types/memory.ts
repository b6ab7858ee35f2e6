import type { JsonObject } from '../../../machines/json.ts';
import type { MemoryItem, MemoryResult, MemorySearchOptions } from '../../executors/memory/connector.ts';
import type { Caller } from './caller.ts';

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

export interface MemoryNamespaceView {
  readonly name: string;
  /** How many it has; expired ones count until they are deleted. */
  readonly items: number;
  /** Size of all texts and metadata. */
  readonly bytes: number;
  readonly createdAtMs: number;
}

export interface MemoryPageRequest {
  /** Default 100. */
  readonly limit?: number;
  /** The number of the last item of the page before; default: the first page. */
  readonly before?: number | null;
}

export interface StoredMemory {
  /** Of the items, in their order. */
  readonly ids: readonly string[];
  readonly added: number;
  readonly replaced: number;
}

/** The built-in memory. Methods reject with `bad_request` for names and texts that cannot be stored. */
export interface RuntimeMemory {
  /** Stores all items or none, up to 1,000. Rejects with `limit_exceeded_memory`, and with `tenant_not_active`. */
  add(caller: Caller, namespace: string, items: readonly MemoryItem[]): Promise<StoredMemory>;
  /** The items that contain any word of the query, the best first: rare words count most. */
  search(tenantId: string, namespace: string, query: string, options?: MemorySearchOptions): Promise<readonly MemoryResult[]>;
  /** Rejects with `not_found`. */
  get(tenantId: string, namespace: string, id: string): Promise<MemoryItemView>;
  /** The newest first. */
  items(tenantId: string, namespace: string, page?: MemoryPageRequest): Promise<readonly MemoryItemView[]>;
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
