import { type Static, Type } from 'typebox';
import type { JsonObject } from '../json.ts';
import { optional } from '../reading/fields.ts';
import { defineKind, type KindDefinition } from './kind.ts';
import { mapping, OUTPUT_PROPERTIES, readOutputFields, readOutputSchema } from './shared-fields.ts';
import { OUTPUT_SYNTAX } from './syntax.ts';

export const DEFAULT_MEMORY_LIMIT = 5;
export const MAX_MEMORY_LIMIT = 100;

const LIMIT = Type.Integer({
  minimum: 1,
  maximum: MAX_MEMORY_LIMIT,
  description: `Results, at most. Default: ${DEFAULT_MEMORY_LIMIT}.`,
});

export const MemoryRetrieval = Type.Object(
  {
    type: Type.Literal('memory_retrieval'),
    connector_ref: Type.String({
      description:
        'A namespace of the built-in memory (`handbook`), or a connector of the operator, alone or with a namespace (`qdrant`, `qdrant/handbook`).',
    }),
    query_expr: Type.String({
      description:
        'The text to search for: an expression (`state.question`), or a template (`{{ state.name }} {{ state.topic }}`).',
    }),
    limit: Type.Optional(LIMIT),
    filter: mapping('Values that the metadata of a result must have; values may be templates. Default: none.'),
    output_schema: Type.Optional(
      Type.Unsafe<JsonObject>({
        type: 'object',
        description: 'JSON Schema of the list of results. `pattern` is not supported. Default: any output.',
      }),
    ),
    ...OUTPUT_PROPERTIES,
  },
  { description: 'Searches a memory for texts: `[{id, text, score, metadata}]`, the best first. The runtime does it itself.' },
);
export type MemoryRetrieval = Static<typeof MemoryRetrieval>;

export const memoryRetrieval: KindDefinition<MemoryRetrieval> = defineKind<MemoryRetrieval>({
  type: 'memory_retrieval',
  schema: MemoryRetrieval,
  normalise: (fields) => ({
    type: 'memory_retrieval',
    connector_ref: fields.requiredName('connector_ref'),
    query_expr: fields.requiredText('query_expr'),
    ...optional('limit', fields.integer(['limit'], 1, MAX_MEMORY_LIMIT)),
    filter: fields.mapping('filter'),
    ...optional('output_schema', readOutputSchema(fields)),
    ...readOutputFields(fields),
  }),
  aliases: { connector_ref: ['connector', 'namespace', 'memory'], query_expr: ['query'], limit: ['top_k', 'k'] },
  requiredKeys: ['connector_ref', 'query_expr'],
  documentProperties: {
    output_schema: Type.Union([Type.Object({}), Type.String()], {
      description: 'JSON Schema of the list of results, as an object or as its JSON text. Default: any output.',
    }),
  },
  distinctiveKeys: ['connector_ref', 'query_expr'],
  queue: () => 'retrieval',
  policyNames: ({ connector_ref }) => [connector_ref],
  mapping: ({ query_expr, filter }) => ({
    query_expr: query_expr.includes('{{') ? query_expr : `{{ ${query_expr} }}`,
    ...(typeof filter === 'object' && Object.keys(filter).length === 0 ? {} : { filter }),
  }),
  mappingKey: null,
  payload: ({ connector_ref, limit = DEFAULT_MEMORY_LIMIT }, input) => ({ connector_ref, limit, input }),
  syntax: {
    keys: {
      connector_ref: { holds: 'text', spellings: ['memory', 'connector', 'connector_ref', 'namespace'] },
      query_expr: { holds: 'text', spellings: ['query', 'query_expr'] },
      limit: { holds: 'json', spellings: ['limit', 'top_k', 'k'] },
      filter: { holds: 'json' },
      output_schema: { holds: 'json' },
      ...OUTPUT_SYNTAX,
    },
  },
  summary: ({ connector_ref }) => `searches ${connector_ref}`,
  letter: 'r',
});
