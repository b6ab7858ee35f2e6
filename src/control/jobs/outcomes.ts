import { setImmediate } from 'node:timers/promises';
import type { JobRow, RetriedRow } from '../../../store/port/resources/jobs.ts';
import type { Store } from '../../../store/port/store.ts';
import type { Clock } from '../../runtime/clock.ts';
import { ErrorGrouping } from '../../runtime/queries/error-groups.ts';
import type { ErrorGroup, FailedExecution } from '../../runtime/types/executions.ts';

/** Executions read in one statement, some milliseconds; other work runs in between. */
const SLICE = 1_000;
/** Failed executions whose errors are compared. */
const MAX_GROUPED = 10_000;
/** Groups that are kept. */
const MAX_GROUPS = 10;
/** What took longer to count is counted again only after nine times that long: repeated requests take a tenth of the time at most. */
const SLOW_MS = 100;
const REST_FACTOR = 9;

/** What has become of the executions that a job has retried. */
export interface RetryOutcomes {
  readonly completed: number;
  /** Failed again. */
  readonly failed: number;
  readonly cancelled: number;
  readonly limitExceeded: number;
  readonly running: number;
  readonly paused: number;
  /** No longer stored. */
  readonly removed: number;
  /** Of those that run, the one that was started last; null = none runs. */
  readonly newestRunning: string | null;
  /** The most frequent errors of those that failed again. */
  readonly errors: readonly ErrorGroup<FailedExecution>[];
}

/** Counts what has become of retried executions. Requests for the same job share one count. */
export class OutcomeCounter {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #counts = new Map<string, { readonly outcomes: Promise<RetryOutcomes>; untilMs: number }>();

  constructor({ store, clock }: { readonly store: Store; readonly clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Null: the job is no retry. */
  async outcomes(job: JobRow): Promise<RetryOutcomes | null> {
    if (job.action !== 'retry') return null;
    const startMs = this.#clock.nowMs();
    for (const [id, { untilMs }] of this.#counts) if (untilMs <= startMs) this.#counts.delete(id);
    const key = `${job.tenantId} ${job.id}`;
    const shared = this.#counts.get(key);
    if (shared !== undefined) return shared.outcomes;
    const counting = { outcomes: this.#count(job), untilMs: Number.POSITIVE_INFINITY };
    this.#counts.set(key, counting);
    try {
      return await counting.outcomes;
    } finally {
      const nowMs = this.#clock.nowMs();
      const tookMs = nowMs - startMs;
      if (tookMs > SLOW_MS) counting.untilMs = nowMs + REST_FACTOR * tookMs;
      else this.#counts.delete(key);
    }
  }

  async #count({ tenantId, id, succeeded }: JobRow): Promise<RetryOutcomes> {
    const tally = new Tally();
    for (let before: string | null = null; ; ) {
      const rows: readonly RetriedRow[] = await this.#store.jobs.retried(tenantId, id, { before, limit: SLICE });
      for (const row of rows) tally.add(row);
      const last = rows.at(-1);
      if (last === undefined || rows.length < SLICE) break;
      before = last.executionId;
      await setImmediate();
    }
    return tally.result(succeeded);
  }
}

class Tally {
  readonly #counts = { completed: 0, failed: 0, cancelled: 0, limitExceeded: 0, running: 0, paused: 0 };
  readonly #grouping = new ErrorGrouping<FailedExecution>();
  #newestRunning: string | null = null;

  /** Newest first. */
  add({ executionId, status, workflowId, error, updatedAtMs, completedAtMs }: RetriedRow): void {
    if (status === null || workflowId === null || updatedAtMs === null) return;
    const kind = kindOf(status);
    this.#counts[kind] += 1;
    if (kind === 'running') this.#newestRunning ??= executionId;
    if (kind === 'failed' && this.#grouping.examined < MAX_GROUPED)
      this.#grouping.add({ executionId, workflowId, error, updatedAtMs, completedAtMs });
  }

  /** `retried`: how many the job says it has retried. Rows of removed executions are gone with them. */
  result(retried: number): RetryOutcomes {
    const counts = this.#counts;
    const known = Object.values(counts).reduce((sum, count) => sum + count, 0);
    return {
      ...counts,
      removed: Math.max(0, retried - known),
      newestRunning: this.#newestRunning,
      errors: this.#grouping.result(false).groups.slice(0, MAX_GROUPS),
    };
  }
}

function kindOf(status: string): 'completed' | 'failed' | 'cancelled' | 'limitExceeded' | 'running' | 'paused' {
  switch (status) {
    case 'completed':
    case 'failed':
    case 'cancelled':
    case 'paused':
      return status;
    case 'limit_exceeded':
      return 'limitExceeded';
    default:
      return 'running';
  }
}
