import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { truncated } from '../../runtime/errors.ts';

/** JSON-RPC codes by the error names of A2A. */
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

/** A call that is refused in JSON-RPC; other errors, such as a missing token or overload, have the usual form. */
export class RpcError extends Error {
  readonly reason: RpcReason;

  constructor(reason: RpcReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RpcError';
    this.reason = reason;
  }
}

/** Versions of the protocol, which differ in names, not in content. */
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

/** Throws `RpcError`, also for batches and notifications, which A2A does not have. */
export function readCall(body: Json): RpcCall {
  if (!isObject(body) || body.jsonrpc !== '2.0' || typeof body.method !== 'string')
    throw new RpcError('INVALID_REQUEST', 'the body must be one JSON-RPC 2.0 request');
  const { id, method, params = {} } = body;
  if (typeof id !== 'string' && typeof id !== 'number') throw new RpcError('INVALID_REQUEST', 'id must be a string or a number');
  if (!isObject(params)) throw new RpcError('INVALID_PARAMS', 'params must be a JSON object');
  return { id, method, params };
}

/** Throws `RpcError` for an unsupported version. Without the header, the version is 0.3. */
export function checkVersion(header: string | undefined): void {
  const version = (header ?? '').trim();
  if (version !== '' && !/^(?:0\.3|1\.0)(?:\.\d+)?$|^1$/.test(version))
    throw new RpcError('VERSION_NOT_SUPPORTED', `A2A ${truncated(version)} is not supported; 1.0 and 0.3 are`);
}

export function successResponse(id: string | number, result: JsonObject): RpcAnswer {
  return { jsonrpc: '2.0', id, result };
}

/** Details have the form of A2A 1.0. */
export function errorResponse(id: string | number | null, { reason, message }: RpcError): RpcAnswer {
  const info = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'a2a-protocol.org' };
  return { jsonrpc: '2.0', id, error: { code: CODES[reason], message, data: [info] } };
}

/** The id of a refused request; null if it has none. */
export function idOf(body: Json | undefined): string | number | null {
  const id = isObject(body) ? body.id : undefined;
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}
