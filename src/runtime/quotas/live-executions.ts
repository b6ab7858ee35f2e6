import { TERMINAL } from '../../../machines/run.ts';
import type { CachedExecution } from '../engine/loading/execution-cache.ts';

interface Count {
  live: number;
  /** Ids of executions that may begin and have not yet. */
  readonly admitted: Set<string>;
}

export interface LiveExecutionsOptions {
  /** Asks the store. */
  readonly count: (tenantId: string) => Promise<number>;
  /** Runs `work` when no commit is under way, and lets none begin before it is done. */
  readonly betweenCommits: (work: () => Promise<void>) => Promise<void>;
  /** There is room for more of the tenant, or may be. */
  readonly onFreed: (tenantId: string) => void;
}

/**
 * How many executions of a tenant are alive. Counted when a limit is first asked for, then kept by what is committed: as exact as the
 * store's own count, at the cost of a look-up.
 */
export class LiveExecutions {
  readonly #options: LiveExecutionsOptions;
  readonly #counts = new Map<string, Count>();
  readonly #counting = new Map<string, Promise<void>>();

  constructor(options: LiveExecutionsOptions) {
    this.#options = options;
  }

  /** Takes a place for an execution that begins, or lives again. Null = taken, until it does or `release` gives it back; else how many there are, when that is `max` or more. */
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

  /** Nothing happens when the execution has begun. */
  release(tenantId: string, executionId: string): void {
    if (this.#counts.get(tenantId)?.admitted.delete(executionId) === true) this.#options.onFreed(tenantId);
  }

  /** Told of every commit, in order. */
  committed(before: CachedExecution | null, now: CachedExecution): void {
    if (this.#counts.size === 0) return;
    const count = this.#counts.get(now.tenantId);
    if (count === undefined) return;
    const more = liveCount(now) - liveCount(before);
    if (before === null || more > 0) count.admitted.delete(now.id);
    count.live += more;
    if (more < 0) this.#options.onFreed(now.tenantId);
  }

  /** Told of what other runtimes commit. */
  committedElsewhere(tenantId: string, began: boolean, ended: boolean): void {
    const count = this.#counts.get(tenantId);
    if (count === undefined) return;
    count.live += Number(began) - Number(ended);
    if (ended) this.#options.onFreed(tenantId);
  }

  /** What others commit may have been missed. What cannot be counted now is counted when it is asked for. */
  recount(): void {
    for (const tenantId of this.#counts.keys()) void this.#recount(tenantId).catch(() => this.#counts.delete(tenantId));
  }

  /** The tenant has no limit any more. */
  forget(tenantId: string): void {
    this.#counts.delete(tenantId);
  }

  /** Between commits: one that the store has made and nobody was told of yet would count twice. */
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
