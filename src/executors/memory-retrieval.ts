import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import { DEFAULT_MEMORY_LIMIT, type MemoryRetrieval } from '../../machines/nodes/memory-retrieval.ts';
import { type Executor, WorkError } from './executor.ts';
import { invalid, typeOf } from './http-content.ts';
import { outputCheck } from './output-schema.ts';
import { toJson } from './to-json.ts';

/** Executor of `memory_retrieval` nodes: the output is the list of results, `[{id, text, score, metadata}]`, the best first. */
export function memoryRetrievalExecutor({ connector_ref, limit, output_schema }: MemoryRetrieval): Executor {
  const schema = output_schema === undefined ? null : outputCheck(output_schema);
  return async ({ input }, { memory }) => {
    const { query_expr, filter = {} } = isObject(input) ? input : {};
    const check = await schema?.();
    const options = { limit: limit ?? DEFAULT_MEMORY_LIMIT, filter: filterOf(filter) };
    const results = await memory.search(connector_ref, queryOf(query_expr), options);
    const output = toJson(results.map(resultOf), 'results');
    const problem = (await check?.(output)) ?? null;
    if (problem !== null)
      throw new WorkError(`the output does not fit output_schema: ${problem}`, { retryable: false, errorClass: 'validation' });
    return { output };
  };
}

function queryOf(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw invalid(`query_expr must give a text, not ${typeOf(value)}`);
}

function filterOf(value: Json): JsonObject {
  if (!isObject(value)) throw invalid(`filter must be an object, not ${typeOf(value)}`);
  return value;
}

/** Without whatever else a connector has added. */
function resultOf({
  id,
  text,
  score,
  metadata = {},
}: {
  id: unknown;
  text: unknown;
  score: unknown;
  metadata?: unknown;
}): object {
  if (typeof text === 'string') return { id, text, score: score ?? null, metadata };
  throw new WorkError('the memory connector gave a result without a text', { retryable: true, errorClass: 'invalid_response' });
}
