import type { ActionContext } from '../control.ts';

/** What a job does to each execution. */
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

/** How far a job has come. */
export interface JobProgress {
  /** The last execution it has come to; null before the first. */
  readonly position: string | null;
  /** Executions that matched when they were counted; null before. */
  readonly matched: number | null;
  readonly succeeded: number;
  /** The action did not apply: the execution had ended, was paused already … */
  readonly skipped: number;
  readonly failed: number;
  /** JSON text of a list: the first few failures. */
  readonly errors: string;
}

export interface JobRow extends NewJob, JobProgress {
  readonly status: JobStatus;
  readonly updatedAtMs: number;
  readonly completedAtMs: number | null;
  /** Who asked for it; it acts in their name. */
  readonly actorId: string;
  readonly actorType: 'human' | 'agent' | 'system';
  /** JSON text of the request that made it, or null. */
  readonly request: string | null;
}

/** Bulk jobs. Their beginning and end are control events of the tenant; their progress is not. */
export interface JobStore {
  /** Whoever acts owns it (`job_started`). */
  start(job: NewJob, context: ActionContext): Promise<void>;
  job(tenantId: string, id: string): Promise<JobRow | null>;
  /** Newest first, `after` exclusive. */
  jobs(tenantId: string, page: { readonly after: string | null; readonly limit: number }): Promise<readonly JobRow[]>;
  /** False = it has ended (`job_cancelled`). */
  cancel(tenantId: string, id: string, context: ActionContext): Promise<boolean>;

  // What the runtime itself asks for.
  /** Jobs of all tenants that have not ended, the oldest of each tenant. */
  running(): Promise<readonly JobRow[]>;
  /** Also of a job that was cancelled meanwhile: it tells what was done until then. */
  progress(tenantId: string, id: string, progress: JobProgress, atMs: number): Promise<void>;
  /** With its last progress (`job_completed`); false = it had ended. */
  finish(
    end: { readonly id: string; readonly status: 'completed' | 'failed'; readonly progress: JobProgress },
    context: ActionContext,
  ): Promise<boolean>;
}

/** What the control events of a job tell. The same for every engine. */
export function startedData({ id, action, filter, reason }: NewJob): string {
  return JSON.stringify({ job_id: id, action, filter: JSON.parse(filter) as unknown, reason });
}

export function finishedData(id: string, status: string, { succeeded, skipped, failed }: JobProgress): string {
  return JSON.stringify({ job_id: id, status, succeeded, skipped, failed });
}
