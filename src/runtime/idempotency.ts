import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalJson, type Json } from '../../machines/json.ts';
import type { IdempotencyRow } from '../../store/rows.ts';
import type { Store } from '../../store/store.ts';
import { RuntimeError } from './errors.ts';

/** A request that a client may send twice. */
export interface Repeatable {
  readonly tenantId: string;
  readonly scope: string;
  readonly key: string;
  readonly requestHash: string;
}

export function repeatable(tenantId: string, scope: string, key: string, request: Json): Repeatable {
  return { tenantId, scope, key, requestHash: bytesToHex(sha256(utf8ToBytes(canonicalJson(request)))) };
}

/** The earlier answer as JSON, or null when the key is new. Throws `conflict` when the key came with another body. */
export async function earlierAnswer(store: Store, request: Repeatable): Promise<Json | null> {
  const row = await store.tenant(request.tenantId).idempotency(request.scope, request.key);
  if (row === null) return null;
  if (row.requestHash !== request.requestHash) {
    throw new RuntimeError('conflict', `idempotency key '${request.key}' was used with a different request`);
  }
  return JSON.parse(row.response) as Json;
}

export function answerRow(request: Repeatable, status: number, response: Json, nowMs: number): IdempotencyRow {
  return { ...request, status, response: JSON.stringify(response), createdAtMs: nowMs };
}
