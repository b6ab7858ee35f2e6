-- The log for those who read the database with other tools: one row per event. store/log/shapes.ts has the form of the texts that this reads.

-- How the events of each type are stored. Opening the database adds what the release knows beyond it.
CREATE TABLE event_types (
  letter       text    NOT NULL COLLATE "C" PRIMARY KEY,
  type         text    NOT NULL UNIQUE,
  -- The events concern the whole execution.
  of_execution boolean NOT NULL,
  -- An array of the fields of the data: `key`, `value` (the index of the value in the line) and `default`, as JSON text; `actor` = the actor.
  fields       json    NOT NULL
);

CREATE VIEW events AS
SELECT
  e.tenant_id,
  x.id AS execution_id,
  e.seq - e.events + event.line::integer AS seq,
  event.type,
  event.node_id,
  to_timestamp(e.at_ms / 1000.0) AS at,
  e.at_ms,
  coalesce(a.id, 'missing actor ' || e.actor) AS actor_id,
  coalesce(a.type, 'system') AS actor_type,
  a.on_behalf_of,
  CASE
    WHEN event.whole LIKE '*"%' THEN (substr(event.whole, 2)::json #>> '{}')::json
    WHEN event.whole LIKE '*%' THEN substr(event.whole, 2)::json
    ELSE ('{' || coalesce((
      SELECT string_agg(to_json(key)::text || ':' || text, ',' ORDER BY place) FROM (
        SELECT
          place,
          field ->> 'key' AS key,
          CASE coalesce(event.parts[(field ->> 'value')::integer + 1], '')
            WHEN '-' THEN NULL
            WHEN '' THEN CASE field ->> 'default'
              WHEN 'actor' THEN to_json(coalesce(a.id, 'missing actor ' || e.actor))::text
              ELSE field ->> 'default'
            END
            ELSE event.parts[(field ->> 'value')::integer + 1]
          END AS text
        FROM json_array_elements(event.fields) WITH ORDINALITY AS f (field, place)
      ) AS texts WHERE text IS NOT NULL
    ), '') || '}')::json
  END AS data
FROM log_entries e
JOIN executions x ON x.log_id = e.log_id
LEFT JOIN log_actors a ON a.number = e.actor
CROSS JOIN LATERAL (
  SELECT line, parts, fields, type, whole, max(own_node) OVER (PARTITION BY named) AS node_id FROM (
    SELECT
      line, parts, fields, type, whole,
      CASE WHEN node LIKE '"%' THEN node::json #>> '{}' WHEN node NOT IN ('', 'null') THEN node END AS own_node,
      -- Counts the events whose line says which node they have; the next ones have the same.
      count(*) FILTER (WHERE of_execution OR node <> '') OVER (ORDER BY line) AS named
    FROM (
      SELECT
        line,
        parts,
        t.fields,
        coalesce(t.of_execution, false) AS of_execution,
        CASE
          WHEN t.letter IS NOT NULL THEN t.type
          WHEN parts[1] LIKE '*"%' THEN substr(parts[1], 2)::json #>> '{}'
          ELSE substr(parts[1], 2)
        END AS type,
        CASE WHEN t.letter IS NULL THEN parts[2] ELSE substr(parts[1], 2) END AS node,
        CASE WHEN t.letter IS NULL THEN parts[3] ELSE parts[2] END AS whole
      -- The text begins with a line feed.
      FROM unnest(string_to_array(substr(e.body, 2), chr(10))) WITH ORDINALITY AS lines (text, line)
      CROSS JOIN LATERAL (SELECT string_to_array(text, chr(9)) AS parts) AS of_line
      LEFT JOIN event_types t ON t.letter = left(text, 1)
    ) AS headed
  ) AS named_once
) AS event;

-- Readers then need the right to read these tables, and row security applies to them instead of to the owner.
DO $$
BEGIN
  IF current_setting('server_version_num')::integer >= 150000 THEN
    ALTER VIEW events SET (security_invoker = true);
  END IF;
END $$;
