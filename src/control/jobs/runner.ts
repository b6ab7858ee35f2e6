import type { JobProgress, JobRow } from '../../../store/resources/jobs.ts';
import type { ExecutionFilter as StoredFilter } from '../../../store/store.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { storedFilter } from '../../runtime/list-filter.ts';
import type { ExecutionFilter } from '../../runtime/types.ts';
import type { Parts, Single } from '../parts.ts';
import { Pump } from '../pump.ts';
import { act, type Outcome, passesByItself } from './actions.ts';

/** Executions acted on at the same time; how far a job has come is stored after each so many. */
const PAGE = 64;
const ERRORS_KEPT = 10;

interface Problem {
  readonly execution_id: string | null;
  readonly error: string;
}

/**
 * Does the jobs that have not ended, the oldest of each tenant, a page of one after a page of the other. All that is known of a job is its row: after
 * a crash it goes on behind the last page that was stored, and what of the next had been done already no longer matches or is skipped. The oldest
 * executions come first: a parent before its children, so that these are cancelled with it and do not fail it.
 */
export class JobRunner implements Single {
  readonly #parts: Parts;
  readonly #pump: Pump;
  readonly #ended: (jobId: string) => void;
  readonly #dropped = new Set<string>();
  #begun = false;

  constructor(parts: Parts, ended: (jobId: string) => void) {
    this.#parts = parts;
    this.#ended = ended;
    this.#pump = new Pump(parts, () => this.#work());
  }

  async begin(): Promise<void> {
    this.#begun = true;
    this.#pump.ask();
  }

  rest(): Promise<void> {
    this.#begun = false;
    return this.#pump.idle();
  }

  close(): Promise<void> {
    return this.#pump.close();
  }

  /** There is a new job. */
  ask(): void {
    if (this.#begun) this.#pump.ask();
  }

  /** It was cancelled: it begins nothing more. */
  drop(jobId: string): void {
    this.#dropped.add(jobId);
  }

  async #work(): Promise<void> {
    while (this.#begun) {
      // Before reading: what is cancelled from here on may still be among them.
      this.#dropped.clear();
      const jobs = await this.#parts.store.jobs.running();
      const refusals: unknown[] = [];
      for (const job of jobs) {
        if (this.#pump.closed || !this.#begun) return;
        const refusal = await this.#turn(job);
        if (refusal !== null) refusals.push(refusal);
      }
      if (jobs.length === 0) return;
      // Every job has to wait: the pump tries again after a delay.
      if (refusals.length === jobs.length) throw refusals[0];
    }
  }

  /**
   * A job that cannot be done at all fails; the others go on. So they do when too much work of the job's tenant is waiting: that is what
   * it answers then, null otherwise.
   */
  async #turn(job: JobRow): Promise<RuntimeError | null> {
    try {
      await (job.matched === null ? this.#count(job) : this.#page(job));
      return null;
    } catch (error) {
      if (this.#pump.closed) return null;
      if (error instanceof RuntimeError && error.code === 'overloaded') return error;
      if (passesByItself(error)) throw error;
      this.#parts.failed(error);
      await this.#finish(job, 'failed', withProblem(job, { execution_id: null, error: textOf(error) }));
      return null;
    }
  }

  async #count(job: JobRow): Promise<void> {
    const { store, clock } = this.#parts;
    const matched = await store.tenant(job.tenantId).countExecutions(filterOf(job));
    await store.jobs.progress(job.tenantId, job.id, { ...progressOf(job), matched }, clock.nowMs());
  }

  async #page(job: JobRow): Promise<void> {
    const { store, runtime, clock } = this.#parts;
    const { tenantId, id, position } = job;
    const { rows, next } = await store.tenant(tenantId).executions({
      ...filterOf(job),
      ...(position === null ? {} : { after: position }),
      limit: PAGE,
    });
    if (this.#dropped.has(id)) return;
    const outcomes = await Promise.all(rows.map((row) => act(runtime, job, row.id)));
    const stop = outcomes.findIndex(({ kind }) => kind === 'later');
    const done = stop < 0 ? outcomes : outcomes.slice(0, stop);
    let progress = progressOf(job);
    for (const [at, outcome] of done.entries()) progress = this.#after(progress, rows[at]?.id ?? null, outcome);
    if (stop < 0 && next === null) return this.#finish(job, 'completed', progress);
    const reached = stop < 0 ? { ...progress, position: next } : progress;
    await store.jobs.progress(tenantId, id, reached, clock.nowMs());
    const refused = outcomes[stop];
    if (refused?.kind === 'later') throw refused.error;
  }

  #after(progress: JobProgress, executionId: string | null, outcome: Outcome): JobProgress {
    const counted = { ...progress, position: executionId };
    switch (outcome.kind) {
      case 'succeeded':
        return { ...counted, succeeded: progress.succeeded + 1 };
      case 'skipped':
        return { ...counted, skipped: progress.skipped + 1 };
      case 'failed': {
        if (!(outcome.error instanceof RuntimeError)) this.#parts.failed(outcome.error);
        const problem = { execution_id: executionId, error: textOf(outcome.error) };
        return withProblem({ ...counted, failed: progress.failed + 1 }, problem);
      }
      case 'later':
        return progress;
    }
  }

  async #finish(job: JobRow, status: 'completed' | 'failed', progress: JobProgress): Promise<void> {
    const { tenantId, id } = job;
    const context = { tenantId, atMs: this.#parts.clock.nowMs(), actorId: id, actorType: 'system', request: null } as const;
    await this.#parts.store.jobs.finish({ id, status, progress }, context);
    this.#ended(id);
  }
}

/** An execution that was started after the job was made has a greater id than it. */
function filterOf({ id, filter }: JobRow): StoredFilter {
  const made = `exec_${id.slice('job_'.length)}`;
  const stored = storedFilter(JSON.parse(filter) as ExecutionFilter);
  const before = stored.before !== undefined && stored.before < made ? stored.before : made;
  return { ...stored, before, order: 'oldest' };
}

function progressOf({ position, matched, succeeded, skipped, failed, errors }: JobRow): JobProgress {
  return { position, matched, succeeded, skipped, failed, errors };
}

function withProblem(progress: JobProgress, problem: Problem): JobProgress {
  const problems = JSON.parse(progress.errors) as readonly Problem[];
  const { position, matched, succeeded, skipped, failed } = progress;
  const errors = JSON.stringify([...problems, problem].slice(0, ERRORS_KEPT));
  return { position, matched, succeeded, skipped, failed, errors };
}

/** What clients cannot do anything about is in the log only. */
function textOf(error: unknown): string {
  return error instanceof RuntimeError ? error.message : 'unexpected failure, logged by the server';
}
