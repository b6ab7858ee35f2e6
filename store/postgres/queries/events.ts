import { sql } from '../connections.ts';

/** The table `event_types`, by which the view `events` reads entries. */

export const KNOWN_EVENT_TYPES = sql('SELECT letter, json_array_length(fields) AS fields FROM event_types');
/** Parameter: the rows, as JSON. */
export const PUT_EVENT_TYPES = sql(`INSERT INTO event_types (letter, type, of_execution, fields)
  SELECT letter, type, "ofExecution", fields
    FROM json_to_recordset($1::json) AS r (letter text, type text, "ofExecution" boolean, fields json)
  ON CONFLICT (letter) DO UPDATE SET fields = excluded.fields`);
