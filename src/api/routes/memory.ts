import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { present } from '../operations/codec.ts';
import { MEMORY, MEMORY_PAGE, MEMORY_RESULTS } from '../operations/memory.ts';
import { defined, limitOf } from '../schemas/fields.ts';
import { implement } from './implement.ts';

export const memoryRoutes = implement(MEMORY, {
  'GET /memory': async ({ query: { limit, after }, tenantId }, { runtime: { memory } }) => {
    const page = { limit: limitOf(limit, MEMORY_PAGE), ...defined('after', after) };
    return { namespaces: await memory.namespaces(tenantId, page) };
  },

  'POST /memory/:namespace': async ({ params: { namespace }, body, caller }, { runtime: { memory } }) => ({
    namespace,
    ...(await memory.add(caller, namespace, body.items.map(present))),
  }),

  'GET /memory/:namespace': async ({ params: { namespace }, query, tenantId }, { runtime: { memory } }) => {
    const { limit, filter, cursor } = query;
    if (query.query !== undefined) {
      const options = { limit: limitOf(limit, MEMORY_RESULTS), filter: filterOf(filter) };
      return { namespace, ...(await memory.search(tenantId, namespace, query.query, options)), nextCursor: null };
    }
    const page = { limit: limitOf(limit, MEMORY_PAGE), before: cursor === undefined ? null : Number(cursor) };
    const { items, next } = await memory.items(tenantId, namespace, page);
    const results = items.map((item) => ({ ...item, score: null }));
    return { namespace, results, truncated: false, nextCursor: next === null ? null : String(next) };
  },

  'GET /memory/:namespace/:id': async ({ params: { namespace, id }, tenantId }, { runtime: { memory } }) => ({
    namespace,
    ...(await memory.get(tenantId, namespace, id)),
  }),

  'DELETE /memory/:namespace': async ({ params: { namespace }, caller }, { runtime: { memory } }) => ({
    namespace,
    deleted: await memory.remove(caller, namespace),
  }),

  'DELETE /memory/:namespace/:id': async ({ params: { namespace, id }, caller }, { runtime: { memory } }) => ({
    namespace,
    deleted: await memory.remove(caller, namespace, id),
  }),
});

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
