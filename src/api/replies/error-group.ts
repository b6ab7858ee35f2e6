import type { FailedExecution, ErrorGroup as GroupView } from '../../runtime/types/executions.ts';

export function errorGroupOf({ newest, ...group }: GroupView<FailedExecution>) {
  return {
    exampleExecutionId: newest.executionId,
    ...group,
    exampleError: newest.error ?? '',
    newestAtMs: newest.completedAtMs ?? newest.updatedAtMs,
  };
}
