import type { WorkerRow } from '../../port/workers.ts';
import { sql } from '../statement.ts';

/** Workers and runtimes. Runtimes serve all tenants, and have the tenant ''. */

type StoredWorker = Omit<WorkerRow, 'queues' | 'tools'> & { readonly queues: string; readonly tools: string | null };

/**
 * A known worker that has not stopped. Servers report external workers in any order; a runtime reports itself, and must not look alive for as long as
 * its clock was ahead once.
 */
export const UPDATE_WORKER = sql(
  ({ greatest }) => `UPDATE workers SET queues = @queues, tools = @tools,
    last_seen_at_ms = CASE kind WHEN 'runtime' THEN @atMs ELSE ${greatest}(last_seen_at_ms, @atMs) END,
    claimed_total = claimed_total + @claimed WHERE tenant_id = @tenantId AND kind = @kind AND id = @id AND stopped_at_ms IS NULL`,
);
/** For the first time, or after a stop. */
export const INSERT_WORKER = sql(
  ({
    greatest,
  }) => `INSERT INTO workers (tenant_id, kind, id, queues, tools, first_seen_at_ms, last_seen_at_ms, claimed_total, stopped_at_ms)
  VALUES (@tenantId, @kind, @id, @queues, @tools, @atMs, @atMs, @claimed, NULL)
  ON CONFLICT (tenant_id, kind, id) DO UPDATE SET queues = excluded.queues, tools = excluded.tools,
    last_seen_at_ms = ${greatest}(workers.last_seen_at_ms, excluded.last_seen_at_ms),
    claimed_total = workers.claimed_total + excluded.claimed_total, stopped_at_ms = NULL`,
);
/** External workers of a tenant, up to a limit. */
export const COUNT_WORKERS = sql<{ readonly workers: number }>(`SELECT count(*) AS workers FROM (
  SELECT 1 FROM workers WHERE tenant_id = @tenantId AND kind = 'external' LIMIT @limit) AS counted`);
export const FORGET_WORKERS = sql(
  `DELETE FROM workers WHERE tenant_id = @tenantId AND kind = 'external' AND last_seen_at_ms < @beforeMs`,
);
export const MARK_STOPPED =
  sql(`INSERT INTO workers (tenant_id, kind, id, queues, first_seen_at_ms, last_seen_at_ms, claimed_total, stopped_at_ms)
  VALUES ('', 'runtime', @id, '[]', @atMs, @atMs, 0, @atMs)
  ON CONFLICT (tenant_id, kind, id) DO UPDATE SET stopped_at_ms = excluded.stopped_at_ms`);
export const STOPPED_RUNTIME = sql(
  `SELECT id FROM workers WHERE tenant_id = '' AND kind = 'runtime' AND id = @id AND stopped_at_ms IS NOT NULL`,
);
export const ACTIVE_RUNTIMES = sql<{ readonly id: string }>(`SELECT id FROM workers
  WHERE tenant_id = '' AND kind = 'runtime' AND last_seen_at_ms >= @sinceMs AND stopped_at_ms IS NULL`);
/** The last id of a slice of all workers that were ever seen. */
export const WORKERS_SLICE = sql<{
  readonly last: string | null;
  readonly seen: number;
}>(`SELECT max(id) AS last, count(*) AS seen FROM (
  SELECT id FROM workers WHERE tenant_id = @of AND kind = @kind AND id > @after ORDER BY id LIMIT @slice) AS ids`);
/**
 * The workers of a slice that were seen lately. Work of a worker counts up to 1,000. In PostgreSQL, ids of workers have another
 * collation than those in work items, whose index serves only comparisons by theirs.
 */
export const WORKERS = sql(
  ({
    engine,
  }) => `SELECT id, kind, queues, tools, first_seen_at_ms AS "firstSeenAtMs", last_seen_at_ms AS "lastSeenAtMs", claimed_total AS "claimedTotal",
    CASE WHEN kind = 'external' THEN
      (SELECT count(*) FROM (SELECT 1 FROM work_items i
        WHERE i.tenant_id = w.tenant_id AND i.worker_id = w.id ${engine === 'postgres' ? 'COLLATE "default"' : ''} AND i.status = 'claimed' LIMIT 1000) AS items)
      ELSE (SELECT count(*) FROM executions e WHERE e.local_work > 0 AND e.owner = w.id AND e.tenant_id = @tenantId) END AS "inFlight"
  FROM workers w
  WHERE tenant_id = @of AND kind = @kind AND id > @after AND id <= @last AND last_seen_at_ms >= @sinceMs AND stopped_at_ms IS NULL ORDER BY id`,
  (stored: StoredWorker): WorkerRow => ({
    ...stored,
    queues: JSON.parse(stored.queues) as readonly string[],
    tools: stored.tools === null ? null : (JSON.parse(stored.tools) as readonly string[]),
  }),
);
