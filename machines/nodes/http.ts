import { shortened } from '../shortened.ts';
import { Type } from '../type.ts';
import { custom, json, mapping, text } from './fields.ts';
import { declareKind, defineKind } from './kind.ts';
import { OUTPUT, UNCHECKED_SCHEMA } from './shared-fields.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const;
type Method = (typeof METHODS)[number];

const HTTP = declareKind({
  type: 'http',
  description: 'An HTTP request that the runtime makes itself.',
  fields: {
    url: text('Absolute URL; may hold templates.', { required: true, rendered: true, distinctive: true }),
    method: custom(
      {
        schema: Type.Enum([...METHODS]),
        document: Type.Unsafe<Method | Lowercase<Method>>({
          type: 'string',
          pattern: `^(?:${[...METHODS, ...METHODS.map((method) => method.toLowerCase())].join('|')})$`,
          description: `One of ${METHODS.map((method) => `\`${method}\``).join(', ')}, in any case. Default: \`GET\`; \`POST\` when there is a body.`,
        }),
        holds: 'text',
        read(fields, key): Method | undefined {
          const given = fields.text(key);
          const known = METHODS.find((method) => method === given?.toUpperCase());
          if (given !== undefined && known === undefined)
            fields.error('wrong_type', key, `must be one of ${METHODS.join(', ')}, not "${shortened(given.toUpperCase(), 60)}"`);
          return known;
        },
      },
      { default: (fields) => (fields.json('body') === undefined ? 'GET' : 'POST') },
    ),
    headers: mapping('Header names and their values; values may be templates. Default: none.', {
      rendered: true,
      distinctive: true,
    }),
    query: mapping('Query parameters and their values; values may be templates. Default: none.', {
      rendered: true,
      spellings: ['query', 'params'],
    }),
    body: json('Sent as JSON, a text as it is; may hold templates. Default: no body.', { rendered: true, distinctive: true }),
    output_schema: UNCHECKED_SCHEMA,
    ...OUTPUT,
  },
});

export const http = defineKind(HTTP, {
  queue: () => 'tool',
  policyNames: (kind) => [`http.${kind.method.toLowerCase()}`, 'http'],
  payload: (kind, input) => ({ method: kind.method, input }),
  summary: (kind) => `${kind.method} ${kind.url}`,
  diagramShape: 'http',
});
