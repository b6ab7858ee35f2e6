import type { PastDecision as Decided, ForkMismatch as Found } from '../../runtime/errors.ts';
import type { Mismatch, PastDecision } from '../schemas/errors.ts';
import { defined } from '../schemas/fields.ts';

/** As clients read it. */
export function toMismatch({ sequence, type, nodeId, problem }: Found): Mismatch {
  return { sequence, type, node_id: nodeId, problem };
}

export function toPastDecision(decided: Decided): PastDecision {
  const { executionId, nodeId, sequence, decision, userId, actorId, wouldChange, lastFree } = decided;
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
