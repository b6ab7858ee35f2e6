import type { EventType } from '../events/index.ts';
import type { Graph } from '../graph/graph.ts';
import type { JsonObject } from '../json.ts';
import type { Status } from '../run.ts';
import { limitEventData } from './actions/budgets.ts';
import type { StepContext } from './context/step-context.ts';
import { carriedTo } from './continuation.ts';
import { failureMessage } from './reset.ts';

/** Sorts nodes by their order in the workflow document. */
export function inDocumentOrder(graph: Graph, nodes: Iterable<string>): readonly string[] {
  return [...nodes].sort((a, b) => (graph.indexOf(a) ?? 0) - (graph.indexOf(b) ?? 0));
}

/** Cancels what is in progress when an execution has ended, and clears what only a running one needs. Returns the last event of its log. */
export function conclude(
  step: StepContext,
  status: Status,
  given: string | null,
): { readonly type: EventType; readonly data: JsonObject } {
  for (const node of inDocumentOrder(step.tables.graph, step.now.active.nodes())) step.cancelVisit(node);
  const { halt } = step;
  const { state, ending } = step.now;
  const carried =
    halt?.status === 'limit_exceeded' && halt.at !== undefined ? carriedTo(step.now, halt.at, halt.input) : undefined;
  const reason = ending?.status === 'cancelled' ? ending.error : given;
  const continuedAs = halt?.status === 'limit_exceeded' ? halt.continuedAs : undefined;
  const error =
    status === 'failed' ? (halt?.error ?? ending?.error ?? failureMessage(step.now)) : status === 'cancelled' ? reason : null;
  if (continuedAs !== undefined) step.set({ continuedAs });
  step.set({ ending: null, error, earlyEvents: [], pendingInputs: {}, forks: {}, subgraphs: {}, suspension: null });
  switch (status) {
    case 'completed':
      return { type: 'workflow_completed', data: { final_state: state } };
    case 'failed':
      return { type: 'workflow_failed', data: { error } };
    case 'cancelled':
      return { type: 'workflow_cancelled', data: { reason } };
    default:
      if (continuedAs !== undefined) {
        const segment = step.now.segment ?? 0;
        const next = { type: 'continue_as_new', executionId: continuedAs, segment: segment + 1, state } as const;
        step.effects.add([carried === undefined ? next : Object.assign(next, { carried })]);
        const data = { segment_number: segment, next_execution_id: continuedAs, reason: halt?.error ?? null };
        return { type: 'segment_boundary', data };
      }
      return { type: 'strategy_limit_hit', data: limitEventData(step) };
  }
}
