import type { StoredEvent } from '../log/stored-event.ts';
import type { RemovedExecution } from '../port/resources/retention.ts';

/** The type of the control event that records which executions retention removed. */
export const EXECUTIONS_REMOVED = 'executions_removed';

/** The executions that the event records as removed. None for other events, and for data not in the form we write. */
export function removedBy({ type, data }: StoredEvent): readonly RemovedExecution[] {
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
