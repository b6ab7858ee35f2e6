import type { FailedExecution, ErrorGroup as GroupView } from '../../runtime/types/executions.ts';
import type { ErrorGroup } from '../operations/executions.ts';
import { timestamp } from '../time.ts';

export function toErrorGroup({ error, count, workflowIds, newest }: GroupView<FailedExecution>): ErrorGroup {
  return {
    error,
    count,
    workflow_ids: [...workflowIds],
    example_execution_id: newest.executionId,
    example_error: newest.error ?? '',
    newest_at: timestamp(newest.completedAtMs ?? newest.updatedAtMs),
  };
}
