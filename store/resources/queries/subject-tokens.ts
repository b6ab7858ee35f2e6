import { sql } from '../statement.ts';

export const INSERT_SUBJECT_TOKEN = sql(`INSERT INTO subject_tokens (execution_id, tenant_id, sealed, created_at_ms)
  VALUES (@executionId, @tenantId, @sealed, @createdAtMs)`);
export const SUBJECT_TOKEN = sql<{ readonly sealed: Uint8Array }>(
  'SELECT sealed FROM subject_tokens WHERE execution_id = @executionId AND tenant_id = @tenantId',
);
export const DELETE_SUBJECT_TOKEN = sql('DELETE FROM subject_tokens WHERE execution_id = @executionId AND tenant_id = @tenantId');
/** The table holds live executions only, so that it is small. */
export const DELETE_UNUSED_SUBJECT_TOKENS = sql(`DELETE FROM subject_tokens WHERE created_at_ms < @createdBeforeMs
  AND NOT EXISTS (SELECT 1 FROM executions e WHERE e.id = subject_tokens.execution_id AND e.completed_at_ms IS NULL)`);
