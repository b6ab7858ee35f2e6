import type {
  AddedToMemory,
  AddToMemory,
  FoundInMemory,
  MemoryItem,
  MemoryNamespaces,
  RemovedFromMemory,
} from '../api/operations/memory.ts';
import { type CallOptions, pathSegment, type Transport } from './transport.ts';

/** The built-in memory of the token's tenant: texts by namespace. */
export class MemoryClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Lists namespaces by name; `after`: the last one of the previous page. */
  namespaces(options: CallOptions & { readonly limit?: number; readonly after?: string } = {}): Promise<MemoryNamespaces> {
    const { limit, after, ...call } = options;
    return this.#transport.call('GET', '/memory', { ...call, query: { limit, after } });
  }

  /** Stores items in order, 1,000 at most. An item of the same id is replaced. */
  add(namespace: string, items: AddToMemory['items'], options?: CallOptions): Promise<AddedToMemory> {
    return this.#transport.call('POST', `/memory/${pathSegment(namespace)}`, { ...options, body: { items } });
  }

  /** Finds the items with any word of the query, the best first. `filter`: values that the metadata must have. */
  search(
    namespace: string,
    query: string,
    options: CallOptions & { readonly limit?: number; readonly filter?: Readonly<Record<string, unknown>> } = {},
  ): Promise<FoundInMemory> {
    const { limit, filter, ...call } = options;
    const text = filter === undefined ? undefined : JSON.stringify(filter);
    return this.#transport.call('GET', `/memory/${pathSegment(namespace)}`, { ...call, query: { query, limit, filter: text } });
  }

  /** Lists items, the newest first. */
  list(
    namespace: string,
    options: CallOptions & { readonly limit?: number; readonly cursor?: string } = {},
  ): Promise<FoundInMemory> {
    const { limit, cursor, ...call } = options;
    return this.#transport.call('GET', `/memory/${pathSegment(namespace)}`, { ...call, query: { limit, cursor } });
  }

  /** Rejects with 404 if the item does not exist. */
  get(namespace: string, id: string, options?: CallOptions): Promise<MemoryItem> {
    return this.#transport.call('GET', `/memory/${pathSegment(namespace)}/${pathSegment(id)}`, options);
  }

  /** Deletes one item, or without an id the namespace with all items. Rejects with 404 for an unknown id. */
  delete(namespace: string, id?: string, options?: CallOptions): Promise<RemovedFromMemory> {
    const path = `/memory/${pathSegment(namespace)}${id === undefined ? '' : `/${pathSegment(id)}`}`;
    return this.#transport.call('DELETE', path, options);
  }
}
