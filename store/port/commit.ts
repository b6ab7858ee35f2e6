import type { EventRow, ExecutionProgress, IdempotencyRow, InboxMessage, NewExecution } from './executions.ts';
import type { ApprovalWrite } from './resources/approvals.ts';
import type { Artifact } from './resources/artifacts.ts';
import type { RedactionWrite } from './resources/erasures.ts';
import type { KeyWrite } from './resources/keys.ts';
import type { ThreadTurn } from './resources/threads.ts';
import type { NewWorkItem } from './work-items.ts';

export interface Batch {
  readonly atMs: number;
  readonly units: readonly CommitUnit[];
  /** No other process works on the database, so none is notified. */
  readonly singleProcess?: boolean;
}

/** Committed or rejected as a whole. */
export interface CommitUnit {
  readonly executions: readonly ExecutionWrite[];
  /** Stores the reply to the request; the unit is rejected (`idempotency`) when the key exists. */
  readonly idempotency: IdempotencyRow | null;
}

export interface CommitRejection {
  /**
   * `sequence`: the execution is not at the sequence the write started from, or exists already · `timer`: the fired timer is not armed any more ·
   * `work`: the settled work item is not open, or not under that fence · `inbox`: the consumed message is gone · `thread`: a thread is not as the turn has read it · `key`: another execution has the key · `idempotency`: the key exists.
   */
  readonly reason: 'sequence' | 'timer' | 'work' | 'inbox' | 'thread' | 'key' | 'idempotency';
  readonly executionId: string | null;
}

export interface ExecutionWrite {
  readonly id: string;
  readonly tenantId: string;
  /** The sequence the step started from; 0 creates the execution and needs `create`. */
  readonly fromSeq: number;
  readonly create: NewExecution | null;
  /** Continues an execution that had ended, with a new deadline. Other writes leave the deadline as it is, and becoming terminal clears it. */
  readonly revive?: { readonly deadlineAtMs: number | null };
  /** The execution is about to end: its deadline is cleared, so that it cannot end it again. */
  readonly clearsDeadline?: true;
  readonly progress: ExecutionProgress;
  /** The run after this commit, as a checkpoint at `progress.seq`, which needs events; null = the checkpoints stay as they are. */
  readonly checkpoint: CheckpointWrite | null;
  /** Sequences fromSeq + 1 … progress.seq. */
  readonly events: readonly EventRow[];
  /** Applied in order. */
  readonly timers: readonly TimerWrite[];
  readonly work: readonly WorkWrite[];
  readonly send: readonly InboxMessage[];
  /** Ids of the inbox messages that this commit handles. */
  readonly consumed: readonly number[];
  /** What the completed nodes report; null = nothing. */
  readonly usage: UsageWrite | null;
  /** Payloads that the events refer to instead of containing them; absent = none. Kept as long as the execution is. */
  readonly offloaded?: readonly Artifact[];
  /** At most one for each sequence. Absent: no decision is asked for, made or withdrawn. */
  readonly approvals?: readonly ApprovalWrite[];
  /** What turns append to threads, in order. Absent = none. */
  readonly threads?: readonly ThreadTurn[];
  /** In order. Absent: the execution has no key, or keeps it. */
  readonly keys?: readonly KeyWrite[];
  /** Absent: its workflow has no data policy. */
  readonly redaction?: RedactionWrite;
}

export interface CheckpointWrite {
  /** JSON text; null = none is stored, only earlier ones are deleted. */
  readonly text: string | null;
  /** Earlier checkpoints of the execution are deleted from this sequence on; null = all are kept. */
  readonly replacesFrom: number | null;
}

/** Added to the tenant's usage of a month. */
export interface UsageWrite {
  /** `2026-03`, in UTC. */
  readonly month: string;
  /** A whole number. */
  readonly tokens: number;
  readonly costUsd: number;
}

export type TimerWrite =
  | {
      readonly op: 'set';
      readonly id: string;
      readonly nodeId: string;
      readonly atMs: number;
      /** Sequence of the execution when the timer was armed: tells a re-armed timer from the one that fired. */
      readonly armedSeq: number;
    }
  /** Idempotent. */
  | { readonly op: 'clear'; readonly id: string }
  /** Like clear, but the unit is rejected (`timer`) unless the timer is there with this `armedSeq`. */
  | { readonly op: 'fire'; readonly id: string; readonly armedSeq: number };

export type WorkWrite =
  | { readonly op: 'put'; readonly item: NewWorkItem }
  /** Closes an open (pending or claimed) item; with a fence only if it is claimed under it. Otherwise the unit is rejected (`work`). */
  | {
      readonly op: 'settle';
      readonly id: string;
      readonly fence: number | null;
      readonly status: 'completed' | 'failed' | 'dead_lettered' | 'cancelled';
    }
  /** Changes nothing; the unit is rejected (`work`) unless the item is claimed under the fence. */
  | { readonly op: 'hold'; readonly id: string; readonly fence: number }
  /** Closes the open work item of that activation, or of one of its items, if there is one. Idempotent. */
  | { readonly op: 'cancel'; readonly nodeId: string; readonly activation: number; readonly item: number | null };
