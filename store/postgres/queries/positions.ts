import { INDEX_ONLY_SETTINGS, sql } from '../connections.ts';

/** The log of all executions, in commit order. */

/**
 * Parameter: writer. The locks a writer takes before it takes a position in any log: `jamjet_settled` waits for holders of the first. The second
 * serializes processes that share a name, and therefore a chain.
 */
export const WRITER_LOCKS =
  "pg_advisory_xact_lock(1247898954, pg_backend_pid()), pg_advisory_xact_lock(hashtextextended('chain ' || $1, 0))";

/** How long a writer waits for a lock: less than its client waits, so that a retry does not queue behind it. */
export const LOCK_TIMEOUT_MS = 20_000;

/** Begins a writer's transaction. The transaction of a stalled process is aborted before others that wait for it time out. */
export const BEGIN_WRITER =
  sql(`SELECT set_config('lock_timeout', '${LOCK_TIMEOUT_MS}', true), ${WRITER_LOCKS}, set_config('idle_in_transaction_session_timeout', '20000', true),
  ${INDEX_ONLY_SETTINGS.map((setting) => `set_config('${setting}', 'off', true)`).join(', ')}`);
/** The last positions of the log and of audit blocks up to which no transaction is in progress. */
export const SETTLED = sql('SELECT event, block FROM jamjet_settled()');

/** Parameters: after, last, limit, tenant or null. Every row has the slice's length and last position, and an entry if there is one. */
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

/** The lowest row at which a copied file's log was cut after an epoch, and whether the epoch exists. */
export const LOWEST_CUT = sql(`SELECT $1::bigint <= (SELECT coalesce(max(epoch), 0) FROM log_cuts) AS known,
  (SELECT min(last_row_id) FROM log_cuts WHERE epoch > $1) AS lowest`);

export const LOG_KEY = sql('SELECT key FROM log_key WHERE id = 1');
