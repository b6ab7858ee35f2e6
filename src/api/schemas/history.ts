import { type Static, Type } from 'typebox';
import type { Status } from '../../../machines/run.ts';
import { Mismatch, PastDecision } from './errors.ts';
import { ForkedFrom, STATUSES } from './executions.ts';
import { AnyJson, AnyObject, Limit, Name, Offset, optional, Timestamp } from './fields.ts';

const Sequence = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

export const StateQuery = Type.Object({
  /** Sequence of an event; absent = the last. */
  at: Type.Optional(Sequence),
});
export type StateQuery = Static<typeof StateQuery>;

/** A node that was under way. */
export const PastActiveNode = Type.Object({
  node_id: Type.String(),
  phase: Type.String(),
  /** 0-based. */
  attempt: Type.Integer(),
  /** Which visit to the node it was. */
  activation: Type.Integer(),
});
export type PastActiveNode = Static<typeof PastActiveNode>;

/** An execution as it was after one of its steps. */
export const PastState = Type.Object({
  execution_id: Type.String(),
  /** Of the last event of that step: the one asked for, or one before it. */
  sequence: Type.Integer(),
  /** What was asked for. */
  requested: Type.Integer(),
  status: Type.Unsafe<Status>({ type: 'string', enum: STATUSES }),
  state: AnyObject,
  active: Type.Array(PastActiveNode),
  /** When the step was taken. */
  created_at: Timestamp,
});
export type PastState = Static<typeof PastState>;

export const SnapshotsQuery = Type.Object({
  /** Only what came after this sequence: that of the last snapshot of the page before. */
  after: Type.Optional(Offset),
  limit: Type.Optional(Limit),
});
export type SnapshotsQuery = Static<typeof SnapshotsQuery>;

/** The machine of an execution after one of its steps. */
export const Snapshot = Type.Object({
  /** Of the last event of that step. */
  sequence: Type.Integer(),
  /** When the step was taken. */
  created_at: Timestamp,
  /**
   * What moved the machine in that step, in order: each has a `type` and what goes with it, the first of all is `xstate.init`. Of a step that
   * did not move it: the event of the log that the step began with.
   */
  events: Type.Array(AnyObject),
  status: Type.Unsafe<Status>({ type: 'string', enum: STATUSES }),
  /** Where the machine is, as XState says it: of the one that `/executions/:id/machine` gives as `xstate`. */
  value: AnyJson,
  context: Type.Object({
    state: AnyObject,
    active: Type.Array(PastActiveNode),
    steps_executed: Type.Integer(),
    /** Why it failed or was cancelled. */
    error: Type.Optional(Type.String()),
  }),
});
export type Snapshot = Static<typeof Snapshot>;

export const SnapshotList = Type.Object({
  execution_id: Type.String(),
  /** Of the last event of the log: after the last snapshot that there is, `after` is this. */
  sequence: Type.Integer(),
  /** How the execution stands there. */
  status: Type.Unsafe<Status>({ type: 'string', enum: STATUSES }),
  /** A page may be shorter than `limit`, but is empty only at the end of the log. */
  snapshots: Type.Array(Snapshot),
  limit: Type.Integer(),
});
export type SnapshotList = Static<typeof SnapshotList>;

/** What folding a log again has shown. */
export const ReplayedExecution = Type.Object({
  execution_id: Type.String(),
  /** How many the log has. */
  events: Type.Integer(),
  /** Of the last. */
  sequence: Type.Integer(),
  matches: Type.Boolean(),
  /** The first thing that is not what is stored. */
  mismatch: Type.Optional(Type.Object({ sequence: Type.Integer(), problem: Type.String() })),
});
export type ReplayedExecution = Static<typeof ReplayedExecution>;

export const ForkExecution = Type.Object({
  /** The fork goes on from the last step that had ended by then; within the first step, from its end. */
  at_sequence: Sequence,
  /** Merge patch (RFC 7396) to the state, before anything goes on. */
  state_patch: optional(AnyObject),
  /** Absent = the revision of the execution itself. */
  workflow_version: optional(Name),
  /** Only says whether the log fits the version, and which decisions of persons the fork would have. */
  dry_run: optional(Type.Boolean()),
  /** Operators only: copy decisions although the person was shown something else. The fork's log says so. */
  keep_decisions: optional(Type.Boolean()),
});
export type ForkExecution = Static<typeof ForkExecution>;

export const ForkQuery = Type.Object({
  /** The same as in the body. */
  dry_run: Type.Optional(Type.Boolean()),
});
export type ForkQuery = Static<typeof ForkQuery>;

export const ForkedExecution = Type.Object({
  execution_id: Type.String(),
  forked_from: ForkedFrom,
});
export type ForkedExecution = Static<typeof ForkedExecution>;

/** The answer to a dry run. */
export const ForkCheck = Type.Object({
  forked_from: ForkedFrom,
  fits: Type.Boolean(),
  mismatch: Type.Optional(Mismatch),
  /** What people decided before that point, in the order of the log. */
  decisions: Type.Array(PastDecision),
});
export type ForkCheck = Static<typeof ForkCheck>;
