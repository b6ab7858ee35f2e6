import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { MemoryItemView } from '../../runtime/types/memory.ts';
import { defined, limitOf } from '../schemas/fields.ts';
import {
  AddedToMemory,
  AddToMemory,
  FoundInMemory,
  MEMORY_PAGE,
  MEMORY_RESULTS,
  MemoryByNamespace,
  MemoryItem,
  MemoryItemById,
  MemoryNamespaces,
  MemoryNamespacesQuery,
  RemovedFromMemory,
  SearchMemoryQuery,
} from '../schemas/memory.ts';
import { type Api, callerOf, identityOf, type Services } from '../services.ts';
import { timeOrNull, timestamp } from '../time.ts';

const tags = ['Memory'];

export function memoryRoutes(app: Api, { runtime: { memory } }: Services): void {
  app.get(
    '/memory',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List the namespaces of the memory by name',
        tags,
        operationId: 'listMemoryNamespaces',
        querystring: MemoryNamespacesQuery,
        response: { 200: MemoryNamespaces },
      },
    },
    async (request): Promise<MemoryNamespaces> => {
      const { limit, after } = request.query;
      const page = { limit: limitOf(limit, MEMORY_PAGE), ...defined('after', after) };
      const rows = await memory.namespaces(identityOf(request).tenantId, page);
      return { namespaces: rows.map(({ createdAtMs, ...row }) => ({ ...row, created_at: timestamp(createdAtMs) })) };
    },
  );

  app.post(
    '/memory/:namespace',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Add texts to a namespace of the memory',
        description: 'The namespace is created if needed. Workflows find the texts with `memory_retrieval` nodes.',
        tags,
        operationId: 'addToMemory',
        params: MemoryByNamespace,
        body: AddToMemory,
        response: { 201: AddedToMemory },
      },
    },
    async (request, reply) => {
      const { namespace } = request.params;
      const items = request.body.items.map(({ id, text, metadata, ttl_secs }) => ({
        ...{ text, ...defined('id', id), ...defined('metadata', metadata), ...defined('ttlSecs', ttl_secs) },
      }));
      const stored = await memory.add(callerOf(request), namespace, items);
      void reply.code(201);
      return { namespace, ids: [...stored.ids], added: stored.added, replaced: stored.replaced };
    },
  );

  app.get(
    '/memory/:namespace',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Search a namespace of the memory, or list its items',
        tags,
        operationId: 'searchMemory',
        params: MemoryByNamespace,
        querystring: SearchMemoryQuery,
        response: { 200: FoundInMemory },
      },
    },
    async (request): Promise<FoundInMemory> => {
      const { tenantId } = identityOf(request);
      const { namespace } = request.params;
      const { query, limit, filter, cursor } = request.query;
      if (query !== undefined) {
        const options = { limit: limitOf(limit, MEMORY_RESULTS), filter: filterOf(filter) };
        const { results, truncated } = await memory.search(tenantId, namespace, query, options);
        return { namespace, results: [...results], truncated, next_cursor: null };
      }
      const page = { limit: limitOf(limit, MEMORY_PAGE), before: cursor === undefined ? null : Number(cursor) };
      const { items, next } = await memory.items(tenantId, namespace, page);
      return {
        namespace,
        results: items.map((item) => ({ ...toItem(item), score: null })),
        truncated: false,
        next_cursor: next === null ? null : String(next),
      };
    },
  );

  app.get(
    '/memory/:namespace/:id',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Get an item of the memory',
        tags,
        operationId: 'getMemoryItem',
        params: MemoryItemById,
        response: { 200: MemoryItem },
      },
    },
    async (request): Promise<MemoryItem> => {
      const { namespace, id } = request.params;
      return { namespace, ...toItem(await memory.get(identityOf(request).tenantId, namespace, id)) };
    },
  );

  app.delete(
    '/memory/:namespace',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Delete a namespace of the memory with all its items',
        tags,
        operationId: 'deleteMemoryNamespace',
        params: MemoryByNamespace,
        response: { 200: RemovedFromMemory },
      },
    },
    async (request) => {
      const { namespace } = request.params;
      return { namespace, deleted: await memory.remove(callerOf(request), namespace) };
    },
  );

  app.delete(
    '/memory/:namespace/:id',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Delete an item of the memory',
        tags,
        operationId: 'deleteMemoryItem',
        params: MemoryItemById,
        response: { 200: RemovedFromMemory },
      },
    },
    async (request) => {
      const { namespace, id } = request.params;
      return { namespace, deleted: await memory.remove(callerOf(request), namespace, id) };
    },
  );
}

function toItem({ id, text, metadata, createdAtMs, updatedAtMs, expiresAtMs }: MemoryItemView) {
  return {
    ...{ id, text, metadata },
    created_at: timestamp(createdAtMs),
    updated_at: timestamp(updatedAtMs),
    expires_at: timeOrNull(expiresAtMs),
  };
}

/** The query parameter is JSON text. */
function filterOf(given: string | undefined): JsonObject {
  if (given === undefined || given === '') return {};
  let filter: Json;
  try {
    filter = JSON.parse(given) as Json;
  } catch {
    throw new RuntimeError('bad_request', 'filter is not valid JSON');
  }
  if (!isObject(filter)) throw new RuntimeError('bad_request', 'filter must be a JSON object');
  return filter;
}
