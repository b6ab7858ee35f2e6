import { LRUCache } from 'lru-cache';

/** The `max` entries that were used last. Memory grows with them; with the option `max`, `LRUCache` would allocate everything at once. */
export class RecentlyUsed<K extends object | string | number, V extends NonNullable<unknown>> extends LRUCache<K, V> {
  constructor(max: number, { ttlMs }: { readonly ttlMs?: number } = {}) {
    super({ maxSize: max, sizeCalculation: () => 1, ...(ttlMs !== undefined && { ttl: ttlMs }) });
  }
}
