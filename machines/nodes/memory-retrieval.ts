import { integer, mapping, name, outputSchema, text } from './fields.ts';
import { declareKind, defineKind, type KindOf, mappingUnlessEmpty } from './kind.ts';
import { OUTPUT } from './shared-fields.ts';

export const DEFAULT_MEMORY_LIMIT = 5;
export const MAX_MEMORY_LIMIT = 100;

const MEMORY_RETRIEVAL = declareKind({
  type: 'memory_retrieval',
  description: 'Searches a memory for texts: `[{id, text, score, metadata}]`, the best first. The runtime does it itself.',
  fields: {
    connector_ref: name(
      'A namespace of the built-in memory (`handbook`), or a connector of the operator, alone or with a namespace (`qdrant`, `qdrant/handbook`).',
      { required: true, spellings: ['memory', 'connector', 'connector_ref', 'namespace'], distinctive: true },
    ),
    query_expr: text(
      'The text to search for: an expression (`state.question`), or a template (`{{ state.name }} {{ state.topic }}`).',
      { required: true, spellings: ['query', 'query_expr'], distinctive: true },
    ),
    limit: integer(`Results, at most. Default: ${DEFAULT_MEMORY_LIMIT}.`, {
      minimum: 1,
      maximum: MAX_MEMORY_LIMIT,
      spellings: ['limit', 'top_k', 'k'],
    }),
    filter: mapping('Values that the metadata of a result must have; values may be templates. Default: none.'),
    output_schema: outputSchema('JSON Schema of the list of results, as an object or as its JSON text. Default: any output.'),
    ...OUTPUT,
  },
});
export type MemoryRetrieval = KindOf<typeof MEMORY_RETRIEVAL>;

export const memoryRetrieval = defineKind(MEMORY_RETRIEVAL, {
  queue: () => 'retrieval',
  policyNames: ({ connector_ref }) => [connector_ref],
  mapping: ({ query_expr, filter }) => ({
    query_expr: query_expr.includes('{{') ? query_expr : `{{ ${query_expr} }}`,
    ...(mappingUnlessEmpty(filter) === null ? {} : { filter }),
  }),
  mappingKey: null,
  payload: ({ connector_ref, limit = DEFAULT_MEMORY_LIMIT }, input) => ({ connector_ref, limit, input }),
  summary: ({ connector_ref }) => `searches ${connector_ref}`,
  letter: 'r',
});
