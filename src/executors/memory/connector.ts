import type { JsonObject } from '../../../machines/json.ts';

/** A text to be remembered. */
export interface MemoryItem {
  /** An item of the same id is replaced. Default: derived from the text and its metadata, so that the same item is stored once. */
  readonly id?: string;
  readonly text: string;
  /** Default: none. */
  readonly metadata?: JsonObject;
  /** Seconds until it is deleted. Default: it is kept. */
  readonly ttlSecs?: number;
}

/** A text that was found. */
export interface MemoryResult {
  readonly id: string;
  readonly text: string;
  /** Larger is better. */
  readonly score: number;
  readonly metadata: JsonObject;
}

/** Which items a search finds. */
export interface MemorySearchOptions {
  /** How many results at most; default 5. */
  readonly limit?: number;
  /** Values that the metadata must have; texts, numbers, booleans or null. Default: any. */
  readonly filter?: JsonObject;
}

/** What a connector is asked for. */
export interface MemoryQuery {
  /** The part of the reference after the connector's name; `default` if there is none. */
  readonly namespace: string;
  readonly query: string;
  readonly limit: number;
  readonly filter: JsonObject;
}

/** For whom a memory is asked, and until when. */
export interface MemoryCallContext {
  readonly tenantId: string;
  /** Aborted at the deadline, when the node is cancelled and when the runtime stops. */
  readonly signal: AbortSignal;
}

/**
 * A memory elsewhere, such as a vector database, that `memory_retrieval` nodes and tools reach by its name. An error that a method throws fails
 * the attempt, as one of a tool does. Connectors without `add` or `remove` are for reading only.
 */
export interface MemoryConnector {
  /** The best first. */
  search(query: MemoryQuery, context: MemoryCallContext): Promise<readonly MemoryResult[]>;
  /** Resolves to the ids of the items. */
  add?(namespace: string, items: readonly MemoryItem[], context: MemoryCallContext): Promise<readonly string[]>;
  /** Removes the item of that id; null = all of the namespace. Resolves to how many were removed. */
  remove?(namespace: string, id: string | null, context: MemoryCallContext): Promise<number>;
}

/** Connectors by the name that workflows use. */
export type MemoryConnectors = Readonly<Record<string, MemoryConnector>>;

/**
 * The memory of the tenant, for tools. `reference` is a namespace of the built-in memory, or the name of a connector, alone or with a namespace:
 * `notes`, `qdrant`, `qdrant/handbook`.
 */
export interface ToolMemory {
  /** The texts that have most to do with the query, the best first. */
  search(reference: string, query: string, options?: MemorySearchOptions): Promise<readonly MemoryResult[]>;
  /** Stores items in order. Resolves to their ids. */
  add(reference: string, ...items: readonly MemoryItem[]): Promise<readonly string[]>;
  /** Removes one item, or all without an id. Resolves to how many were removed. */
  remove(reference: string, id?: string): Promise<number>;
}
