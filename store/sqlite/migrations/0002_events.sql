-- The log for those who read the database with other tools: one row per event. store/log/shapes.ts has the form of the texts that this reads.

-- How the events of each type are stored. Opening the database adds what the release knows beyond it.
CREATE TABLE event_types (
  letter       TEXT    NOT NULL PRIMARY KEY,
  type         TEXT    NOT NULL UNIQUE,
  -- 1: the events concern the whole execution.
  of_execution INTEGER NOT NULL,
  -- A JSON array of the fields of the data: `key`, `value` (the index of the value in the line) and `default`, as JSON text; `actor` = the actor.
  fields       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE VIEW events AS
SELECT
  n.id AS tenant_id,
  x.id AS execution_id,
  e.seq - e.events + event.key + 1 AS seq,
  json_extract(event.value, '$[0]') AS type,
  json_extract(event.value, '$[1]') AS node_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', e.at_ms / 1000.0, 'unixepoch') AS at,
  e.at_ms,
  coalesce(a.id, 'missing actor ' || e.actor) AS actor_id,
  coalesce(a.type, 'system') AS actor_type,
  a.on_behalf_of,
  json_extract(event.value, '$[2]') AS data
FROM log_entries e
JOIN executions x ON x.log_id = e.log_id
LEFT JOIN log_tenants n ON n.number = e.tenant
LEFT JOIN log_actors a ON a.number = e.actor
JOIN json_each((
  SELECT json_group_array(json_array(type, node_id, data)) FROM (
    SELECT
      type,
      max(own_node) OVER (PARTITION BY named) AS node_id,
      CASE
        WHEN whole LIKE '*"%' THEN json_extract(substr(whole, 2), '$')
        WHEN whole LIKE '*%' THEN substr(whole, 2)
        ELSE '{' || coalesce((
          SELECT group_concat(json_quote(key) || ':' || text) FROM (
            SELECT
              json_extract(field.value, '$.key') AS key,
              CASE coalesce(json_extract(parts, '$[' || json_extract(field.value, '$.value') || ']'), '')
                WHEN '-' THEN NULL
                WHEN '' THEN CASE json_extract(field.value, '$.default')
                  WHEN 'actor' THEN json_quote(coalesce(a.id, 'missing actor ' || e.actor))
                  ELSE json_extract(field.value, '$.default')
                END
                ELSE json_extract(parts, '$[' || json_extract(field.value, '$.value') || ']')
              END AS text
            FROM json_each(fields) field
            ORDER BY field.key
          ) WHERE text IS NOT NULL
        ), '') || '}'
      END AS data
    FROM (
      SELECT
        line, parts, fields, type, whole,
        CASE WHEN node LIKE '"%' THEN json_extract(node, '$') WHEN node NOT IN ('', 'null') THEN node END AS own_node,
        -- Counts the events whose line says which node they have; the next ones have the same.
        sum(of_execution OR node <> '') OVER (ORDER BY line) AS named
      FROM (
        SELECT
          part.key AS line,
          part.value AS parts,
          coalesce(t.fields, '[]') AS fields,
          coalesce(t.of_execution, 0) AS of_execution,
          CASE
            WHEN t.letter IS NOT NULL THEN t.type
            WHEN json_extract(part.value, '$[0]') LIKE '*"%' THEN json_extract(substr(json_extract(part.value, '$[0]'), 2), '$')
            ELSE substr(json_extract(part.value, '$[0]'), 2)
          END AS type,
          CASE WHEN t.letter IS NULL THEN json_extract(part.value, '$[1]') ELSE substr(json_extract(part.value, '$[0]'), 2) END AS node,
          coalesce(json_extract(part.value, CASE WHEN t.letter IS NULL THEN '$[2]' ELSE '$[1]' END), '') AS whole
        FROM json_each(
          -- An array of lines, each an array of its parts. The text begins with a line feed.
          '[["' || replace(replace(replace(replace(substr(e.body, 2),
            '\', '\\'), '"', '\"'), char(9), '","'), char(10), '"],["') || '"]]'
        ) part
        LEFT JOIN event_types t ON t.letter = substr(json_extract(part.value, '$[0]'), 1, 1)
      )
    )
    ORDER BY line
  )
)) event;
