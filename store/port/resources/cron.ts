import type { ActionContext } from '../control.ts';

/** What to do about scheduled times that passed while no runtime was running. */
export const MISSED = ['skip', 'catch_up'] as const;
/** Scheduled times that passed while no runtime was running: `skip` them, or `catch_up` with each, in order. */
export type Missed = (typeof MISSED)[number];

/** What to do when the job's last execution has not ended yet. */
export const OVERLAP = ['allow', 'skip', 'cancel_running'] as const;
/** When the last execution has not ended yet: `allow` another execution, `skip` this time, or `cancel_running` first. */
export type Overlap = (typeof OVERLAP)[number];

/** A job without its input, which may be large. */
export interface CronJobSummary {
  /** UUID; replacing the job of a name gives it a new one. */
  readonly id: string;
  readonly tenantId: string;
  /** Unique within the tenant. */
  readonly name: string;
  readonly cronExpression: string;
  /** IANA time zone name. */
  readonly timezone: string;
  readonly workflowId: string;
  /** Null = the latest version when it runs. */
  readonly workflowVersion: string | null;
  readonly missed: Missed;
  readonly overlap: Overlap;
  readonly enabled: boolean;
  /** Null while paused, and once the schedule has ended. */
  readonly nextRunAtMs: number | null;
  /** When it last started an execution, as scheduled or by a trigger. */
  readonly lastRunAtMs: number | null;
  readonly lastExecutionId: string | null;
  /** Why the last run could not be started; null after a successful start. */
  readonly lastError: string | null;
  readonly createdAtMs: number;
}

export interface CronJob extends CronJobSummary {
  /** JSON text. */
  readonly input: string;
}

/** Advances a job from its scheduled time `fromMs` to `toMs` (null = the schedule has ended). */
interface CronMove {
  readonly id: string;
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number | null;
}

/** The run scheduled for `fromMs` was started. */
export interface CronRun extends CronMove {
  readonly tenantId: string;
  readonly executionId: string;
  readonly ranAtMs: number;
}

/** No run was started for `fromMs`, nor for any time before `toMs`. */
export interface CronOmission extends CronMove {
  /** `missed`: no runtime was running in time · `overlap`: the last execution had not ended · `failed`: the start failed. */
  readonly reason: 'missed' | 'overlap' | 'failed';
  /** Why the start failed; null for the other reasons. */
  readonly error: string | null;
}

/**
 * Jobs of all tenants. Every change of a job, and every run that was skipped or failed to start, is a control event of its tenant; a run that was
 * started is recorded in the execution's own log.
 */
export interface CronStore {
  /** Creates the job, or replaces the one of that name. */
  put(job: CronJob, context: ActionContext): Promise<void>;
  /** Rejects with `unknown_cron_job`. */
  remove(name: string, context: ActionContext): Promise<void>;
  /** Pauses (`nextRunAtMs` null and `enabled` false) or resumes a job. Does nothing when the job is in that state already, or gone. */
  enable(
    job: { readonly id: string; readonly name: string; readonly enabled: boolean; readonly nextRunAtMs: number | null },
    context: ActionContext,
  ): Promise<void>;
  job(tenantId: string, name: string): Promise<CronJob | null>;
  /** By name, `after` exclusive. */
  jobs(tenantId: string, page: { readonly after: string; readonly limit: number }): Promise<readonly CronJob[]>;

  // For the scheduler, across tenants.
  /** Jobs that are due, the latest first, so that punctual runs do not wait behind late ones. */
  due(nowMs: number, limit: number): Promise<readonly CronJobSummary[]>;
  /** When the next job is due; null = none is scheduled. */
  nextRunAtMs(): Promise<number | null>;
  /** JSON text; null when the job is gone. */
  input(tenantId: string, id: string): Promise<string | null>;
  /** Advances jobs, in one transaction. Skips a job that is not at `fromMs` any more: another process advanced it, or it was changed. */
  recordRuns(runs: readonly CronRun[]): Promise<void>;
  /** Advances one job, by the same rule. */
  recordOmission(omission: CronOmission, context: ActionContext): Promise<void>;
  /** A run outside the schedule. */
  recordTrigger(
    run: { readonly id: string; readonly name: string; readonly executionId: string },
    context: ActionContext,
  ): Promise<void>;
}

/** The data of the control event of a stored job. */
export function storedData(job: CronJob): string {
  const { name, cronExpression, timezone, workflowId, workflowVersion, missed, overlap, enabled } = job;
  return JSON.stringify({
    name,
    cron_expression: cronExpression,
    timezone,
    workflow_id: workflowId,
    workflow_version: workflowVersion,
    missed,
    overlap,
    enabled,
  });
}

/** The control event of an omission. */
export function omissionEvent(omission: CronOmission): { readonly type: string; readonly data: string } {
  const { name, fromMs, toMs, reason, error } = omission;
  return reason === 'failed'
    ? { type: 'cron_run_failed', data: JSON.stringify({ name, scheduled_at_ms: fromMs, error }) }
    : { type: 'cron_run_skipped', data: JSON.stringify({ name, reason, scheduled_at_ms: fromMs, next_run_at_ms: toMs }) };
}
