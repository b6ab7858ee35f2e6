import type { EventRow } from '../port/executions.ts';

/** The control event that says which executions retention removed. */
export const EXECUTIONS_REMOVED = 'executions_removed';

export interface RemovedExecution {
  readonly id: string;
  /** Where its log ended. */
  readonly last_seq: number;
}

/** What the event says was removed. Nothing when it is another event, or not as we write it: then it proves nothing. */
export function removedBy({ type, data }: EventRow): readonly RemovedExecution[] {
  if (type !== EXECUTIONS_REMOVED) return [];
  try {
    const { executions } = JSON.parse(data) as { readonly executions?: unknown };
    return Array.isArray(executions) ? executions.filter(isRemoved) : [];
  } catch {
    return [];
  }
}

function isRemoved(value: unknown): value is RemovedExecution {
  const { id, last_seq } = (value ?? {}) as Partial<Record<keyof RemovedExecution, unknown>>;
  return typeof id === 'string' && typeof last_seq === 'number';
}
