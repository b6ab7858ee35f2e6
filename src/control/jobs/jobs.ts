import type { Action, JobRow } from '../../../store/port/resources/jobs.ts';
import type { ActionContext } from '../../../store/port/writes.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { WakeupSignal } from '../../runtime/queries/wakeup-signal.ts';
import type { ExecutionFilter } from '../../runtime/types/executions.ts';
import type { ControlDeps } from '../service.ts';
import { JobRunner } from './runner.ts';

/** The longest a caller may ask `settled` to wait. */
const MAX_WAIT_MS = 60_000;

export interface JobRequest {
  readonly action: Action;
  /** What it is about: of the executions started before the job, those that match when it comes to them. */
  readonly filter: ExecutionFilter;
  /** An empty filter means every execution, and must be meant. */
  readonly all: boolean;
  readonly reason: string | null;
}

/** Bulk jobs of every tenant: kept in the store, done by `runner`. All that name one reject with `not_found` for an unknown id or another tenant's. */
export class BulkJobs {
  readonly runner: JobRunner;
  readonly #deps: ControlDeps;
  readonly #signal = new WakeupSignal();

  constructor(deps: ControlDeps) {
    this.#deps = deps;
    this.runner = new JobRunner(deps, (id) => this.#signal.wake(id));
  }

  /** Rejects with `bad_request` for an empty filter without `all`. */
  async start({ action, filter, all, reason }: JobRequest, context: ActionContext): Promise<JobRow> {
    if (Object.keys(filter).length === 0 && !all)
      throw new RuntimeError('bad_request', 'an empty filter means every execution: add "all": true if that is meant');
    const { store, runtime } = this.#deps;
    const id = `job_${runtime.idWatermark()}`;
    const { tenantId, atMs } = context;
    await store.jobs.start({ id, tenantId, action, filter: JSON.stringify(filter), reason, createdAtMs: atMs }, context);
    this.runner.request();
    return this.get(tenantId, id);
  }

  async get(tenantId: string, id: string): Promise<JobRow> {
    const job = await this.#deps.store.jobs.job(tenantId, id);
    if (job === null) throw new RuntimeError('not_found', `job ${truncated(id)}`);
    return job;
  }

  /** Newest first; `after` = the last of the page before. */
  list(tenantId: string, page: { readonly after: string | null; readonly limit: number }): Promise<readonly JobRow[]> {
    return this.#deps.store.jobs.jobs(tenantId, page);
  }

  /** What has been done stays done. Rejects with `conflict` when it has ended. */
  async cancel(id: string, context: ActionContext): Promise<JobRow> {
    const { tenantId } = context;
    await this.get(tenantId, id);
    const ended = await this.#deps.store.jobs.cancel(tenantId, id, context);
    const job = await this.get(tenantId, id);
    if (!ended) throw new RuntimeError('conflict', `job ${id} is ${job.status}; it cannot be cancelled any more`);
    this.runner.cancelled(id);
    this.#signal.wake(id);
    return job;
  }

  /** Another process started, cancelled or ended one. */
  changed(): void {
    this.runner.request();
    this.#signal.wakeAll();
  }

  /** Resolves when it has ended, at the latest after `waitMs` (60,000 at most). */
  async settled(tenantId: string, id: string, waitMs: number, signal: AbortSignal): Promise<JobRow> {
    const { clock } = this.#deps;
    const untilMs = clock.nowMs() + Math.min(waitMs, MAX_WAIT_MS);
    for (;;) {
      const next = this.#signal.nextWakeup(id, signal);
      const cancelTimer = clock.after(Math.max(0, untilMs - clock.nowMs()), next.stop);
      try {
        const job = await this.get(tenantId, id);
        if (job.status !== 'running' || signal.aborted || clock.nowMs() >= untilMs) return job;
        await next.woken;
      } finally {
        cancelTimer();
        next.stop();
      }
    }
  }
}
