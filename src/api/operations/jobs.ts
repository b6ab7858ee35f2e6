import { type Static, Type } from 'typebox';
import { ACTIONS, type JobStatus } from '../../../store/port/resources/jobs.ts';
import {
  appliedLimit,
  byId,
  described,
  integer,
  limit,
  listOf,
  name,
  nullable,
  optional,
  text,
  timestamp,
  waitMs,
} from '../schemas/fields.ts';
import { ErrorGroup, ExecutionConditions } from './executions.ts';
import type { Resource } from './operation.ts';

export const JOBS_PAGE = { defaultLimit: 50, maxLimit: 200 };

const JOB_STATUSES = ['running', 'completed', 'cancelled', 'failed'] as const satisfies readonly JobStatus[];

const ById = byId('Id of the job: `job_` and 32 hex digits.');

const { status, workflow_id, workflow_version, label, created_after, created_before, parent_execution_id, error } =
  ExecutionConditions.properties;

export const MAX_JOB_IDS = 1_000;

const execution_ids = Type.Array(name('Id of an execution.'), {
  minItems: 1,
  maxItems: MAX_JOB_IDS,
  description:
    'These executions, at most 1,000, whatever their status. Cannot be combined with other conditions. Unknown ids count as failed.',
});

/** Unknown names are refused: a misspelt condition would be ignored and select far more executions. */
export const JobFilter = Type.Object(
  {
    status: optional(status, 'Only executions with one of these statuses, as a list or separated by commas.'),
    workflow_id: optional(workflow_id, 'Only executions of this workflow.'),
    workflow_version: optional(workflow_version, 'Only executions of this version. Needs `workflow_id`.'),
    label: optional(label, 'Only executions with this label: `key:value`, or `key` for any value. All of several must match.'),
    created_after: optional(created_after, 'Only executions started then or later, in RFC 3339.'),
    created_before: optional(created_before, 'Only executions started before then, in RFC 3339.'),
    parent_execution_id: optional(parent_execution_id, 'Only children of this execution.'),
    error: optional(
      error,
      'Only executions with this error, or in the group of this name (`error` of a group of `GET /executions/errors`). Without `status`, failed ones.',
    ),
    execution_ids: optional(execution_ids, 'These executions, at most 1,000. Cannot be combined with other conditions.'),
  },
  { additionalProperties: false, description: 'Which executions a job acts on: all of the given conditions must hold.' },
);

export const StartJob = Type.Object(
  {
    action: Type.Enum(ACTIONS, { description: 'What to do with each execution.' }),
    filter: optional(JobFilter, 'Which executions to act on.'),
    all: optional(Type.Boolean(), 'Must be true to act on every execution: an empty filter alone is refused.'),
    reason: optional(
      Type.String({ maxLength: 1024 }),
      'Why; kept with every execution that is cancelled or paused, together with the id of the job.',
    ),
  },
  { additionalProperties: false, description: 'An action on every execution that matches a filter.' },
);
export type StartJob = Static<typeof StartJob>;

export const JobError = Type.Object(
  {
    execution_id: nullable(Type.String(), 'Execution on which the action failed; null if the job itself failed.'),
    error: text('What went wrong.'),
  },
  { description: 'A failure of a job.' },
);

export const RetryOutcomes = Type.Object(
  {
    completed: integer('Completed.'),
    failed: integer('Failed again.'),
    cancelled: integer('Cancelled since.'),
    limit_exceeded: integer('Stopped at one of their limits.'),
    running: integer('Still going on.'),
    paused: integer('Waiting, for example for an event or a decision.'),
    removed: integer('No longer stored.'),
    running_execution_id: nullable(
      Type.String(),
      'Of those that are still going on, the one that was started last; null if there is none.',
    ),
    errors: listOf(ErrorGroup, 'Why they failed again: the ten most frequent errors, of the newest 10,000 that failed.'),
  },
  { description: 'What has become of the executions that a job has retried, as they are now.' },
);
export type RetryOutcomes = Static<typeof RetryOutcomes>;

