/** The table `event_types`, by which the view `events` reads entries. */

export const KNOWN_EVENT_TYPES = 'SELECT letter, json_array_length(fields) AS fields FROM event_types';
/** Parameter: the rows, as JSON. */
export const PUT_EVENT_TYPES = `INSERT INTO event_types (letter, type, of_execution, fields)
  SELECT value ->> 'letter', value ->> 'type', value ->> 'ofExecution', value -> 'fields' FROM json_each(?) WHERE true
  ON CONFLICT (letter) DO UPDATE SET fields = excluded.fields`;
