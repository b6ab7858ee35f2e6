import type { OriginalEvent, PendingErasure } from '../../port/resources/erasures.ts';
import { type Statement, sql } from '../statement.ts';

/** Originals of redacted events, and the executions whose originals are to be erased. */

/** So that none takes long. */
export const ORIGINALS_PER_TRANSACTION = 500;

export const ORIGINALS = sql<OriginalEvent>(`SELECT seq, salt, data FROM original_events
  WHERE execution_id = @executionId AND seq BETWEEN @from AND @to ORDER BY seq`);
export const PENDING_ERASURES = sql<PendingErasure>(`SELECT execution_id AS "executionId", tenant_id AS "tenantId" FROM erasures
  WHERE erased_at_ms IS NULL AND execution_id > @after ORDER BY execution_id LIMIT @limit`);

/** Locks the row, so that of several processes one erases at a time. */
export const PENDING_ERASURE = sql<{ readonly id: string }>(
  ({ forUpdate }) =>
    `SELECT execution_id AS id FROM erasures WHERE execution_id = @executionId AND erased_at_ms IS NULL ${forUpdate}`,
);
/** The parent reads the result of a child when it gets the message of its end. */
export const UNDELIVERED = sql<{
  readonly id: number;
}>(`SELECT id FROM inbox WHERE to_execution_id = (SELECT parent_id FROM executions WHERE id = @executionId) LIMIT 1`);
export const DELETE_CHECKPOINTS = sql('DELETE FROM checkpoints WHERE execution_id = @executionId');
export const INSERT_SNAPSHOT = sql(`INSERT INTO checkpoints (execution_id, seq, tenant_id, digest, snapshot)
  VALUES (@executionId, @seq, @tenantId, @digest, @snapshot)`);
export const DELETE_ORIGINALS = sql(`DELETE FROM original_events WHERE execution_id = @executionId AND seq IN (
  SELECT seq FROM original_events WHERE execution_id = @executionId ORDER BY seq LIMIT @limit)`);
export const MARK_ERASED = sql('UPDATE erasures SET erased_at_ms = @atMs WHERE execution_id = @executionId');

/** Payloads that clients put on queues; digests of requests, by which the requests could be guessed. */
export const ERASE_REQUESTS: readonly Statement<unknown>[] = [
  sql("UPDATE work_items SET payload = '{}' WHERE execution_id = @executionId AND payload NOT IN ('', '{}')"),
  sql("UPDATE idempotency SET request_hash = '' WHERE tenant_id = @tenantId AND execution_id = @executionId"),
];
