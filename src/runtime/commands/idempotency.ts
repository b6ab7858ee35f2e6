import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalJson, type Json } from '../../../machines/json.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { IdempotencyRow } from '../../../store/port/executions.ts';
import { RuntimeError } from '../errors.ts';

/** A request that a client may send twice. */
export interface IdempotentRequest {
  readonly tenantId: string;
  readonly scope: string;
  readonly key: string;
  readonly requestHash: string;
}

export function idempotentRequest(tenantId: string, scope: string, key: string, request: Json): IdempotentRequest {
  return { tenantId, scope, key, requestHash: bytesToHex(sha256(utf8ToBytes(canonicalJson(request)))) };
}

/** The earlier answer as JSON, or null when the key is new. Throws `conflict` when the key came with another body. */
export async function storedResponse(store: ExecutionStore, request: IdempotentRequest): Promise<Json | null> {
  const row = await store.tenant(request.tenantId).idempotency(request.scope, request.key);
  if (row === null) return null;
  if (row.requestHash !== request.requestHash) {
    throw new RuntimeError('conflict', `idempotency key '${request.key}' was used with a different request`);
  }
  return JSON.parse(row.response) as Json;
}

export function responseRow(request: IdempotentRequest, status: number, response: Json, nowMs: number): IdempotencyRow {
  return { ...request, status, response: JSON.stringify(response), createdAtMs: nowMs };
}
