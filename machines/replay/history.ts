import { isObject } from '../json.ts';
import type { TimedEvent } from './log.ts';
import { type RetryResets, resetsIn } from './retry-reset.ts';

/** What has to be known of a whole log before any of it can be folded. */
export interface History {
  readonly resets: RetryResets;
  /** Where the log went on as another execution, and whose it was until then. In order. */
  readonly forks: readonly { readonly sequence: number; readonly executionId: string }[];
}

/** From a log, or from its `workflow_retried` and `workflow_forked` alone. */
export function historyOf(log: readonly TimedEvent[]): History {
  const forks = log.flatMap(({ type, sequence, data }) =>
    type === 'workflow_forked' && isObject(data.origin) ? [{ sequence, executionId: String(data.origin.execution_id) }] : [],
  );
  return { resets: resetsIn(log), forks };
}

/** Which execution took the step that begins at `sequence`: times of retries and texts follow from its id. */
export function executionAt({ forks }: History, sequence: number, current: string): string {
  return forks.find((fork) => fork.sequence > sequence)?.executionId ?? current;
}
