import { INDEX_ONLY_SETTINGS, sql } from '../connections.ts';

/** The log of all executions, in the order of commits. */

/**
 * Writer. A writer's locks, before it takes a position in any log: `jamjet_settled` waits for who holds the first. Processes that share a
 * name, and with it a chain, take turns by the second.
 */
export const WRITER_LOCKS =
  "pg_advisory_xact_lock(1247898954, pg_backend_pid()), pg_advisory_xact_lock(hashtextextended('chain ' || $1, 0))";

/** How long a writer waits for a lock: it gives up before its client does, or what the client tries again would queue behind it. */
export const LOCK_TIMEOUT_MS = 20_000;

/** Begins a writer's transaction. One whose process stands still is given up before those who wait for it give up themselves. */
export const BEGIN_WRITER =
  sql(`SELECT set_config('lock_timeout', '${LOCK_TIMEOUT_MS}', true), ${WRITER_LOCKS}, set_config('idle_in_transaction_session_timeout', '20000', true),
  ${INDEX_ONLY_SETTINGS.map((setting) => `set_config('${setting}', 'off', true)`).join(', ')}`);
/** The last positions that were taken, in the log and among audit blocks, now that nothing is under way up to them. */
export const SETTLED = sql('SELECT event, block FROM jamjet_settled()');

/** After, last, limit, tenant or null: the slice's last position and its length in every row, and the entries there are. */
export const LOG_SLICE = sql(`WITH slice AS MATERIALIZED (
  SELECT position, tenant_id, execution_id, seq, type, node_id, at_ms FROM events
  WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3
), extent AS (
  SELECT count(*) AS looked, max(position) AS last FROM slice
), entry AS (
  SELECT s.*, x.workflow_id FROM slice s CROSS JOIN LATERAL (SELECT workflow_id FROM executions x WHERE x.id = s.execution_id) x
  WHERE $4::text IS NULL OR s.tenant_id = $4
)
SELECT extent.looked, extent.last, e.position, e.tenant_id AS "tenantId", e.execution_id AS "executionId", e.workflow_id AS "workflowId", e.seq,
  e.type, e.node_id AS "nodeId", e.at_ms AS "atMs"
FROM extent LEFT JOIN entry e ON true ORDER BY e.position`);

/** How far the rows of a file were cut off at most since an epoch, and whether it is one of its epochs. */
export const LOWEST_CUT = sql(`SELECT $1::bigint <= (SELECT coalesce(max(epoch), 0) FROM log_cuts) AS known,
  (SELECT min(last_row_id) FROM log_cuts WHERE epoch > $1) AS lowest`);

export const LOG_KEY = sql('SELECT key FROM log_key WHERE id = 1');
