import type { Json, JsonObject } from '../../../machines/json.ts';
import type { RecordedEvent } from '../../../machines/replay/index.ts';
import type { ActiveNode, Status } from '../../../machines/run.ts';
import type { ForkMismatch, PastDecision } from '../errors.ts';
import type { IgnoredState } from './executions.ts';

/** An execution as it was after one of its steps. */
export interface ExecutionAtView {
  readonly executionId: string;
  /** The sequence of the last event of that step. */
  readonly sequence: number;
  /** The sequence that was requested. */
  readonly requested: number;
  readonly status: Status;
  readonly state: JsonObject;
  readonly active: readonly ActiveNode[];
  /** The time of the step. */
  readonly createdAtMs: number;
}

/** The XState machine of an execution after one of its steps. */
export interface SnapshotView {
  /** The sequence of the last event of that step. */
  readonly sequence: number;
  /** The time of the step. */
  readonly createdAtMs: number;
  /**
   * The machine events of the step, in order; at least one. For a step without machine events, the entry names what happened
   * instead.
   */
  readonly events: readonly RecordedEvent[];
  readonly status: Status;
  /** XState's state value. */
  readonly value: Json;
  readonly state: JsonObject;
  readonly active: readonly ActiveNode[];
  readonly stepsExecuted: number;
  readonly error: string | null;
}

/** Snapshots of an execution. */
export interface SnapshotPage {
  readonly executionId: string;
  /** The sequence of the last event of the log; `status` is the one after it. */
  readonly sequence: number;
  readonly status: Status;
  readonly snapshots: readonly SnapshotView[];
}

/** The result of a replay. */
export interface ReplayView {
  readonly executionId: string;
  /** The number of events in the log. */
  readonly events: number;
  readonly sequence: number;
  /** Nothing was replayed: the execution has ended, and its data policy erases what its log could be replayed from. */
  readonly redacted: boolean;
  /** The first difference between the replay and what is stored; null = there is none. */
  readonly mismatch: { readonly sequence: number; readonly problem: string } | null;
}

/** A fork of an execution. */
export interface ForkRequest {
  /** The fork point: after the last step that ended by then (within the first step: after that). */
  readonly atSequence: number;
  /** A JSON merge patch (RFC 7396) of the state at the fork point. */
  readonly statePatch?: JsonObject;
  /** Default: the revision of the origin. */
  readonly workflowVersion?: string;
  /** Start nothing; only report whether the version replays, and which decisions would be copied. */
  readonly dryRun?: boolean;
  /** Also copy decisions that people made on something else than the patched state. The log of the fork says so. */
  readonly keepDecisions?: boolean;
  readonly idempotencyKey?: string;
}

/** An execution that was forked, or how it would be. */
export interface ForkResult extends IgnoredState {
  /** Null for a dry run. */
  readonly executionId: string | null;
  /** The sequence of the origin from which the fork continues. */
  readonly sequence: number;
  readonly replayed: boolean;
  /** Why the log does not replay with the version; null = it does. Only a dry run returns one; otherwise it is thrown. */
  readonly mismatch: ForkMismatch | null;
  /** The decisions before the fork point; empty for a repeated request. */
  readonly decisions: readonly PastDecision[];
}
