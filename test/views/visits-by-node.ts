import { NodeVisits, type VisitLimits } from '../../src/views/node-visits.ts';
import type { TimelineEvent } from '../../src/views/timeline.ts';

/** The visits to every node of a log. */
export function visitsByNode(events: Iterable<TimelineEvent>, limits?: VisitLimits): ReadonlyMap<string, NodeVisits> {
  const nodes = new Map<string, NodeVisits>();
  for (const event of events) {
    if (event.node_id === null) continue;
    let visits = nodes.get(event.node_id);
    if (visits === undefined) {
      visits = new NodeVisits(event.node_id, limits);
      nodes.set(event.node_id, visits);
    }
    visits.apply(event);
  }
  return nodes;
}
