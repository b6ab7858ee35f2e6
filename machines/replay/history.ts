import { isObject } from '../json.ts';
import type { TimedEvent } from './log.ts';
import { type RetryResets, resetsIn } from './retry-reset.ts';

/** Facts about a whole log that its replay needs from the first step on. */
export interface History {
  readonly resets: RetryResets;
  /** The points from which the log continues as another execution, and the id of the execution until then. In order. */
  readonly forks: readonly { readonly sequence: number; readonly executionId: string }[];
}

/** From a log, or from its `workflow_retried` and `workflow_forked` events alone. */
export function historyOf(log: readonly TimedEvent[]): History {
  const forks = log.flatMap(({ type, sequence, data }) =>
    type === 'workflow_forked' && isObject(data.origin) ? [{ sequence, executionId: String(data.origin.execution_id) }] : [],
  );
  return { resets: resetsIn(log), forks };
}

/** The id of the execution that took the step which begins at `sequence`: retry delays and texts are derived from it. */
export function executionAt({ forks }: History, sequence: number, current: string): string {
  return forks.find((fork) => fork.sequence > sequence)?.executionId ?? current;
}
