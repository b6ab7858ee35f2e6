import type { Backlog, WaitingQueue } from '../../port/resources/backlog.ts';
import { sql } from '../statement.ts';

/** What waits, by tenant. Each count reads an index up to a limit, and no statement reads what has ended. */

/** As many as are read at most. */
const MAX_TENANTS = 10_000;
export const BACKLOG_TENANTS = sql<{ readonly id: string }>(
  `SELECT id FROM tenants WHERE id > '' ORDER BY id LIMIT ${MAX_TENANTS}`,
);

const PENDING = "work_items w WHERE w.status = 'pending' AND w.tenant_id";

/** The queues with waiting items, found one after the other in the index: the items of a long queue are not read. */
export const WAITING_QUEUES = sql<WaitingQueue>(
  ({ each }) => `WITH RECURSIVE queues (tenant, queue) AS (
    SELECT each.value, (SELECT min(w.queue) FROM ${PENDING} = each.value) FROM ${each('tenants')}
    UNION ALL
    SELECT q.tenant, (SELECT min(w.queue) FROM ${PENDING} = q.tenant AND w.queue > q.queue) FROM queues q WHERE q.queue IS NOT NULL)
  SELECT q.tenant AS "tenantId", q.queue,
    (SELECT count(*) FROM (SELECT 1 FROM ${PENDING} = q.tenant AND w.queue = q.queue LIMIT @limit) AS counted) AS count,
    (SELECT min(w.created_at_ms) FROM ${PENDING} = q.tenant AND w.queue = q.queue) AS "oldestAtMs"
  FROM queues q WHERE q.queue IS NOT NULL`,
);

const live = (status: string): string =>
  `(SELECT count(*) FROM (SELECT 1 FROM executions e
    WHERE e.tenant_id = each.value AND e.status = '${status}' LIMIT @limit) AS counted)`;
export const LIVE_EXECUTIONS = sql<Backlog['executions']>(
  ({ each }) =>
    `SELECT ${live('pending')} AS pending, ${live('running')} AS running, ${live('paused')} AS paused FROM ${each('tenants')}`,
);

export const LEASES = sql<{ readonly count: number }>(
  `SELECT count(*) AS count
  FROM (SELECT 1 FROM work_items WHERE status = 'claimed' AND lease_expires_at_ms > @nowMs LIMIT @limit) AS counted`,
);

export const OVERDUE_TIMERS = sql<{ readonly count: number; readonly oldestAtMs: number | null }>(
  `SELECT count(*) AS count, min(at_ms) AS "oldestAtMs"
  FROM (SELECT at_ms FROM timers WHERE at_ms <= @nowMs ORDER BY at_ms LIMIT @limit) AS counted`,
);

const UNDELIVERED = "webhook_deliveries d WHERE d.webhook_id = w.id AND d.status = 'pending'";
export const UNDELIVERED_WEBHOOKS = sql<{ readonly count: number; readonly oldestAtMs: number | null }>(
  `SELECT (SELECT count(*) FROM (SELECT 1 FROM ${UNDELIVERED} LIMIT @limit) AS counted) AS count,
    (SELECT d.created_at_ms FROM ${UNDELIVERED} ORDER BY d.id LIMIT 1) AS "oldestAtMs"
  FROM webhooks w WHERE w.id > '' AND w.deleted_at_ms IS NULL AND w.enabled ORDER BY w.id LIMIT @limit`,
);
