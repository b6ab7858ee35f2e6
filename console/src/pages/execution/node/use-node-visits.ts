import { useMemo } from 'react';
import type { NodeVisit } from '../../../../../machines/history/node-visit.ts';
import { NodeVisits } from '../../../../../machines/history/node-visits.ts';
import type { Event } from '../../../../../src/api/schemas/events.ts';
import { useExecutionView } from '../execution-view.ts';
import { useLogVersion } from '../log/use-log-version.ts';

interface ShownVisits {
  /** Oldest first; the last hundred. */
  readonly visits: readonly NodeVisit[];
  readonly total: number;
  /** What the node logged, oldest first. */
  readonly events: readonly Event[];
  /** Any visit, also one before the last hundred; undefined = there was none. */
  visit(activation: number): NodeVisit | undefined;
}

/** The visits to a node, now or at the sequence that is shown: the same as `GET /executions/:id/nodes/:node`. */
export function useNodeVisits(node: string): ShownVisits {
  const { log, at } = useExecutionView();
  const nodeVersion = useLogVersion(log, `node:${node}`);
  const statusVersion = useLogVersion(log, 'status');
  const reader = useMemo(() => new VisitReader(node, at), [node, at]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the versions say that the log has grown
  return useMemo(() => {
    const events = log.eventsOf(node);
    const hasEnded = at === null && log.history.end !== null;
    return reader.read(events, hasEnded);
  }, [reader, log, node, at, nodeVersion, statusVersion]);
}

/** Applies each event of a growing list once. */
class VisitReader {
  readonly #node: string;
  readonly #visits: NodeVisits;
  readonly #last: number;
  #applied = 0;

  constructor(node: string, at: number | null) {
    this.#node = node;
    this.#visits = new NodeVisits(node);
    this.#last = at ?? Number.POSITIVE_INFINITY;
  }

  read(events: readonly Event[], hasEnded: boolean): ShownVisits {
    for (let event = events[this.#applied]; event !== undefined && event.sequence <= this.#last; event = events[this.#applied]) {
      this.#visits.apply(event);
      this.#applied += 1;
    }
    const visits = [...this.#visits.all(hasEnded)];
    const applied = events.slice(0, this.#applied);
    return {
      visits,
      total: this.#visits.total,
      events: applied,
      visit: (activation) =>
        visits.find((visit) => visit.activation === activation) ?? visitOf(this.#node, applied, activation, hasEnded),
    };
  }
}

function visitOf(node: string, events: readonly Event[], activation: number, hasEnded: boolean): NodeVisit | undefined {
  const visits = new NodeVisits(node);
  for (const event of events) if ('activation' in event.data && event.data.activation === activation) visits.apply(event);
  return visits.all(hasEnded).at(0);
}
