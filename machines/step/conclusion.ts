import type { EventType } from '../events.ts';
import type { Graph } from '../graph/graph.ts';
import type { JsonObject } from '../json.ts';
import type { Status } from '../run.ts';
import { failureMessage } from './reset.ts';
import type { StepContext } from './step-context.ts';

/** Nodes in the order in which they were written. */
export function inDocumentOrder(graph: Graph, nodes: Iterable<string>): readonly string[] {
  return [...nodes].sort((a, b) => (graph.indexOf(a) ?? 0) - (graph.indexOf(b) ?? 0));
}

/** Gives up what is under way when a run has ended, and all it needed to go on. Answers the last event of its log. */
export function conclude(
  context: StepContext,
  status: Status,
  reason: string | null,
): { readonly type: EventType; readonly data: JsonObject } {
  for (const node of inDocumentOrder(context.statics.graph, Object.keys(context.now.active))) context.cancelVisit(node);
  const { halt, failures, state } = context.now;
  const error = status === 'failed' ? (halt?.error ?? failureMessage(failures)) : status === 'cancelled' ? reason : null;
  context.set({ error, early: [], fed: {}, outputs: {}, forks: {}, sections: {}, hold: null, halt: null });
  switch (status) {
    case 'completed':
      return { type: 'workflow_completed', data: { final_state: state } };
    case 'failed':
      return { type: 'workflow_failed', data: { error } };
    case 'cancelled':
      return { type: 'workflow_cancelled', data: { reason } };
    default:
      return { type: 'strategy_limit_hit', data: { limit_type: 'limit_exceeded', limit_value: null, actual_value: null } };
  }
}
