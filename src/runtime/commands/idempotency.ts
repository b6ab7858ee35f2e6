import { hash } from 'node:crypto';
import { canonicalJson, type Json } from '../../../machines/json.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { IdempotencyRow } from '../../../store/port/executions.ts';
import { RuntimeError } from '../errors.ts';

/** A request that a client may send again under the same idempotency key. */
export interface IdempotentRequest {
  readonly tenantId: string;
  readonly scope: string;
  readonly key: string;
  readonly requestHash: string;
}

/** Null without a key. `request` gives what the same key must come with again. */
export function idempotentRequest(
  tenantId: string,
  scope: string,
  key: string | undefined,
  request: () => Json,
): IdempotentRequest | null {
  if (key === undefined) return null;
  return { tenantId, scope, key, requestHash: hash('sha256', canonicalJson(request()), 'hex') };
}

/**
 * The response to an earlier request with the key; null = there was none. Throws `conflict` if the key came with another request.
 */
export async function storedResponse(store: ExecutionStore, request: IdempotentRequest | null): Promise<Json | null> {
  if (request === null) return null;
  const row = await store.tenant(request.tenantId).idempotency(request.scope, request.key);
  if (row === null) return null;
  // The hash of a request to an execution with a data policy is erased at its end.
  if (row.requestHash !== '' && row.requestHash !== request.requestHash) {
    throw new RuntimeError('conflict', `idempotency key '${request.key}' was used with a different request`);
  }
  return JSON.parse(row.response) as Json;
}

/**
 * What `attempt` gives, or the response to an earlier request with the key. The store takes a key once, so that response is read only when the
 * attempt is refused, for whatever reason. Throws `conflict` if the key came with another request.
 */
export async function unlessRepeated<T>(
  store: ExecutionStore,
  request: IdempotentRequest | null,
  attempt: () => Promise<T>,
): Promise<T | { readonly earlier: Json }> {
  try {
    return await attempt();
  } catch (error) {
    const earlier = error instanceof RuntimeError ? await storedResponse(store, request) : null;
    if (earlier === null) throw error;
    return { earlier };
  }
}

/** `executionId`: the execution that the request began, or that took it. */
export function responseRow(request: IdempotentRequest, executionId: string, response: Json, nowMs: number): IdempotencyRow {
  return { response: JSON.stringify(response), ...request, createdAtMs: nowMs, executionId };
}
