import { type Static, Type } from 'typebox';
import { ACTIONS, type JobStatus } from '../../../store/port/resources/jobs.ts';
import { ExecutionConditions } from './executions.ts';
import { Limit, optional, Timestamp, WaitMs } from './fields.ts';

const JOB_STATUSES = ['running', 'completed', 'cancelled', 'failed'] as const satisfies readonly JobStatus[];

/** A name that nobody knows is refused: a condition left out by mistake would mean far more executions. */
const Filter = Type.Object(
  {
    status: optional(ExecutionConditions.properties.status),
    workflow_id: optional(ExecutionConditions.properties.workflow_id),
    workflow_version: optional(ExecutionConditions.properties.workflow_version),
    label: optional(ExecutionConditions.properties.label),
    created_after: optional(ExecutionConditions.properties.created_after),
    created_before: optional(ExecutionConditions.properties.created_before),
    parent_execution_id: optional(ExecutionConditions.properties.parent_execution_id),
  },
  { additionalProperties: false },
);

export const StartJob = Type.Object(
  {
    action: Type.Enum(ACTIONS),
    filter: optional(Filter),
    /** Every execution is meant: an empty filter alone is refused. */
    all: optional(Type.Boolean()),
    /** Kept with every execution that is cancelled or paused, with the job's id. */
    reason: optional(Type.String({ maxLength: 1024 })),
  },
  { additionalProperties: false },
);
export type StartJob = Static<typeof StartJob>;

/** An action on every execution that matches a filter. */
export const Job = Type.Object({
  id: Type.String(),
  /** The same as `id`. */
  job_id: Type.String(),
  action: Type.Enum(ACTIONS),
  filter: ExecutionConditions,
  reason: Type.Union([Type.String(), Type.Null()]),
  status: Type.Enum(JOB_STATUSES),
  /** Executions that matched when the job began; null until they are counted. */
  matched: Type.Union([Type.Integer(), Type.Null()]),
  /** Executions it has come to: those that succeeded, were skipped or failed. */
  processed: Type.Integer(),
  succeeded: Type.Integer(),
  /** The action did not apply: the execution had ended, was paused already … */
  skipped: Type.Integer(),
  failed: Type.Integer(),
  /** The first few failures. */
  errors: Type.Array(Type.Object({ execution_id: Type.Union([Type.String(), Type.Null()]), error: Type.String() })),
  created_at: Timestamp,
  updated_at: Timestamp,
  /** Null until it has ended. */
  completed_at: Type.Union([Timestamp, Type.Null()]),
  /** The name of the token that asked for it. */
  created_by: Type.String(),
});
export type Job = Static<typeof Job>;

export const JobQuery = Type.Object({ wait_ms: Type.Optional(WaitMs) });

export const JobsQuery = Type.Object({
  limit: Type.Optional(Limit),
  /** `next_cursor` of an earlier page. */
  cursor: Type.Optional(Type.String({ maxLength: 64 })),
});
export type JobsQuery = Static<typeof JobsQuery>;

export const JobList = Type.Object({
  jobs: Type.Array(Job),
  limit: Type.Integer(),
  /** Null = there is no more. */
  next_cursor: Type.Union([Type.String(), Type.Null()]),
});
export type JobList = Static<typeof JobList>;
