import type { Json, JsonObject } from '../../../machines/json.ts';
import type { RecordedEvent } from '../../../machines/replay/index.ts';
import type { ActiveNode, Status } from '../../../machines/run.ts';
import type { ForkMismatch, PastDecision } from '../errors.ts';

/** An execution as it was after one of its steps. */
export interface ExecutionAtView {
  readonly executionId: string;
  /** Of the last event of that step. */
  readonly sequence: number;
  /** The sequence that was asked for. */
  readonly requested: number;
  readonly status: Status;
  readonly state: JsonObject;
  readonly active: readonly ActiveNode[];
  /** When the step was taken. */
  readonly createdAtMs: number;
}

/** The machine of an execution after one of its steps. */
export interface SnapshotView {
  /** Of the last event of that step. */
  readonly sequence: number;
  /** When the step was taken. */
  readonly createdAtMs: number;
  /** What the machine was sent in that step, in order; at least one. Of a step that sent it nothing: what happened instead. */
  readonly events: readonly RecordedEvent[];
  readonly status: Status;
  /** The machine's state value, as XState has it. */
  readonly value: Json;
  readonly state: JsonObject;
  readonly active: readonly ActiveNode[];
  readonly stepsExecuted: number;
  readonly error: string | null;
}

export interface SnapshotPage {
  readonly executionId: string;
  /** Of the last event of the log, and how the execution stood then. */
  readonly sequence: number;
  readonly status: Status;
  readonly snapshots: readonly SnapshotView[];
}

/** What folding a log again has shown. */
export interface ReplayView {
  readonly executionId: string;
  /** How many events the log has. */
  readonly events: number;
  readonly sequence: number;
  /** The first thing that is not what is stored; null = everything is. */
  readonly mismatch: { readonly sequence: number; readonly problem: string } | null;
}

export interface ForkRequest {
  /** Within the step that ends there or, within the first one, later. */
  readonly atSequence: number;
  /** RFC 7396. */
  readonly statePatch?: JsonObject;
  /** Absent = the revision of the origin. */
  readonly workflowVersion?: string;
  /** Only says whether the version fits, and which decisions would be copied. */
  readonly dryRun?: boolean;
  /** Copy also decisions that were made on something else than the patched state; the log of the fork says so. */
  readonly keepDecisions?: boolean;
  readonly idempotencyKey?: string;
}

export interface ForkResult {
  /** Null for a dry run. */
  readonly executionId: string | null;
  /** Of the origin: the end of the step from which the fork goes on. */
  readonly sequence: number;
  readonly replayed: boolean;
  /** Null = it fits. Only a dry run answers one, else it is thrown. */
  readonly mismatch: ForkMismatch | null;
  /** What people decided before the fork point; empty for a replayed answer. */
  readonly decisions: readonly PastDecision[];
}
