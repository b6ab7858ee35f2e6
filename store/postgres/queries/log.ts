import { type Sql, sql } from '../connections.ts';

/** The log of an execution, and messages between executions. */

export const EVENT = `seq, type, node_id AS "nodeId", data, at_ms AS "atMs", actor_id AS "actorId", actor_type AS "actorType",
  on_behalf_of AS "onBehalfOf", request`;

/**
 * Parameters: execution, after, limit, bytes, then the type and the node if given. `after` comes from clients and may exceed the range of a sequence. The
 * page ends with the first event by which its data exceeds that many bytes; lengths are known without reading the data.
 */
export function listEvents(by: { readonly type: boolean; readonly nodeId: boolean }): Sql {
  const filters = [by.type ? ' AND type = $5' : '', by.nodeId ? ` AND node_id = $${by.type ? 6 : 5}` : ''];
  return sql(`SELECT ${EVENT} FROM (
    SELECT *, sum(octet_length(data)) OVER (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
    FROM (SELECT * FROM events WHERE execution_id = $1 AND seq > $2::bigint${filters.join('')} ORDER BY seq LIMIT $3) AS page
  ) AS e WHERE coalesce(bytes_before, 0) <= $4::bigint ORDER BY seq`);
}

export const INBOX = sql('SELECT id, to_execution_id AS "toExecutionId", message FROM inbox WHERE id > $1 ORDER BY id LIMIT $2');