const JobConditions = Type.Object(
  { ...ExecutionConditions.properties, execution_ids: Type.Optional(execution_ids) },
  { description: 'Which executions a job acts on.' },
);

export const Job = Type.Object(
  {
    id: text('Id of the job: `job_` and 32 hex digits.'),
    job_id: text('The same as `id`.'),
    action: Type.Enum(ACTIONS, { description: 'What the job does with each execution.' }),
    filter: described(JobConditions, 'Which executions it acts on.'),
    reason: nullable(Type.String(), 'Why; null if no reason was given.'),
    status: Type.Enum(JOB_STATUSES, { description: 'Status of the job.' }),
    matched: nullable(Type.Integer(), 'Number of executions that matched when the job began; null until they are counted.'),
    processed: integer('Number of executions handled so far: `succeeded`, `skipped` and `failed` together.'),
    succeeded: integer('Number of executions on which the action was carried out.'),
    skipped: integer('Number of executions to which the action did not apply, such as those that had ended.'),
    failed: integer('Number of executions on which the action failed.'),
    errors: listOf(JobError, 'The first failures.'),
    outcomes: nullable(
      RetryOutcomes,
      'What has become of the executions that were retried. Null for other actions, and in lists.',
    ),
    created_at: timestamp('When the job was requested.'),
    updated_at: timestamp('When its progress was last recorded.'),
    completed_at: nullable(timestamp('A time.'), 'When the job ended; null until then.'),
    created_by: text('Name of the token that requested the job.'),
  },
  { description: 'A bulk job: an action on every execution that matches a filter.' },
);
export type Job = Static<typeof Job>;

const JobQuery = Type.Object({
  wait_ms: Type.Optional(waitMs('Wait until the job has ended, at most this many milliseconds. At most 60000.')),
  updated_after: Type.Optional(
    timestamp(
      'With `wait_ms`: wait only until progress was recorded after this time, such as the `updated_at` of an earlier reply.',
    ),
  ),
});

export const JobsQuery = Type.Object({
  limit: limit(JOBS_PAGE),
  cursor: Type.Optional(text('`next_cursor` of the previous page.', { maxLength: 64 })),
});
/** Which jobs are listed. */
export type JobsQuery = Static<typeof JobsQuery>;

export const JobList = Type.Object(
  {
    jobs: listOf(Job, 'Newest first.'),
    limit: appliedLimit,
    next_cursor: nullable(Type.String(), 'Cursor of the next page; null if there is none.'),
  },
  { description: 'A page of jobs.' },
);
export type JobList = Static<typeof JobList>;

export const JOBS = {
  tag: 'Jobs',
  operations: {
    'POST /executions/bulk': {
      id: 'startJob',
      access: 'write',
      reducesLoad: { action: ['cancel', 'pause'] },
      summary: 'Start a bulk job',
      description:
        'Cancels, retries, pauses or resumes every matching execution, oldest first, on behalf of the caller. Covers executions started before the job that match when their turn comes, or up to 1,000 named ones (`execution_ids`).',
      body: StartJob,
      status: 202,
      reply: Job,
    },
    'GET /jobs': {
      id: 'listJobs',
      access: 'read',
      summary: 'List bulk jobs, newest first',
      query: JobsQuery,
      reply: JobList,
    },
    'GET /jobs/:id': {
      id: 'getJob',
      access: 'read',
      summary: 'Get a bulk job',
      description:
        'With `wait_ms`, waits until the job has ended or, with `updated_after`, has made progress, at most that long. The `outcomes` of a retry tell what has become of the retried executions.',
      params: ById,
      query: JobQuery,
      reply: Job,
    },
    'POST /jobs/:id/cancel': {
      id: 'cancelJob',
      access: 'write',
      reducesLoad: true,
      summary: 'Cancel a bulk job',
      description: 'Stops the job. What it has done is not undone.',
      params: ById,
      reply: Job,
    },
  },
} satisfies Resource;
