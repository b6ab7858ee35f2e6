import { ApiError, type JamjetClient } from '../client/index.ts';
import type { ToolMemory } from '../executors/memory/connector.ts';

/** The memory of the token's tenant, over the API: the built-in one. */
export function memoryOf(client: JamjetClient): ToolMemory {
  return {
    async search(namespace, query, options) {
      const { results } = await client.memory.search(namespace, query, options);
      return results.map(({ id, text, metadata, score }) => ({ id, text, metadata, score: score ?? 0 }));
    },
    async add(namespace, ...items) {
      if (items.length === 0) return [];
      const given = items.map(({ ttlSecs, ...item }) => ({ ...item, ...(ttlSecs === undefined ? {} : { ttl_secs: ttlSecs }) }));
      return (await client.memory.add(namespace, given)).ids;
    },
    async remove(namespace, id) {
      try {
        return (await client.memory.delete(namespace, id)).deleted;
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return 0;
        throw error;
      }
    },
  };
}
