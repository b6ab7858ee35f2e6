import type { RemovalPosition, RetentionPolicy } from '../../port/resources/retention.ts';
import { type Dialect, type Statement, sql } from '../statement.ts';

/** Retention. */

export const RETENTION_POLICIES = sql<RetentionPolicy>(({ engine }) => {
  const days = engine === 'sqlite' ? "json_extract(limits, '$.retention_days')" : "(limits::jsonb ->> 'retention_days')::numeric";
  return `SELECT id AS "tenantId", ${engine === 'sqlite' ? days : `${days}::float8`} AS days FROM tenants WHERE ${days} > 0 ORDER BY id`;
});
export const OLDEST_END = sql<{ readonly atMs: number }>(`SELECT completed_at_ms AS "atMs" FROM executions
  WHERE tenant_id = @tenantId AND completed_at_ms IS NOT NULL ORDER BY completed_at_ms LIMIT 1`);

export interface EndedExecution extends RemovalPosition {
  readonly id: string;
  readonly seq: number;
  readonly labels: string;
}

/** Locks the rows, so that a concurrent retry waits and finds the executions gone. */
export const ENDED_EXECUTIONS = sql<EndedExecution>(
  ({ forUpdate }) => `SELECT id, seq, completed_at_ms AS "endedAtMs", log_id AS place, labels FROM executions
  WHERE tenant_id = @tenantId AND completed_at_ms IS NOT NULL AND completed_at_ms < @endedBeforeMs
    AND (completed_at_ms, log_id) > (@endedAtMs, @place) ORDER BY completed_at_ms, log_id LIMIT @limit ${forUpdate}`,
);
/** The same for executions that the data policies of their workflows have removed. */
export const EXPIRED_EXECUTIONS = sql<EndedExecution>(
  ({ forUpdate }) => `SELECT e.id, e.seq, r.remove_at_ms AS "endedAtMs", r.execution_id AS place, e.labels
  FROM erasures r JOIN executions e ON e.id = r.execution_id
  WHERE r.tenant_id = @tenantId AND r.remove_at_ms IS NOT NULL AND r.remove_at_ms < @endedBeforeMs
    AND (r.remove_at_ms, r.execution_id) > (@endedAtMs, @place) ORDER BY r.remove_at_ms, r.execution_id LIMIT @limit ${forUpdate}`,
);
export const NEXT_EXPIRING = sql<{ readonly tenantId: string }>(`SELECT tenant_id AS "tenantId" FROM erasures
  WHERE remove_at_ms IS NOT NULL AND tenant_id > @after ORDER BY tenant_id LIMIT 1`);

/** Executions with a live parent or child, or with an undelivered message to them or their parent, whose delivery would look them up. */
export const STILL_NEEDED = sql<{ readonly id: string }>(
  ({ in: isIn }) => `SELECT e.id FROM executions e WHERE e.id ${isIn('ids')} AND e.tenant_id = @tenantId AND (
  EXISTS (SELECT 1 FROM executions c WHERE c.tenant_id = @tenantId AND c.parent_id = e.id AND c.completed_at_ms IS NULL)
  OR EXISTS (SELECT 1 FROM executions p WHERE p.id = e.parent_id AND p.completed_at_ms IS NULL)
  OR EXISTS (SELECT 1 FROM inbox i WHERE i.to_execution_id = e.id)
  OR EXISTS (SELECT 1 FROM inbox i WHERE i.to_execution_id = e.parent_id))`,
);

/** Rows of `table` that belong to the executions. */
const deleteFrom = (table: string, column = 'execution_id') =>
  sql(({ in: isIn }) => `DELETE FROM ${table} WHERE tenant_id = @tenantId AND ${column} ${isIn('ids')}`);

/** PostgreSQL looks up each webhook and execution; SQLite goes through the index of the webhook's pending deliveries. */
const pendingDeliveries = ({ engine, in: isIn }: Dialect): string =>
  engine === 'sqlite'
    ? `DELETE FROM webhook_deliveries WHERE execution_id ${isIn('ids')} AND status = 'pending'
    AND webhook_id IN (SELECT w.id FROM webhooks w WHERE w.tenant_id = @tenantId AND w.deleted_at_ms IS NULL)`
    : `WITH removed AS MATERIALIZED (SELECT w.id AS webhook_id, each.id AS execution_id
      FROM webhooks w CROSS JOIN unnest(@ids::text[]) AS each (id) WHERE w.tenant_id = @tenantId AND w.deleted_at_ms IS NULL)
    DELETE FROM webhook_deliveries d USING removed r
    WHERE d.webhook_id = r.webhook_id AND d.execution_id = r.execution_id AND d.status = 'pending'`;

/** Deletes the rows of the given executions, in an order that respects references. */
export const REMOVE_EXECUTIONS: readonly Statement<unknown>[] = [
  deleteFrom('approvals'),
  deleteFrom('checkpoints'),
  deleteFrom('original_events'),
  deleteFrom('erasures'),
  deleteFrom('timers'),
  deleteFrom('work_items'),
  deleteFrom('retried_executions'),
  sql(pendingDeliveries),
  // With the tenant, SQLite would go through all requests of the tenant.
  sql(
    ({ engine, in: isIn }) => `DELETE FROM idempotency
    WHERE ${engine === 'sqlite' ? '' : 'tenant_id = @tenantId AND '}execution_id ${isIn('ids')}`,
  ),
  // Before the executions, which name their logs.
  sql(({ engine, in: isIn }) => {
    const logs = `SELECT e.log_id FROM executions e WHERE e.tenant_id = @tenantId AND e.id ${isIn('ids')}`;
    return `DELETE FROM log_entries WHERE log_id ${engine === 'sqlite' ? `IN (${logs})` : `= ANY(ARRAY(${logs}))`}`;
  }),
  deleteFrom('executions', 'id'),
];
/** As many keys as ids. SQLite needs no statement: a trigger removes the labels with their execution. */
export const REMOVE_LABELS: Readonly<Record<Dialect['engine'], readonly Statement<unknown>[]>> = {
  sqlite: [],
  postgres: [
    sql(`DELETE FROM execution_labels l USING unnest(@keys::text[], @ids::text[]) AS removed (key, id)
  WHERE l.tenant_id = @tenantId AND l.key = removed.key AND l.execution_id = removed.id`),
  ],
};
export const RECORD_REMOVAL = sql(`INSERT INTO removed_executions (execution_id, tenant_id, last_seq, control_seq)
  VALUES (@id, @tenantId, @seq, @controlSeq)`);
