import { MAX_EVENTS } from '../../log/entry.ts';
import { type Sql, sql } from '../connections.ts';

/** The log of an execution, and messages between executions. */

/** In place of a request that is the same as in the entry before, of the same execution and commit. */
export const SAME_REQUEST = '=';

/** The fields of a stored entry. Its actor is looked up by number: a join might read the actors of all entries. Aliases: e, a. */
export const ENTRY = `e.seq, e.events, e.at_ms AS "atMs", coalesce(a.id, 'missing actor ' || e.actor) AS "actorId",
  coalesce(a.type, 'system') AS "actorType", a.on_behalf_of AS "onBehalfOf", e.body,
  CASE e.request WHEN '${SAME_REQUEST}' THEN
    (SELECT before.request FROM log_entries before
      WHERE before.log_id = e.log_id AND before.seq < e.seq ORDER BY before.seq DESC LIMIT 1)
  ELSE e.request END AS request`;
/** An actor that was removed by hand is named by its number, which no digest matches. */
export const ACTOR_OF_ENTRY = `LEFT JOIN LATERAL (SELECT id, type, on_behalf_of FROM log_actors WHERE number = ANY(ARRAY[e.actor])) AS a ON true`;

/** The number of an execution's log. Parameter: execution. */
export const LOG_OF = '(SELECT x.log_id FROM executions x WHERE x.id = $1)';

/** What an entry must contain to be read: the token of a type in `types`, or a text in the body. */
export interface EntryFilter {
  readonly type: boolean;
  readonly text: boolean;
}

/**
 * Parameters: execution, after, limit, bytes, then the token and the text if given. The entries with events after a sequence, up to as many as the
 * limit; without a filter, none that begins behind the limit. `after` comes from clients and may exceed the range of a sequence. The page ends with the
 * first entry by which the bodies exceed that many bytes; lengths are known without reading the bodies.
 */
export function listEntries(by: EntryFilter): Sql {
  const filters = [by.type ? ' AND strpos(types, $5) > 0' : '', by.text ? ` AND strpos(body, $${by.type ? 6 : 5}) > 0` : ''].join(
    '',
  );
  // The index ends the scan where even the largest entry would begin behind the limit.
  const bound = filters === '' ? ` AND seq - events < $2::bigint + $3 AND seq < $2::bigint + $3 + ${MAX_EVENTS}` : '';
  return sql(`SELECT ${ENTRY} FROM (
    SELECT *, sum(octet_length(body)) OVER (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
    FROM (SELECT * FROM log_entries WHERE log_id = ${LOG_OF} AND seq > $2::bigint${filters}${bound} ORDER BY seq LIMIT $3) AS page
  ) AS e ${ACTOR_OF_ENTRY} WHERE coalesce(bytes_before, 0) <= $4::bigint ORDER BY seq`);
}

export const INBOX = sql('SELECT id, to_execution_id AS "toExecutionId", message FROM inbox WHERE id > $1 ORDER BY id LIMIT $2');
