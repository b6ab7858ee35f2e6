import type { JsonObject } from '../../../../../machines/json.ts';
import type { Event } from '../../../../../src/api/schemas/events.ts';
import { nodeKindsOf, Timeline } from '../../../../../src/views/timeline.ts';

/** The keys of the events that nodes wait for, with their nodes. */
export function awaitedKeys(
  document: JsonObject,
  events: readonly Event[],
): readonly { readonly node: string; readonly key: string }[] {
  const timeline = new Timeline(nodeKindsOf(document));
  for (const event of events) timeline.apply(event);
  return [...timeline.awaitedEvents].map(([node, key]) => ({ node, key }));
}
