import type { JsonObject } from '../../../machines/json.ts';
import type { DescribedRoute } from './routes.ts';

interface ErrorResponse {
  /** Of its component. */
  readonly name: string;
  readonly description: string;
  readonly example: JsonObject;
  readonly headers?: JsonObject;
  readonly when: (route: DescribedRoute) => boolean;
}

const always = (): boolean => true;
const guarded = ({ access }: DescribedRoute): boolean => access !== 'open';
const writes = ({ method }: DescribedRoute): boolean => method !== 'GET';
/** Names something that may not exist, in its path, its query or its body. */
const names = ({ schema }: DescribedRoute): boolean =>
  schema.params !== undefined || schema.querystring !== undefined || schema.body !== undefined;

const RETRY_AFTER = { 'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' } } };

/** What any route may answer beside its success, by status. The texts are those of the reference. */
const ERRORS: Readonly<Record<number, ErrorResponse>> = {
  400: {
    name: 'BadRequest',
    description: 'The path, the query or the body is not right.',
    example: { error: 'bad request: ir.workflow_id is required', code: 'invalid_workflow' },
    when: always,
  },
  401: {
    name: 'Unauthorized',
    description: 'No token, or one that is unknown, expired or revoked.',
    example: { error: 'invalid or expired token', code: 'unauthorized' },
    headers: { 'WWW-Authenticate': { description: 'The scheme: `Bearer`.', schema: { type: 'string' } } },
    when: guarded,
  },
  403: {
    name: 'Forbidden',
    description: "The token's role may not do this, or its tenant is not active.",
    example: { error: 'insufficient role — developer or operator required', code: 'forbidden', required: 'developer' },
    when: always,
  },
  404: {
    name: 'NotFound',
    description: 'There is no such thing, or it belongs to another tenant.',
    example: { error: 'not found: execution exec_abc123', code: 'not_found' },
    when: names,
  },
  409: {
    name: 'Conflict',
    description: 'Too late, or against what is there already.',
    example: { error: 'conflict: execution is completed; approvals can no longer be decided', code: 'conflict' },
    when: writes,
  },
  413: {
    name: 'TooLarge',
    description:
      'The body is larger than the route takes: 2 MiB, artifacts 8 MiB. Or the execution would hold more than it may (`state_too_large`).',
    example: { error: 'bad request: the body is larger than 2 MiB', code: 'too_large' },
    when: writes,
  },
  429: {
    name: 'TooMany',
    description: 'A limit of the tenant is reached.',
    example: { error: 'too many requests: tenant acme may run 10 executions at a time', code: 'limit_exceeded_concurrency' },
    headers: RETRY_AFTER,
    when: guarded,
  },
  500: {
    name: 'InternalError',
    description: 'A fault of the server; its log tells more under the id of the request.',
    example: { error: 'internal error: unexpected failure, logged under request 3f0c', code: 'internal' },
    when: always,
  },
  503: {
    name: 'Unavailable',
    description: 'Too much is waiting, or the server is stopping.',
    example: { error: 'service unavailable: the server is shutting down', code: 'shutting_down' },
    headers: RETRY_AFTER,
    when: always,
  },
};

/** References to the errors a route may answer, by status. */
export function errorsOf(route: DescribedRoute): JsonObject {
  const applying = Object.entries(ERRORS).filter(([, error]) => error.when(route));
  return Object.fromEntries(applying.map(([status, { name }]) => [status, { $ref: `#/components/responses/${name}` }]));
}

/** The components that `errorsOf` refers to; `schema` is what every error's body is. */
export function errorResponses(schema: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.values(ERRORS).map(({ name, description, example, headers }) => [
      name,
      { description, ...(headers === undefined ? {} : { headers }), content: { 'application/json': { schema, example } } },
    ]),
  );
}
