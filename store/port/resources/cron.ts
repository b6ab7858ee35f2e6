import type { ActionContext } from '../control.ts';

/** What a job does about times that passed while no runtime was there. */
export const MISSED = ['skip', 'catch_up'] as const;
export type Missed = (typeof MISSED)[number];

/** What a job does when its last execution has not ended yet. */
export const OVERLAP = ['allow', 'skip', 'cancel_running'] as const;
export type Overlap = (typeof OVERLAP)[number];

/** A job without its input, which may be large. */
export interface CronJobSummary {
  /** UUID; a job that is replaced under its name gets another. */
  readonly id: string;
  readonly tenantId: string;
  /** Unique within the tenant. */
  readonly name: string;
  readonly expression: string;
  /** IANA name. */
  readonly timezone: string;
  readonly workflowId: string;
  /** Null = the latest version when it runs. */
  readonly workflowVersion: string | null;
  readonly missed: Missed;
  readonly overlap: Overlap;
  readonly enabled: boolean;
  /** Null while paused, and once the schedule has no more times. */
  readonly nextRunAtMs: number | null;
  /** When it last started an execution, on time or not. */
  readonly lastRunAtMs: number | null;
  readonly lastExecutionId: string | null;
  /** Why the last run could not be started; null once one could. */
  readonly lastError: string | null;
  readonly createdAtMs: number;
}

export interface CronJob extends CronJobSummary {
  /** JSON text. */
  readonly input: string;
}

/** A job stood at `fromMs`; it goes on at `toMs` (null = never again). */
interface CronMove {
  readonly id: string;
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number | null;
}

/** The time `fromMs` has been served. */
export interface CronRun extends CronMove {
  readonly tenantId: string;
  readonly executionId: string;
  readonly ranAtMs: number;
}

/** Nothing was started at `fromMs`, nor before `toMs`. */
export interface CronOmission extends CronMove {
  /** `missed`: no runtime was there in time · `overlap`: the last execution had not ended · `failed`: it could not be started. */
  readonly reason: 'missed' | 'overlap' | 'failed';
  /** Why it could not be started; null unless it failed. */
  readonly error: string | null;
}

/**
 * Jobs of all tenants. Whatever changes a job, and every time that was skipped or could not be started, is a control event of its tenant;
 * a run that was started is told by the execution's own log.
 */
export interface CronStore {
  /** Creates the job, or replaces the one of that name. */
  put(job: CronJob, context: ActionContext): Promise<void>;
  /** Rejects with `unknown_cron_job`. */
  remove(name: string, context: ActionContext): Promise<void>;
  /** Pauses (`nextRunAtMs` null and `enabled` false) or resumes a job; what is so already, or is gone, stays as it is. */
  enable(
    job: { readonly id: string; readonly name: string; readonly enabled: boolean; readonly nextRunAtMs: number | null },
    context: ActionContext,
  ): Promise<void>;
  job(tenantId: string, name: string): Promise<CronJob | null>;
  /** By name, `after` exclusive. */
  jobs(tenantId: string, page: { readonly after: string; readonly limit: number }): Promise<readonly CronJob[]>;

  // What the runtime itself asks for, across tenants.
  /** Jobs whose time has come, the latest first: what is on time does not wait for what catches up. */
  due(nowMs: number, limit: number): Promise<readonly CronJobSummary[]>;
  /** When the next job is due; null = never. */
  nextRunAtMs(): Promise<number | null>;
  /** JSON text; null when the job is gone. */
  input(tenantId: string, id: string): Promise<string | null>;
  /** Moves jobs on, in one transaction. One that is not at `fromMs` any more stays: somebody else served that time, or changed the job. */
  recordRuns(runs: readonly CronRun[]): Promise<void>;
  /** Moves one job on, by the same rule. */
  recordOmission(omission: CronOmission, context: ActionContext): Promise<void>;
  /** A run outside the schedule. */
  recordTrigger(
    run: { readonly id: string; readonly name: string; readonly executionId: string },
    context: ActionContext,
  ): Promise<void>;
}

/** What the control event of a stored job tells. The same for every engine. */
export function storedData(job: CronJob): string {
  const { name, expression, timezone, workflowId, workflowVersion, missed, overlap, enabled } = job;
  return JSON.stringify({
    name,
    cron_expression: expression,
    timezone,
    workflow_id: workflowId,
    workflow_version: workflowVersion,
    missed,
    overlap,
    enabled,
  });
}

/** The control event of an omission, the same for every engine. */
export function omissionEvent(omission: CronOmission): { readonly type: string; readonly data: string } {
  const { name, fromMs, toMs, reason, error } = omission;
  return reason === 'failed'
    ? { type: 'cron_run_failed', data: JSON.stringify({ name, scheduled_at_ms: fromMs, error }) }
    : { type: 'cron_run_skipped', data: JSON.stringify({ name, reason, scheduled_at_ms: fromMs, next_run_at_ms: toMs }) };
}
