import { LRUCache } from 'lru-cache';
import type { Run } from '../../../../machines/run.ts';
import type { NewExecution } from '../../../../store/port/executions.ts';
import type { Failures } from './failures.ts';
import type { Starter } from './starter.ts';
import type { LoadedWorkflow } from './workflow-cache.ts';

/** A live execution in memory. Replaced after each commit, dropped when a commit fails: it never runs ahead of the store. */
export interface CachedExecution extends NewExecution {
  readonly id: string;
  readonly tenantId: string;
  readonly loaded: LoadedWorkflow;
  readonly run: Run;
  readonly startedBy: Starter;
  readonly failures: Failures;
  /** Why it failed or was cancelled, as clients read it. */
  readonly error: string | null;
  readonly checkpoint: Checkpoint;
  /** Who does its in-process work; null = there is none. */
  readonly owner: string | null;
  readonly updatedAtMs: number;
  readonly completedAtMs: number | null;
}

/** What is stored of the snapshot, to decide when to store it again. */
export interface Checkpoint {
  readonly seq: number;
  readonly bytes: number;
  /** Bytes of event data committed since. */
  readonly logBytes: number;
}

/** Fixed cost of an entry beside its snapshot, roughly. */
const ENTRY_BYTES = 8192;

export function createExecutionCache(maxBytes: number): LRUCache<string, CachedExecution> {
  return new LRUCache({
    maxSize: maxBytes,
    maxEntrySize: maxBytes,
    sizeCalculation: (hot) => ENTRY_BYTES + 4 * (hot.checkpoint.bytes + hot.checkpoint.logBytes),
  });
}
