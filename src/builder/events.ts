import type { EventData, EventType } from '../../machines/events/index.ts';
import type { EventView } from '../runtime/types/executions.ts';

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
