import { sql } from '../connections.ts';
import { ACTOR_NUMBERS } from './commit.ts';

/** The log of releases that stored a row per event, which the migration left in `old_events`. */

/** Per batch, so that none takes long; the last event may exceed the bytes. */
const ROWS = 4_000;
const BYTES = 8 * 1024 * 1024;

/** Reads the catalog itself: `to_regclass` may still see a table that another process has dropped since the transaction began. */
export const IS_UNCONVERTED = sql(
  "SELECT EXISTS (SELECT 1 FROM pg_class WHERE relname = 'old_events' AND pg_table_is_visible(oid)) AS unconverted",
);
/** Processes that start at once take turns, batch by batch. Parameter: lock. */
export const LOCK_CONVERSION = sql("SELECT pg_advisory_xact_lock($1), set_config('statement_timeout', '0', true)");
/** How far the rows are converted; entries of this release are written only when all are. The lowest number of a log. The positions of all rows. */
export const CONVERTED = sql(`SELECT coalesce((SELECT max(position) FROM log_entries), ${Number.MIN_SAFE_INTEGER}) AS position,
  coalesce(least((SELECT min(log_id) FROM log_entries), 0), 0) AS "lowestLog",
  coalesce((SELECT min(position) FROM old_events), 1) AS "lowestPosition", coalesce((SELECT max(position) FROM old_events), 0) AS "highestPosition"`);
/** Parameter: after. Null for `logId`: there is no such execution. */
export const UNCONVERTED_EVENTS =
  sql(`SELECT o.position, o.execution_id AS "executionId", x.log_id AS "logId", o.tenant_id AS "tenantId",
  o.seq, o.type, o.node_id AS "nodeId", o.data, o.at_ms AS "atMs", o.actor_id AS "actorId", o.actor_type AS "actorType",
  o.on_behalf_of AS "onBehalfOf", o.request
FROM (
  SELECT *, sum(octet_length(data)) OVER (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
  FROM (SELECT * FROM old_events WHERE position > $1 ORDER BY position LIMIT ${ROWS}) AS page
) AS o LEFT JOIN LATERAL (SELECT log_id FROM executions WHERE id = ANY(ARRAY[o.execution_id])) AS x ON true
WHERE coalesce(bytes_before, 0) <= ${BYTES} ORDER BY position`);
/** Like `APPEND_ENTRIES`, with given positions and logs. */
export const CONVERT_ENTRIES = sql(`WITH actors AS MATERIALIZED (${ACTOR_NUMBERS})
  INSERT INTO log_entries (position, log_id, at_ms, seq, actor, events, tenant_id, types, request, body)
  SELECT position, log_id, at_ms, seq, (SELECT numbers[v.actor] FROM actors), events, tenant_id, types, request, body
  FROM json_to_recordset($1) AS v (position bigint, log_id bigint, tenant_id text, at_ms bigint, seq integer, actor integer,
    events smallint, types text, request text, body text)`);
export const DROP_UNCONVERTED = sql('DROP TABLE old_events');
/** The planner has no statistics of the new tables yet. */
export const ANALYZE_CONVERTED = sql('ANALYZE log_entries, log_actors, executions');
