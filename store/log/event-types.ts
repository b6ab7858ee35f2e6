import { ACTOR, type Default, type EventDefinition } from '../../machines/events/declaration.ts';
import { EVENTS } from '../../machines/events/index.ts';

/** A row of `event_types`: by these rows the view `events` reads entries with the database's own means. */
export interface EventTypeRow {
  readonly letter: string;
  readonly type: string;
  readonly ofExecution: boolean;
  readonly fields: readonly EventField[];
}

interface EventField {
  readonly key: string;
  /** The index of the value in the line; the head has 0. */
  readonly value: number;
  /** JSON text, or `actor`. */
  readonly default?: string;
}

export const EVENT_TYPE_ROWS: readonly EventTypeRow[] = Object.entries<EventDefinition>(EVENTS).map(
  ([type, { letter, ofExecution, fields, stored }]) => ({
    ...{ letter, type, ofExecution },
    fields: [...fields].map(([key, byDefault]) => ({ key, value: stored.indexOf(key) + 1, ...defaultText(byDefault) })),
  }),
);

function defaultText(byDefault: Default): Pick<EventField, 'default'> {
  if (byDefault === undefined) return {};
  return { default: byDefault === ACTOR ? 'actor' : JSON.stringify(byDefault) };
}

/** A row of a database, with the number of its fields. */
export interface KnownEventType {
  readonly letter: string;
  readonly fields: number;
}

/** The rows that a database lacks, or has with fewer fields: a later release may have written more. */
export function missingEventTypes(known: readonly KnownEventType[]): readonly EventTypeRow[] {
  const fieldsOf = new Map(known.map(({ letter, fields }) => [letter, fields]));
  return EVENT_TYPE_ROWS.filter(({ letter, fields }) => (fieldsOf.get(letter) ?? -1) < fields.length);
}
