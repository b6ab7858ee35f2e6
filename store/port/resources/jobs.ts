import type { ActionContext } from '../control.ts';

/** What a job does with each execution. */
export const ACTIONS = ['cancel', 'retry', 'pause', 'resume'] as const;
export type Action = (typeof ACTIONS)[number];

export type JobStatus = 'running' | 'completed' | 'cancelled' | 'failed';

export interface NewJob {
  /** `job_` + 32 hex digits: sorts by time, in one order with the digits of execution ids. */
  readonly id: string;
  readonly tenantId: string;
  readonly action: Action;
  /** JSON object text. */
  readonly filter: string;
  readonly reason: string | null;
  readonly createdAtMs: number;
}

/** The progress of a job. */
export interface JobProgress {
  /** The last execution it has processed; null before the first. */
  readonly position: string | null;
  /** The number of matching executions; null until they are counted. */
  readonly matched: number | null;
  readonly succeeded: number;
  /** Executions to which the action did not apply: ended, paused already … */
  readonly skipped: number;
  readonly failed: number;
  /** JSON text of a list: the first few failures. */
  readonly errors: string;
}

export interface JobRow extends NewJob, JobProgress {
  readonly status: JobStatus;
  readonly updatedAtMs: number;
  readonly completedAtMs: number | null;
  /** The actor who started the job; the job acts in this name. */
  readonly actorId: string;
  readonly actorType: 'human' | 'agent' | 'system';
  /** JSON text of the request that started it, or null. */
  readonly request: string | null;
}

export interface JobEnd {
  readonly id: string;
  readonly status: 'completed' | 'failed';
  readonly progress: JobProgress;
  /** As for `progress`. */
  readonly retried?: readonly string[];
}

/** An execution that a job has retried, as it is now. */
export interface RetriedRow {
  readonly executionId: string;
  /** Null = the execution was removed. */
  readonly status: string | null;
  readonly workflowId: string | null;
  /** Why it failed; null unless it is failed. */
  readonly error: string | null;
  readonly updatedAtMs: number | null;
  readonly completedAtMs: number | null;
}

/** Bulk jobs. Their start and end are control events of the tenant; their progress is not logged. */
export interface JobStore {
  /** The actor of the context owns the job (`job_started`). */
  start(job: NewJob, context: ActionContext): Promise<void>;
  job(tenantId: string, id: string): Promise<JobRow | null>;
  /** Newest first, `after` exclusive. */
  jobs(tenantId: string, page: { readonly after: string | null; readonly limit: number }): Promise<readonly JobRow[]>;
  /** Executions that the job has retried, newest first, `before` exclusive. */
  retried(
    tenantId: string,
    jobId: string,
    page: { readonly before: string | null; readonly limit: number },
  ): Promise<readonly RetriedRow[]>;
  /** False = the job had ended already (`job_cancelled`). */
  cancel(tenantId: string, id: string, context: ActionContext): Promise<boolean>;

  // For the job runner.
  /** The oldest running job of each tenant. */
  running(): Promise<readonly JobRow[]>;
  /**
   * Recorded for a cancelled job, too: it shows what was done until then. `retried`: ids of the executions it has retried since its last
   * progress.
   */
  progress(tenantId: string, id: string, progress: JobProgress, atMs: number, retried?: readonly string[]): Promise<void>;
  /** Ends the job with its last progress (`job_completed`); false = it had ended already. */
  finish(end: JobEnd, context: ActionContext): Promise<boolean>;
}

/** The data of the control event of a job's start. */
export function startedData({ id, action, filter, reason }: NewJob): string {
  return JSON.stringify({ job_id: id, action, filter: JSON.parse(filter) as unknown, reason });
}

export function finishedData(id: string, status: string, { succeeded, skipped, failed }: JobProgress): string {
  return JSON.stringify({ job_id: id, status, succeeded, skipped, failed });
}
