/** What retention removes. */

export const RETENTION_POLICIES = `SELECT id AS tenantId, json_extract(limits, '$.retention_days') AS days FROM tenants
  WHERE json_extract(limits, '$.retention_days') > 0 ORDER BY id`;
export const OLDEST_END = `SELECT completed_at_ms FROM executions
  WHERE tenant_id = ? AND completed_at_ms IS NOT NULL ORDER BY completed_at_ms LIMIT 1`;

export const ENDED_EXECUTIONS = `SELECT id, seq, parent_id AS parentId, completed_at_ms AS endedAtMs FROM executions
  WHERE tenant_id = @tenantId AND completed_at_ms IS NOT NULL AND completed_at_ms < @endedBeforeMs
    AND (completed_at_ms, id) > (@endedAtMs, @id) ORDER BY completed_at_ms, id LIMIT @limit`;
/** A relative that is alive, or a message that its delivery would look either of them up for. */
export const IS_HELD = `SELECT 1 WHERE
  EXISTS (SELECT 1 FROM executions c WHERE c.tenant_id = @tenantId AND c.parent_id = @id AND c.completed_at_ms IS NULL)
  OR EXISTS (SELECT 1 FROM executions p WHERE p.id = @parentId AND p.completed_at_ms IS NULL)
  OR EXISTS (SELECT 1 FROM inbox WHERE to_execution_id IN (@id, @parentId))`;

/** In an order in which nothing refers to what is gone already. */
export const REMOVE_EXECUTION = [
  'DELETE FROM checkpoints WHERE execution_id = @id',
  'DELETE FROM timers WHERE execution_id = @id',
  'DELETE FROM work_items WHERE execution_id = @id',
  `DELETE FROM webhook_deliveries WHERE execution_id = @id AND status = 'pending'
    AND webhook_id IN (SELECT w.id FROM webhooks w WHERE w.tenant_id = @tenantId AND w.deleted_at_ms IS NULL)`,
  `DELETE FROM idempotency WHERE tenant_id = @tenantId AND scope = 'executions' AND json_extract(response, '$.execution_id') = @id`,
  `DELETE FROM idempotency WHERE tenant_id = @tenantId AND scope = 'external-event:' || @id`,
  'DELETE FROM events WHERE execution_id = @id',
  'DELETE FROM executions WHERE id = @id AND tenant_id = @tenantId',
] as const;
export const RECORD_REMOVAL = `INSERT INTO removed_executions (execution_id, tenant_id, last_seq, control_seq)
  VALUES (@id, @tenantId, @seq, @controlSeq)`;
