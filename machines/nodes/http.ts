import { type Static, Type } from 'typebox';
import type { Json } from '../json.ts';
import { optional } from '../reading/fields.ts';
import { shortened } from '../shortened.ts';
import { defineKind, type KindDefinition } from './kind.ts';
import { mapping, OUTPUT_PROPERTIES, readOutputFields } from './shared-fields.ts';
import { OUTPUT_SYNTAX } from './syntax.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const;

export const Http = Type.Object(
  {
    type: Type.Literal('http'),
    url: Type.String({ description: 'Absolute URL; may hold templates.' }),
    method: Type.Enum(METHODS, { description: 'Default: `GET`; `POST` when there is a body.' }),
    headers: mapping('Header names and their values; values may be templates. Default: none.'),
    query: mapping('Query parameters and their values; values may be templates. Default: none.'),
    body: Type.Optional(
      Type.Unsafe<Json>({ description: 'Sent as JSON, a text as it is; may hold templates. Default: no body.' }),
    ),
    ...OUTPUT_PROPERTIES,
  },
  { description: 'An HTTP request that the runtime makes itself.' },
);
export type Http = Static<typeof Http>;

export const http: KindDefinition<Http> = defineKind<Http>({
  type: 'http',
  schema: Http,
  normalise: (fields) => {
    const body = fields.json('body');
    const method = fields.text('method')?.toUpperCase() ?? (body === undefined ? 'GET' : 'POST');
    const known = METHODS.find((name) => name === method);
    if (known === undefined)
      fields.error('wrong_type', 'method', `must be one of ${METHODS.join(', ')}, not "${shortened(method, 60)}"`);
    return {
      type: 'http',
      url: fields.requiredText('url'),
      method: known ?? 'GET',
      headers: fields.mapping('headers'),
      query: fields.mapping('query'),
      ...optional('body', body),
      ...readOutputFields(fields),
    };
  },
  aliases: { query: ['params'] },
  requiredKeys: ['url'],
  documentProperties: {
    method: Type.String({
      pattern: `^(?:${[...METHODS, ...METHODS.map((method) => method.toLowerCase())].join('|')})$`,
      description: `One of ${METHODS.map((method) => `\`${method}\``).join(', ')}, in any case. Default: \`GET\`; \`POST\` when there is a body.`,
    }),
  },
  distinctiveKeys: ['url', 'headers', 'body'],
  queue: () => 'tool',
  policyNames: (kind) => [`http.${kind.method.toLowerCase()}`, 'http'],
  mapping: ({ url, headers, query, body }) => ({ url, headers, query, ...(body === undefined ? {} : { body }) }),
  mappingKey: null,
  payload: (kind, input) => ({ method: kind.method, input }),
  syntax: {
    keys: {
      url: { holds: 'text' },
      method: { holds: 'text' },
      headers: { holds: 'json' },
      query: { holds: 'json', spellings: ['query', 'params'] },
      body: { holds: 'json' },
      output_schema: { holds: 'json' },
      ...OUTPUT_SYNTAX,
    },
  },
  summary: (kind) => `${kind.method} ${kind.url}`,
  diagramShape: 'http',
});
