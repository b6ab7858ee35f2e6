import { type Static, Type } from 'typebox';
import { optional } from '../ir/reading/fields.ts';
import type { Json } from '../json.ts';
import { COMMON_PROPERTIES, type KindDefinition, Mapping, namedTargets, readCommonFields } from './kind.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const;

/** An HTTP request made by the runtime itself. `url`, `headers`, `query` and `body` are templates. */
export const Http = Type.Object({
  type: Type.Literal('http'),
  url: Type.String(),
  method: Type.Enum(METHODS),
  headers: Mapping,
  query: Mapping,
  /** Absent = no body. */
  body: Type.Optional(Type.Unsafe<Json>({})),
  ...COMMON_PROPERTIES,
});
export type Http = Static<typeof Http>;

export const http: KindDefinition<Http> = {
  type: 'http',
  schema: Http,
  normalise: (fields) => {
    const body = fields.json('body');
    const method = fields.text('method')?.toUpperCase() ?? (body === undefined ? 'GET' : 'POST');
    const known = METHODS.find((name) => name === method);
    if (known === undefined)
      fields.error('wrong_type', 'method', `must be one of ${METHODS.join(', ')}, not "${method.slice(0, 60)}"`);
    return {
      type: 'http',
      url: fields.requiredText('url'),
      method: known ?? 'GET',
      headers: fields.mapping('headers'),
      query: fields.mapping('query', 'params'),
      ...optional('body', body),
      ...readCommonFields(fields),
    };
  },
  behaviour: () => 'work',
  queue: () => 'tool',
  policyNames: (kind) => [`http.${kind.method.toLowerCase()}`, 'http'],
  tool: () => null,
  targets: (kind) => namedTargets(kind, 'fallback_node'),
  mapping: ({ url, headers, query, body }) => ({ url, headers, query, ...(body === undefined ? {} : { body }) }),
  payload: (kind, input) => ({ method: kind.method, input }),
  objectResultIsPatch: false,
};
