import type { Graph } from '../graph/graph.ts';
import { definitionOf } from '../nodes/index.ts';
import type { RunsAtEnd } from '../nodes/kind.ts';
import type { Alternative, OutcomeRoutes } from './outcome-routes.ts';
import type { EndStatus } from './parameters.ts';

export const END_STATUSES = ['completed', 'failed', 'cancelled', 'limit_exceeded'] as const satisfies readonly EndStatus[];

const RUNS_ON: Readonly<Record<RunsAtEnd, readonly EndStatus[]>> = {
  always: END_STATUSES,
  success: ['completed'],
  failure: ['failed', 'limit_exceeded'],
};

const TO_THE_END: Alternative = { when: null, live: [], targets: [], back: null };

/** A finalizer leads nowhere, and its failure is handled. */
export const FINALIZER_ROUTES: OutcomeRoutes = { ok: [TO_THE_END], failed: [TO_THE_END] };

/** The nodes that run before an execution ends as `status`, in the order of the document. */
export function finalizersFor(graph: Graph, status: EndStatus): readonly string[] {
  return graph.finalizers.flatMap((index) => {
    const { id, kind } = graph.node(index);
    const runsAt = definitionOf(kind).runsAtEnd(kind);
    return runsAt !== null && RUNS_ON[runsAt].includes(status) ? [id] : [];
  });
}
