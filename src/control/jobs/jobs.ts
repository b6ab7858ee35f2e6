import type { ActionContext } from '../../../store/port/control.ts';
import type { Action, JobRow } from '../../../store/port/resources/jobs.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { WakeupSignal } from '../../runtime/queries/wakeup-signal.ts';
import type { CancelSignal } from '../../runtime/types/cancel-signal.ts';
import type { ControlDeps } from '../service.ts';
import { OutcomeCounter, type RetryOutcomes } from './outcomes.ts';
import { JobRunner } from './runner.ts';
import type { JobSelection } from './selection.ts';

/** Upper bound of `waitMs` of `settled`. */
const MAX_WAIT_MS = 60_000;

export interface JobRequest {
  readonly action: Action;
  /** Selects named executions, or those that started before the job and match when the job reaches them. */
  readonly filter: JobSelection;
  /** Confirms an empty filter, which selects every execution. */
  readonly all: boolean;
  readonly reason: string | null;
}

/** Manages bulk jobs, which are stored in the database and run by `runner`. Methods that name a job reject with `not_found` for an unknown id. */
export class BulkJobs {
  readonly runner: JobRunner;
  readonly #deps: ControlDeps;
  readonly #signal = new WakeupSignal();
  readonly #counter: OutcomeCounter;

  constructor(deps: ControlDeps) {
    this.#deps = deps;
    this.#counter = new OutcomeCounter(deps);
    this.runner = new JobRunner(deps, (id) => this.#signal.wake(id));
  }

  /** Rejects with `bad_request` for an empty filter without `all`. */
  async start({ action, filter, all, reason }: JobRequest, context: ActionContext): Promise<JobRow> {
    if (Object.keys(filter).length === 0 && !all)
      throw new RuntimeError('bad_request', 'an empty filter selects every execution: add "all": true to confirm');
    const { store, runtime } = this.#deps;
    const id = `job_${runtime.idWatermark()}`;
    const { tenantId, atMs } = context;
    await store.jobs.start({ id, tenantId, action, filter: JSON.stringify(filter), reason, createdAtMs: atMs }, context);
    this.runner.request();
    return this.get(tenantId, id);
  }

  async get(tenantId: string, id: string): Promise<JobRow> {
    const job = await this.#deps.store.jobs.job(tenantId, id);
    if (job === null) throw new RuntimeError('not_found', `job ${truncated(id)} not found`);
    return job;
  }

  /** What has become of the executions that the job has retried, as they are now; null if it is no retry, or if that is not known. */
  outcomes(job: JobRow): Promise<RetryOutcomes | null> {
    return this.#counter.outcomes(job);
  }

  /** Newest first. `after`: id of the last job of the previous page. */
  list(tenantId: string, page: { readonly after: string | null; readonly limit: number }): Promise<readonly JobRow[]> {
    return this.#deps.store.jobs.jobs(tenantId, page);
  }

  /** Actions already applied are not undone. Rejects with `conflict` if the job has ended. */
  async cancel(id: string, context: ActionContext): Promise<JobRow> {
    const { tenantId } = context;
    await this.get(tenantId, id);
    const ended = await this.#deps.store.jobs.cancel(tenantId, id, context);
    const job = await this.get(tenantId, id);
    if (!ended) throw new RuntimeError('conflict', `job ${id} has already ended: ${job.status}`);
    this.runner.cancelled(id);
    this.#signal.wake(id);
    return job;
  }

  /** Call when another process has started, cancelled or ended a job. */
  changed(): void {
    this.runner.request();
    this.#signal.wakeAll();
  }

  /**
   * Resolves with the job when it has ended, or as it is after `waitMs` (60,000 at most). With `updatedAfterMs`, also when its row was changed
   * after that time; progress on another member of a cluster is not noticed before the time is over.
   */
  async settled(
    tenantId: string,
    id: string,
    { waitMs, updatedAfterMs = Number.POSITIVE_INFINITY }: { readonly waitMs: number; readonly updatedAfterMs?: number },
    signal: CancelSignal,
  ): Promise<JobRow> {
    const { clock } = this.#deps;
    const untilMs = clock.nowMs() + Math.min(waitMs, MAX_WAIT_MS);
    for (;;) {
      const next = this.#signal.nextWakeup(id, signal);
      const cancelTimer = clock.after(Math.max(0, untilMs - clock.nowMs()), next.stop);
      try {
        const job = await this.get(tenantId, id);
        if (job.status !== 'running' || job.updatedAtMs > updatedAfterMs) return job;
        if (signal.aborted || clock.nowMs() >= untilMs) return job;
        await next.woken;
      } finally {
        cancelTimer();
        next.stop();
      }
    }
  }
}
