import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';

/** What A2A calls an error, and its code in JSON-RPC. */
const CODES = {
  PARSE_ERROR: -32_700,
  INVALID_REQUEST: -32_600,
  METHOD_NOT_FOUND: -32_601,
  INVALID_PARAMS: -32_602,
  TASK_NOT_FOUND: -32_001,
  TASK_NOT_CANCELABLE: -32_002,
  PUSH_NOTIFICATION_NOT_SUPPORTED: -32_003,
  UNSUPPORTED_OPERATION: -32_004,
  CONTENT_TYPE_NOT_SUPPORTED: -32_005,
  EXTENDED_AGENT_CARD_NOT_CONFIGURED: -32_007,
  VERSION_NOT_SUPPORTED: -32_009,
} as const;
export type RpcReason = keyof typeof CODES;

/** A call that A2A itself refuses; anything else (no token, too much waiting …) is refused as on every route. */
export class RpcError extends Error {
  readonly reason: RpcReason;

  constructor(reason: RpcReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RpcError';
    this.reason = reason;
  }
}

/** The two forms of the protocol: they differ in names, not in what they say. */
export type A2aVersion = '0.3' | '1.0';

export interface RpcCall {
  readonly id: string | number;
  readonly method: string;
  readonly params: JsonObject;
}

export type RpcAnswer = {
  readonly jsonrpc: '2.0';
  readonly id: string | number | null;
  readonly result?: JsonObject;
  readonly error?: { readonly code: number; readonly message: string; readonly data: readonly JsonObject[] };
};

/** Throws `RpcError`. A2A has neither batches nor notifications. */
export function readCall(body: Json): RpcCall {
  if (!isObject(body) || body.jsonrpc !== '2.0' || typeof body.method !== 'string')
    throw new RpcError('INVALID_REQUEST', 'the body must be one JSON-RPC 2.0 request');
  const { id, method, params = {} } = body;
  if (typeof id !== 'string' && typeof id !== 'number') throw new RpcError('INVALID_REQUEST', 'id must be a string or a number');
  if (!isObject(params)) throw new RpcError('INVALID_PARAMS', 'params must be a JSON object');
  return { id, method, params };
}

/** Clients of 1.0 say so; those that say nothing speak 0.3. Throws `RpcError` for a version that is neither. */
export function checkVersion(header: string | undefined): void {
  const version = (header ?? '').trim();
  if (version !== '' && !/^(?:0\.3|1\.0)(?:\.\d+)?$|^1$/.test(version))
    throw new RpcError('VERSION_NOT_SUPPORTED', `A2A ${version.slice(0, 20)} is not spoken here; 1.0 and 0.3 are`);
}

export function successResponse(id: string | number, result: JsonObject): RpcAnswer {
  return { jsonrpc: '2.0', id, result };
}

/** With the details in the form 1.0 gives them. */
export function errorResponse(id: string | number | null, { reason, message }: RpcError): RpcAnswer {
  const info = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'a2a-protocol.org' };
  return { jsonrpc: '2.0', id, error: { code: CODES[reason], message, data: [info] } };
}

/** The id of a request that is refused, as far as it has one. */
export function idOf(body: Json | undefined): string | number | null {
  const id = isObject(body) ? body.id : undefined;
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}
