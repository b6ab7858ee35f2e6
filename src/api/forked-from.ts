import type { ForkedFrom } from './schemas/executions.ts';

/** As clients read it. */
export function toForkedFrom(from: { readonly executionId: string; readonly sequence: number }): ForkedFrom {
  return { execution_id: from.executionId, sequence: from.sequence };
}
