import type { Run } from '../../../../machines/run.ts';
import type { ExecutionIdentity, ExecutionRow } from '../../../../store/port/executions.ts';
import type { Failures } from './failures.ts';
import type { Starter } from './starter.ts';
import type { LoadedWorkflow } from './workflow-cache.ts';

/** What an execution is: fixed when it starts, and passed on as it is. */
export interface Identity extends ExecutionIdentity {
  readonly startedBy: Starter;
  /** Place in the trace within which it was started; null = none was given. */
  readonly traceparent: string | null;
}

/** An execution in memory. Replaced after each commit and evicted when a commit fails, so it is never ahead of the store. */
export interface CachedExecution {
  readonly id: string;
  readonly tenantId: string;
  readonly loaded: LoadedWorkflow;
  readonly identity: Identity;
  readonly run: Run;
  /** Workflow timeout, absolute; null = there is none, or it has ended. */
  readonly deadlineAtMs: number | null;
  readonly failures: Failures;
  /** Some nodes wait for decisions of people. */
  readonly asks: boolean;
  /** Why the execution failed or was cancelled, as shown to clients. */
  readonly error: string | null;
  readonly checkpoint: Checkpoint;
  /** The runtime that does its in-process work; null = there is none. */
  readonly owner: string | null;
  readonly updatedAtMs: number;
  readonly completedAtMs: number | null;
}

/** What is the same of an execution in memory and of one that was read from a list. */
export function identityIn(execution: CachedExecution | ExecutionRow): ExecutionIdentity {
  return 'identity' in execution ? execution.identity : execution;
}

/** The newest stored checkpoint, to decide when to store the next one. */
export interface Checkpoint {
  /** 0 = none is stored. */
  readonly seq: number;
  /** Sequence of the one before, which is kept to read the execution as it was; 0 = there is none. */
  readonly keptSeq: number;
  /** Length of the snapshot, or of a later one that was larger than the log since; before the first one, of the first event's data. */
  readonly bytes: number;
  /** Bytes of event data committed since. Without the first event, which holds the input and is always read. */
  readonly logBytes: number;
  /** The stored checkpoints cannot be used: the next commit replaces them. */
  readonly isUnusable?: boolean;
}

export const NO_CHECKPOINT: Checkpoint = { seq: 0, keptSeq: 0, bytes: 0, logBytes: 0 };
