import type { Action, JobRow } from '../../../store/resources/jobs.ts';
import type { ActionContext } from '../../../store/writes.ts';
import { RuntimeError, shown } from '../../runtime/errors.ts';
import { Feed } from '../../runtime/feed.ts';
import type { ExecutionFilter } from '../../runtime/types.ts';
import type { Parts } from '../parts.ts';
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
  readonly #parts: Parts;
  readonly #feed = new Feed();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.runner = new JobRunner(parts, (id) => this.#feed.wake(id));
  }

  /** Rejects with `bad_request` for an empty filter without `all`. */
  async start({ action, filter, all, reason }: JobRequest, context: ActionContext): Promise<JobRow> {
    if (Object.keys(filter).length === 0 && !all)
      throw new RuntimeError('bad_request', 'an empty filter means every execution: add "all": true if that is meant');
    const { store, runtime } = this.#parts;
    const id = `job_${runtime.mark()}`;
    const { tenantId, atMs } = context;
    await store.jobs.start({ id, tenantId, action, filter: JSON.stringify(filter), reason, createdAtMs: atMs }, context);
    this.runner.ask();
    return this.get(tenantId, id);
  }

  async get(tenantId: string, id: string): Promise<JobRow> {
    const job = await this.#parts.store.jobs.job(tenantId, id);
    if (job === null) throw new RuntimeError('not_found', `job ${shown(id)}`);
    return job;
  }

  /** Newest first; `after` = the last of the page before. */
  list(tenantId: string, page: { readonly after: string | null; readonly limit: number }): Promise<readonly JobRow[]> {
    return this.#parts.store.jobs.jobs(tenantId, page);
  }

  /** What has been done stays done. Rejects with `conflict` when it has ended. */
  async cancel(id: string, context: ActionContext): Promise<JobRow> {
    const { tenantId } = context;
    await this.get(tenantId, id);
    const ended = await this.#parts.store.jobs.cancel(tenantId, id, context);
    const job = await this.get(tenantId, id);
    if (!ended) throw new RuntimeError('conflict', `job ${id} is ${job.status}; it cannot be cancelled any more`);
    this.runner.drop(id);
    this.#feed.wake(id);
    return job;
  }

  /** Another process started, cancelled or ended one. */
  changed(): void {
    this.runner.ask();
    this.#feed.wakeAll();
  }

  /** Resolves when it has ended, at the latest after `waitMs` (60,000 at most). */
  async settled(tenantId: string, id: string, waitMs: number, signal: AbortSignal): Promise<JobRow> {
    const { clock } = this.#parts;
    const untilMs = clock.nowMs() + Math.min(waitMs, MAX_WAIT_MS);
    for (;;) {
      const next = this.#feed.next(id, signal);
      const callOff = clock.after(Math.max(0, untilMs - clock.nowMs()), next.stop);
      try {
        const job = await this.get(tenantId, id);
        if (job.status !== 'running' || signal.aborted || clock.nowMs() >= untilMs) return job;
        await next.woken;
      } finally {
        callOff();
        next.stop();
      }
    }
  }
}
