import type { Static } from 'typebox';
import type { EVENT_DATA } from '../../machines/event-data.ts';
import type { EventType } from '../../machines/events.ts';
import type { JsonObject } from '../../machines/json.ts';
import type { EventView } from '../runtime/types/executions.ts';

/** What an event of a type says, in snake_case. */
export type EventData<Type extends EventType> = JsonObject & Static<(typeof EVENT_DATA)[Type]>;

/**
 * An event of an execution's log, by its type.
 *
 * @example
 * for await (const event of execution.events()) {
 *   if (event.type === 'node_failed') console.error(event.nodeId, event.data.error);
 * }
 */
export type ExecutionEvent = {
  [Type in EventType]: Omit<EventView, 'type' | 'data'> & { readonly type: Type; readonly data: EventData<Type> };
}[EventType];
