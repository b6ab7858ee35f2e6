import type { Effect } from '../../../../machines/run.ts';
import type { RuntimeContext } from '../../context.ts';
import type { CachedExecution } from '../../engine/loading/cached-execution.ts';

/** Longest time to give up what a visit has begun elsewhere. */
const RELEASE_MS = 10_000;

/**
 * Gives up what in-process work has begun elsewhere once its visit has ended without a result: the task of a remote agent is cancelled. It
 * is tried once, by the runtime that commits the end.
 */
export class Releases {
  readonly #onError: RuntimeContext['onError'];
  readonly #pending = new Set<Promise<void>>();

  constructor(onError: RuntimeContext['onError']) {
    this.#onError = onError;
  }

  /** Resolves once nothing is in progress, which takes at most `graceMs`. */
  async idle(graceMs: number): Promise<void> {
    if (this.#pending.size === 0) return;
    await Promise.race([Promise.allSettled(this.#pending), new Promise((resolve) => setTimeout(resolve, graceMs).unref())]);
  }

  release({ id, tenantId, loaded }: CachedExecution, { node, progress, errorClass }: Effect & { type: 'release' }): void {
    const release = loaded.executorOf(node)?.release;
    if (release === undefined) return;
    const signal = AbortSignal.timeout(RELEASE_MS);
    const pending = release({ tenantId, executionId: id, nodeId: node, progress, errorClass, signal })
      .catch(this.#onError)
      .finally(() => this.#pending.delete(pending));
    this.#pending.add(pending);
  }
}
