import { sql } from '../connections.ts';

/** What retention removes. */

export const RETENTION_POLICIES =
  sql(`SELECT id AS "tenantId", (limits::jsonb ->> 'retention_days')::numeric::float8 AS days FROM tenants
  WHERE (limits::jsonb ->> 'retention_days')::numeric > 0 ORDER BY id`);
export const OLDEST_END = sql(`SELECT completed_at_ms AS "atMs" FROM executions
  WHERE tenant_id = $1 AND completed_at_ms IS NOT NULL ORDER BY completed_at_ms LIMIT 1`);

/** Holds them: a retry that comes now waits, and finds them gone. */
export const ENDED_EXECUTIONS = sql(`SELECT id, seq, completed_at_ms AS "endedAtMs", labels FROM executions
  WHERE tenant_id = $1 AND completed_at_ms IS NOT NULL AND completed_at_ms < $2
    AND (completed_at_ms, id) > ($3, $4) ORDER BY completed_at_ms, id LIMIT $5 FOR UPDATE`);
/** Those with a relative that is alive, or a message that its delivery would look either of them up for. */
export const HELD_EXECUTIONS = sql(`SELECT e.id FROM executions e WHERE e.id = ANY($2) AND e.tenant_id = $1 AND (
  EXISTS (SELECT 1 FROM executions c WHERE c.tenant_id = $1 AND c.parent_id = e.id AND c.completed_at_ms IS NULL)
  OR EXISTS (SELECT 1 FROM executions p WHERE p.id = e.parent_id AND p.completed_at_ms IS NULL)
  OR EXISTS (SELECT 1 FROM inbox i WHERE i.to_execution_id = e.id)
  OR EXISTS (SELECT 1 FROM inbox i WHERE i.to_execution_id = e.parent_id))`);

/** Tenant and ids, in an order in which nothing refers to what is gone already. */
export const REMOVE_EXECUTIONS = [
  sql('DELETE FROM timers WHERE tenant_id = $1 AND execution_id = ANY($2)'),
  sql('DELETE FROM work_items WHERE tenant_id = $1 AND execution_id = ANY($2)'),
  sql(`WITH removed AS MATERIALIZED (SELECT w.id AS webhook_id, each.id AS execution_id
      FROM webhooks w CROSS JOIN unnest($2::text[]) AS each (id) WHERE w.tenant_id = $1 AND w.deleted_at_ms IS NULL)
    DELETE FROM webhook_deliveries d USING removed r
    WHERE d.webhook_id = r.webhook_id AND d.execution_id = r.execution_id AND d.status = 'pending'`),
  sql('DELETE FROM idempotency WHERE tenant_id = $1 AND execution_id = ANY($2)'),
  sql(`DELETE FROM idempotency WHERE tenant_id = $1
    AND scope = ANY(SELECT 'external-event:' || removed.id FROM unnest($2::text[]) AS removed (id))`),
  sql('DELETE FROM events WHERE tenant_id = $1 AND execution_id = ANY($2)'),
  sql('DELETE FROM executions WHERE tenant_id = $1 AND id = ANY($2)'),
] as const;
/** Tenant, and as many keys as ids. */
export const REMOVE_LABELS = sql(`DELETE FROM execution_labels l USING unnest($2::text[], $3::text[]) AS removed (key, id)
  WHERE l.tenant_id = $1 AND l.key = removed.key AND l.execution_id = removed.id`);
export const RECORD_REMOVALS = sql(`INSERT INTO removed_executions (execution_id, tenant_id, last_seq, control_seq)
  SELECT removed.id, $1, removed.last_seq, $4 FROM unnest($2::text[], $3::integer[]) AS removed (id, last_seq)`);
