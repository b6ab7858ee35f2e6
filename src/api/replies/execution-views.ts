import type { ExecutionSummary, ExecutionView } from '../../runtime/types/executions.ts';
import type { Execution, ExecutionItem } from '../operations/executions.ts';
import { defined } from '../schemas/fields.ts';
import { timeOrNull, timestamp } from '../time.ts';
import { toForkedFrom } from './fork-views.ts';

export function itemOf(view: ExecutionSummary): ExecutionItem {
  const created = timestamp(view.createdAtMs);
  return {
    execution_id: view.executionId,
    id: view.executionId,
    tenant_id: view.tenantId,
    workflow_id: view.workflowId,
    workflow_version: view.workflowVersion,
    revision: view.revision,
    status: view.status,
    labels: view.labels,
    steps_executed: view.stepsExecuted,
    sequence: view.sequence,
    segment_number: view.segment,
    created_at: created,
    started_at: created,
    updated_at: timestamp(view.updatedAtMs),
    completed_at: timeOrNull(view.completedAtMs),
    // What is not always there comes last: each key after a spread would make a new hidden class at each call in Node 20.
    ...defined('previous_execution_id', view.previousExecutionId),
    ...defined('parent_execution_id', view.parentExecutionId),
    ...defined('forked_from', view.forkedFrom === null ? null : toForkedFrom(view.forkedFrom)),
    ...defined('error', view.error),
    ...defined('detail', view.error),
  };
}

/** Contains the names of all references, so that every client finds those it knows. */
export function toExecution(view: ExecutionView): Execution {
  const { state, input } = view;
  return Object.assign(itemOf(view), {
    state,
    current_state: state,
    input,
    initial_input: input,
    ...(view.suspended === null ? {} : { held: true as const }),
    ...defined('held_reason', view.suspended?.reason),
    ...defined('next_execution_id', view.nextExecutionId),
    ...(view.status === 'completed' ? { output: state } : {}),
  });
}

export function withState(view: ExecutionView): ExecutionItem {
  return Object.assign(itemOf(view), { state: view.state });
}

export function toSdkItem(view: ExecutionView): ExecutionItem {
  return Object.assign(itemOf(view), { current_state: view.state, initial_input: view.input });
}
