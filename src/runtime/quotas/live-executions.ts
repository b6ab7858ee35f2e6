import { TERMINAL } from '../../../machines/run.ts';
import type { CachedExecution } from '../engine/loading/cached-execution.ts';

interface Count {
  live: number;
  /** Ids of executions that were admitted and are not committed yet. */
  readonly admitted: Set<string>;
}

export interface LiveExecutionsOptions {
  /** Reads the number of live executions from the store. */
  readonly count: (tenantId: string) => Promise<number>;
  /** Runs `work` while no commit is in flight; commits wait until it has ended. */
  readonly betweenCommits: (work: () => Promise<void>) => Promise<void>;
  /** Called when the tenant may have capacity for another execution. */
  readonly onFreed: (tenantId: string) => void;
}

/**
 * Number of live executions per tenant. Counted in the store when a limit is first checked, then maintained from every commit, so that a
 * check is a look-up and yet exact.
 */
export class LiveExecutions {
  readonly #options: LiveExecutionsOptions;
  readonly #counts = new Map<string, Count>();
  readonly #counting = new Map<string, Promise<void>>();

  constructor(options: LiveExecutionsOptions) {
    this.#options = options;
  }

  /**
   * Reserves capacity for an execution that starts or is retried, until it is committed or `release` is called. Returns null when reserved,
   * else the number of live executions, which is `max` or more.
   */
  async admit(tenantId: string, executionId: string, max: number): Promise<number | null> {
    let count = this.#counts.get(tenantId);
    while (count === undefined) {
      await this.#recount(tenantId);
      count = this.#counts.get(tenantId);
    }
    const taken = count.live + count.admitted.size;
    if (taken >= max) return taken;
    count.admitted.add(executionId);
    return null;
  }

  /** Does nothing once the execution has been committed. */
  release(tenantId: string, executionId: string): void {
    if (this.#counts.get(tenantId)?.admitted.delete(executionId) === true) this.#options.onFreed(tenantId);
  }

  /** Must be called for every commit, in order. */
  committed(before: CachedExecution | null, now: CachedExecution): void {
    if (this.#counts.size === 0) return;
    const count = this.#counts.get(now.tenantId);
    if (count === undefined) return;
    const more = liveCount(now) - liveCount(before);
    if (before === null || more > 0) count.admitted.delete(now.id);
    count.live += more;
    if (more < 0) this.#options.onFreed(now.tenantId);
  }

  /** Must be called for commits of other runtimes. */
  committedElsewhere(tenantId: string, began: boolean, ended: boolean): void {
    const count = this.#counts.get(tenantId);
    if (count === undefined) return;
    count.live += Number(began) - Number(ended);
    if (ended) this.#options.onFreed(tenantId);
  }

  /** Counts again after notifications of other runtimes may have been lost. A failed count is repeated by the next `admit`. */
  recount(): void {
    for (const tenantId of this.#counts.keys()) void this.#recount(tenantId).catch(() => this.#counts.delete(tenantId));
  }

  /** Stops counting a tenant that has no limit. */
  forget(tenantId: string): void {
    this.#counts.delete(tenantId);
  }

  /** Runs between commits: a commit that the store has made but `committed` has not seen would count twice. */
  #recount(tenantId: string): Promise<void> {
    const counting =
      this.#counting.get(tenantId) ??
      this.#options
        .betweenCommits(async () => {
          const live = await this.#options.count(tenantId);
          this.#counts.set(tenantId, { live, admitted: this.#counts.get(tenantId)?.admitted ?? new Set() });
          this.#options.onFreed(tenantId);
        })
        .finally(() => this.#counting.delete(tenantId));
    this.#counting.set(tenantId, counting);
    return counting;
  }
}

function liveCount(execution: CachedExecution | null): number {
  return execution !== null && !TERMINAL.has(execution.run.status) ? 1 : 0;
}
