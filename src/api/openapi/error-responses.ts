import type { JsonObject } from '../../../machines/json.ts';
import type { DescribedRoute } from './routes.ts';

interface ErrorResponse {
  /** Name of its component. */
  readonly name: string;
  readonly description: string;
  readonly example: JsonObject;
  readonly headers?: JsonObject;
  readonly when: (route: DescribedRoute) => boolean;
}

const always = (): boolean => true;
const guarded = ({ access }: DescribedRoute): boolean => access !== 'open';
const writes = ({ method }: DescribedRoute): boolean => method !== 'GET';
/** The path, the query or the body names something that may not exist. */
const names = ({ schema }: DescribedRoute): boolean =>
  schema.params !== undefined || schema.querystring !== undefined || schema.body !== undefined;

const RETRY_AFTER = { 'Retry-After': { description: 'Seconds to wait before the next attempt.', schema: { type: 'integer' } } };

/** Errors of the routes, by status. The example texts are those of the API reference. */
const ERRORS: Readonly<Record<number, ErrorResponse>> = {
  400: {
    name: 'BadRequest',
    description: 'The path, the query or the body is invalid.',
    example: { error: 'bad request: ir.workflow_id is required', code: 'invalid_workflow' },
    when: always,
  },
  401: {
    name: 'Unauthorized',
    description: 'The token is missing, unknown, expired or revoked.',
    example: { error: 'invalid or expired token', code: 'unauthorized' },
    headers: { 'WWW-Authenticate': { description: 'The scheme: `Bearer`.', schema: { type: 'string' } } },
    when: guarded,
  },
  403: {
    name: 'Forbidden',
    description: 'The role of the token is insufficient, or its tenant is not active.',
    example: { error: 'insufficient role — developer or operator required', code: 'forbidden', required: 'developer' },
    when: always,
  },
  404: {
    name: 'NotFound',
    description: 'It does not exist, or belongs to another tenant.',
    example: { error: 'not found: execution exec_abc123', code: 'not_found' },
    when: names,
  },
  409: {
    name: 'Conflict',
    description: 'The request conflicts with the current state.',
    example: { error: 'conflict: execution is completed; approvals can no longer be decided', code: 'conflict' },
    when: writes,
  },
  413: {
    name: 'TooLarge',
    description:
      'The body is larger than 2 MiB (artifacts: 8 MiB), or the execution would exceed its size limits (`state_too_large`).',
    example: { error: 'bad request: the body is larger than 2 MiB', code: 'too_large' },
    when: writes,
  },
  422: {
    name: 'UpdateFailed',
    description: 'The handler of the update has thrown an error, which does not end the function.',
    example: { error: 'b-7 is in the cart', code: 'update_failed' },
    when: ({ url }) => url === '/executions/:id/updates/:name',
  },
  429: {
    name: 'TooMany',
    description: 'A limit of the tenant has been reached.',
    example: { error: 'too many requests: tenant acme may run 10 executions at a time', code: 'limit_exceeded_concurrency' },
    headers: RETRY_AFTER,
    when: guarded,
  },
  500: {
    name: 'InternalError',
    description: 'An internal error. The log of the server has details under the id of the request.',
    example: { error: 'internal error: unexpected failure, logged under request 3f0c', code: 'internal' },
    when: always,
  },
  503: {
    name: 'Unavailable',
    description: 'The server is overloaded, is shutting down, or cannot reach its database.',
    example: { error: 'service unavailable: the server is shutting down', code: 'shutting_down' },
    headers: RETRY_AFTER,
    when: always,
  },
};

/** References to the errors that a route may return, by status. */
export function errorsOf(route: DescribedRoute): JsonObject {
  const applying = Object.entries(ERRORS).filter(([, error]) => error.when(route));
  return Object.fromEntries(applying.map(([status, { name }]) => [status, { $ref: `#/components/responses/${name}` }]));
}

/** The components to which `errorsOf` refers. `schema`: the body of every error. */
export function errorResponses(schema: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.values(ERRORS).map(({ name, description, example, headers }) => [
      name,
      { description, ...(headers === undefined ? {} : { headers }), content: { 'application/json': { schema, example } } },
    ]),
  );
}
