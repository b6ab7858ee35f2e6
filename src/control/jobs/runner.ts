import type { JobProgress, JobRow } from '../../../store/port/resources/jobs.ts';
import { CoalescedJob } from '../../runtime/coalesced-job.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { ControlDeps, SingletonService } from '../service.ts';
import { type ActionOutcome, applyAction, isTransient } from './actions.ts';
import { SelectedExecutions } from './selection.ts';

/** Executions acted on concurrently. Progress is stored after each page. */
const PAGE_SIZE = 64;
const MAX_ERRORS_KEPT = 10;

interface JobError {
  readonly execution_id: string | null;
  readonly error: string;
}

/**
 * Runs the oldest unfinished job of each tenant, in turn, one page at a time. A job's whole state is its row: after a crash it continues
 * after the last stored page, and executions of the next page that were already acted on no longer match or are skipped. Oldest executions
 * come first: a parent before its children, so that they are cancelled with it instead of failing it.
 */
export class JobRunner implements SingletonService {
  readonly #deps: ControlDeps;
  readonly #job: CoalescedJob;
  readonly #onProgress: (jobId: string) => void;
  readonly #cancelled = new Set<string>();
  #active = false;

  /** `onProgress` is called when progress of a job has been stored, or its end. */
  constructor(deps: ControlDeps, onProgress: (jobId: string) => void) {
    this.#deps = deps;
    this.#onProgress = onProgress;
    this.#job = new CoalescedJob(deps, () => this.#runJobs());
  }

  async start(): Promise<void> {
    this.#active = true;
    this.#job.request();
  }

  standBy(): Promise<void> {
    this.#active = false;
    return this.#job.idle();
  }

  close(): Promise<void> {
    return this.#job.close();
  }

  /** Call when there is a new job. */
  request(): void {
    if (this.#active) this.#job.request();
  }

  /** Call when a job was cancelled, so that it starts no further actions. */
  cancelled(jobId: string): void {
    this.#cancelled.add(jobId);
  }

  async #runJobs(): Promise<void> {
    while (this.#active) {
      // Cleared before reading: a job that is cancelled from here on may still be read as running.
      this.#cancelled.clear();
      const jobs = await this.#deps.store.jobs.running();
      const refusals: unknown[] = [];
      for (const job of jobs) {
        if (this.#job.closed || !this.#active) return;
        const refusal = await this.#advance(job);
        if (refusal !== null) refusals.push(refusal);
      }
      if (jobs.length === 0) return;
      // Every job was refused: throw, so that the run is retried after a delay.
      if (refusals.length === jobs.length) throw refusals[0];
    }
  }

  /**
   * Advances a job by one page. A job that cannot proceed at all is failed, and the others continue. Resolves with the refusal if the job's
   * tenant is overloaded, else null.
   */
  async #advance(job: JobRow): Promise<RuntimeError | null> {
    try {
      await (job.matched === null ? this.#count(job) : this.#runPage(job));
      return null;
    } catch (error) {
      if (this.#job.closed) return null;
      if (error instanceof RuntimeError && error.code === 'overloaded') return error;
      if (isTransient(error)) throw error;
      this.#deps.onError(error);
      await this.#finish(job, 'failed', withError(job, { execution_id: null, error: textOf(error) }));
      return null;
    }
  }

  async #count(job: JobRow): Promise<void> {
    const { store, clock } = this.#deps;
    const matched = await new SelectedExecutions(store.tenant(job.tenantId), job).count();
    await store.jobs.progress(job.tenantId, job.id, { ...progressOf(job), matched }, clock.nowMs());
    this.#onProgress(job.id);
  }

  async #runPage(job: JobRow): Promise<void> {
    const { store, runtime, clock } = this.#deps;
    const { tenantId, id, position } = job;
    const selected = new SelectedExecutions(store.tenant(tenantId), job);
    const { ids, next } = await selected.page(position, PAGE_SIZE);
    if (this.#cancelled.has(id)) return;
    const outcomes = await Promise.all(ids.map((each) => applyAction(runtime, job, each, selected.areNamed)));
    const firstPostponed = outcomes.findIndex(({ kind }) => kind === 'postponed');
    const done = firstPostponed < 0 ? outcomes : outcomes.slice(0, firstPostponed);
    let progress = progressOf(job);
    for (const [at, outcome] of done.entries()) progress = this.#progressAfter(progress, ids[at] ?? null, outcome);
    const retried = job.action === 'retry' ? succeededOf(ids, done) : [];
    if (firstPostponed < 0 && next === null) return this.#finish(job, 'completed', progress, retried);
    const reached = firstPostponed < 0 ? { ...progress, position: next } : progress;
    await store.jobs.progress(tenantId, id, reached, clock.nowMs(), retried);
    this.#onProgress(id);
    const refused = outcomes[firstPostponed];
    if (refused?.kind === 'postponed') throw refused.error;
  }

  #progressAfter(progress: JobProgress, executionId: string | null, outcome: ActionOutcome): JobProgress {
    const counted = { ...progress, position: executionId };
    switch (outcome.kind) {
      case 'succeeded':
        return { ...counted, succeeded: progress.succeeded + 1 };
      case 'skipped':
        return { ...counted, skipped: progress.skipped + 1 };
      case 'failed': {
        if (!(outcome.error instanceof RuntimeError)) this.#deps.onError(outcome.error);
        const problem = { execution_id: executionId, error: textOf(outcome.error) };
        return withError({ ...counted, failed: progress.failed + 1 }, problem);
      }
      case 'postponed':
        return progress;
    }
  }

  async #finish(
    job: JobRow,
    status: 'completed' | 'failed',
    progress: JobProgress,
    retried: readonly string[] = [],
  ): Promise<void> {
    const { tenantId, id } = job;
    const context = { tenantId, atMs: this.#deps.clock.nowMs(), actorId: id, actorType: 'system', request: null } as const;
    await this.#deps.store.jobs.finish({ id, status, progress, retried }, context);
    this.#onProgress(id);
  }
}

function succeededOf(ids: readonly string[], outcomes: readonly ActionOutcome[]): readonly string[] {
  return ids.flatMap((id, at) => (outcomes[at]?.kind === 'succeeded' ? [id] : []));
}

function progressOf({ position, matched, succeeded, skipped, failed, errors }: JobRow): JobProgress {
  return { position, matched, succeeded, skipped, failed, errors };
}

function withError(progress: JobProgress, problem: JobError): JobProgress {
  const problems = JSON.parse(progress.errors) as readonly JobError[];
  const { position, matched, succeeded, skipped, failed } = progress;
  const errors = JSON.stringify([...problems, problem].slice(0, MAX_ERRORS_KEPT));
  return { position, matched, succeeded, skipped, failed, errors };
}

/** Internal errors appear only in the server's log. */
function textOf(error: unknown): string {
  return error instanceof RuntimeError ? error.message : 'unexpected failure, logged by the server';
}
