import { LRUCache } from 'lru-cache';
import type { EventBus } from '../../events.ts';
import type { CachedExecution } from './cached-execution.ts';

/** Approximate size of an entry beside its snapshot. */
const ENTRY_BYTES = 8192;

export type ExecutionCache = LRUCache<string, CachedExecution>;

/** Least recently used executions by id, of at most `maxBytes` together. */
export function createExecutionCache(maxBytes: number, events: EventBus): ExecutionCache {
  const cache: ExecutionCache = new LRUCache({
    maxSize: maxBytes,
    maxEntrySize: maxBytes,
    sizeCalculation: ({ checkpoint }) => ENTRY_BYTES + 4 * (checkpoint.bytes + checkpoint.logBytes),
  });
  events.on('committedElsewhere', ({ id, seq }) => {
    const cached = cache.peek(id);
    if (cached !== undefined && cached.run.seq < seq) cache.delete(id);
  });
  events.on('resync', () => cache.clear());
  return cache;
}
