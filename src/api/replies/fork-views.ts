import type { ForkMismatch, PastDecision as PastDecisionView } from '../../runtime/errors.ts';
import type { ForkedFrom } from '../operations/executions.ts';
import type { Mismatch, PastDecision } from '../schemas/errors.ts';
import { defined } from '../schemas/fields.ts';

// How the API writes what the runtime says about forks.

export function toForkedFrom({ executionId, sequence }: { readonly executionId: string; readonly sequence: number }): ForkedFrom {
  return { execution_id: executionId, sequence };
}

export function toMismatch({ sequence, type, nodeId, problem }: ForkMismatch): Mismatch {
  return { sequence, type, node_id: nodeId, problem };
}

export function toPastDecision(view: PastDecisionView): PastDecision {
  const { executionId, nodeId, sequence, decision, userId, actorId, wouldChange, lastFree } = view;
  return {
    ...defined('execution_id', executionId),
    node_id: nodeId,
    sequence,
    decision,
    user_id: userId,
    actor_id: actorId,
    would_change: wouldChange,
    last_free_sequence: lastFree,
  };
}
