import type { ActionContext } from '../writes.ts';

/** What a job does about times that passed while no runtime was there. */
export const MISSED = ['skip', 'catch_up'] as const;
export type Missed = (typeof MISSED)[number];

/** What a job does when its last execution has not ended yet. */
export const OVERLAP = ['allow', 'skip', 'cancel_running'] as const;
export type Overlap = (typeof OVERLAP)[number];

/** A job without its input, which may be large. */
export interface CronJobHead {
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

export interface CronJob extends CronJobHead {
  /** JSON text. */
  readonly input: string;
}

/** What became of one scheduled time. */
export type CronOutcome =
  | { readonly kind: 'ran'; readonly executionId: string; readonly atMs: number }
  | { readonly kind: 'failed'; readonly error: string }
  /** `missed`: no runtime was there in time · `overlap`: the last execution had not ended. */
  | { readonly kind: 'skipped'; readonly reason: 'missed' | 'overlap' };

/** The job stood at `fromMs`; it goes on at `toMs` (null = never again). */
export interface CronAdvance {
  readonly id: string;
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number | null;
  readonly outcome: CronOutcome;
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
  /** Jobs whose time has come, the longest overdue first. */
  due(nowMs: number, limit: number): Promise<readonly CronJobHead[]>;
  /** When the next job is due; null = never. */
  nextRunAtMs(): Promise<number | null>;
  /** JSON text; null when the job is gone. */
  input(tenantId: string, id: string): Promise<string | null>;
  /** False = the job is not at `fromMs` any more: somebody else has served that time, or the job was changed. */
  advance(advance: CronAdvance, context: ActionContext): Promise<boolean>;
  /** A run outside the schedule. */
  triggered(
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

/** The control event of an advance; null when there is none. The same for every engine. */
export function advanceEvent(advance: CronAdvance): { readonly type: string; readonly data: string } | null {
  const { name, fromMs, toMs, outcome } = advance;
  switch (outcome.kind) {
    case 'ran':
      return null;
    case 'failed':
      return { type: 'cron_run_failed', data: JSON.stringify({ name, scheduled_at_ms: fromMs, error: outcome.error }) };
    case 'skipped':
      return {
        type: 'cron_run_skipped',
        data: JSON.stringify({ name, reason: outcome.reason, scheduled_at_ms: fromMs, next_run_at_ms: toMs }),
      };
  }
}
