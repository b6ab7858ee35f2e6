import { atNode, byDefault } from './declaration.ts';
import { absent, activation, integer } from './fields.ts';

/** A node does the same work for every item of a list. The events of the items, with `item`, lie between these. */
export const MAP_EVENTS = {
  map_started: atNode({
    letter: 'μ',
    description: 'A node has taken the list whose items it works on.',
    fields: {
      count: integer('Items of the list.'),
      kept: absent(integer('Items that succeeded in the visit which a retry goes on with: they do not run again. Else absent.')),
      ...activation,
    },
    stored: ['count', 'activation', 'kept'],
  }),
  map_completed: atNode({
    letter: 'ν',
    description: 'No item is in progress any more. `node_completed` or `node_failed` of the node follows.',
    fields: {
      succeeded: integer('Items that have a result.'),
      failed: byDefault(0, integer('Items that failed for good.')),
      cancelled: absent(integer('Items that were cancelled, or never began; absent if there are none.')),
      ...activation,
    },
    stored: ['succeeded', 'failed', 'cancelled', 'activation'],
  }),
};
