import { MAX_EVENTS, SLICE_BYTES } from '../../log/entry.ts';
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

/**
 * Parameters: after, last, limit, tenant or null. The entries whose last event is after a position, without the bodies of other tenants. As many events
 * as the limit, and those of the first entry up to `after`.
 */
export const LOG_SLICE =
  sql(`SELECT s.position, s.events, s.tenant_id AS "tenantId", x.id AS "executionId", x.workflow_id AS "workflowId", s.seq,
  s.at_ms AS "atMs", CASE WHEN $4::text IS NULL OR s.tenant_id = $4 THEN s.body END AS body, octet_length(s.body) AS bytes
FROM (
  SELECT *, sum(events) OVER preceding AS events_before, sum(octet_length(body)) OVER preceding AS bytes_before
  FROM (SELECT * FROM log_entries WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3) AS page
  WINDOW preceding AS (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
) AS s LEFT JOIN LATERAL (SELECT id, workflow_id FROM executions WHERE log_id = ANY(ARRAY[s.log_id])) AS x ON true
WHERE coalesce(events_before, 0) < $3 + ${MAX_EVENTS} AND coalesce(bytes_before, 0) <= ${SLICE_BYTES} ORDER BY position`);

/** The lowest row at which a copied file's log was cut after an epoch, and whether the epoch exists. */
export const LOWEST_CUT = sql(`SELECT $1::bigint <= (SELECT coalesce(max(epoch), 0) FROM log_cuts) AS known,
  (SELECT min(last_row_id) FROM log_cuts WHERE epoch > $1) AS lowest`);

export const LOG_KEY = sql('SELECT key FROM log_key WHERE id = 1');
