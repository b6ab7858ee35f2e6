import { setImmediate } from 'node:timers/promises';
import { TERMINAL } from '../../../machines/run.ts';
import { saveErased } from '../../../machines/step/index.ts';
import type { Erasure, PendingErasure } from '../../../store/port/resources/erasures.ts';
import { CoalescedJob } from '../coalesced-job.ts';
import type { RuntimeContext } from '../context.ts';
import type { CorruptExecutions } from '../engine/loading/corrupt-executions.ts';
import type { ExecutionCache } from '../engine/loading/execution-cache.ts';
import type { ExecutionLoader } from '../engine/loading/execution-loader.ts';
import { RuntimeError } from '../errors.ts';
import { redactedInSlices } from '../redaction/in-slices.ts';
import { shownRun } from '../redaction/shown-run.ts';
import { DeadlineTimer } from '../timers/deadline-timer.ts';

const PAGE_SIZE = 50;
/** What could not be erased, because a parent had not read its child's result, is tried again after this time. */
const RETRY_MS = 5_000;

export interface EraserOptions extends Pick<RuntimeContext, 'store' | 'clock' | 'slices' | 'events' | 'stopping' | 'onError'> {
  readonly cache: ExecutionCache;
  readonly loader: ExecutionLoader;
  readonly corrupt: CorruptExecutions;
}

/**
 * Erases the personal data of executions with a data policy when they have ended: at once, and what was left: when the runtime
 * starts, and when commits may have been missed. Several runtimes may erase the same execution.
 */
export class Eraser {
  readonly #options: EraserOptions;
  readonly #job: CoalescedJob;
  readonly #retry: DeadlineTimer;

  constructor(options: EraserOptions) {
    this.#options = options;
    const { clock, events, stopping } = options;
    this.#job = new CoalescedJob(options, () => this.#eraseAll());
    this.#retry = new DeadlineTimer(clock, () => this.request());
    stopping.addEventListener('abort', () => this.#retry.stop(), { once: true });
    // The commit that ended an execution may have been applied, although its answer was lost.
    events.on('commitUncertain', () => this.request());
    events.on('resync', () => this.request());
    events.on('membershipRefreshed', ({ gone }) => {
      if (gone.length > 0) this.request();
    });
  }

  /** Erases what is to be erased by now. */
  request(): void {
    this.#job.request();
  }

  /** Resolves when nothing is being erased. What is left is found at the next start. */
  close(): Promise<void> {
    return this.#job.close();
  }

  async #eraseAll(): Promise<void> {
    const { store, stopping, clock } = this.#options;
    let isAnyNeeded = false;
    for (let after = ''; !stopping.aborted; ) {
      const page = await store.erasures.pending({ after, limit: PAGE_SIZE });
      if (await this.#erase(page)) isAnyNeeded = true;
      if (page.length < PAGE_SIZE) break;
      after = page.at(-1)?.executionId ?? after;
    }
    if (isAnyNeeded) this.#retry.scheduleAt(clock.nowMs() + RETRY_MS);
  }

  /** Returns whether some of them are still needed. */
  async #erase(page: readonly PendingErasure[]): Promise<boolean> {
    const { store, cache, corrupt, clock, stopping } = this.#options;
    let left: Erasure[] = [];
    let isAnyNeeded = false;
    for (const pending of page) {
      if (stopping.aborted) return false;
      const remains = await this.#remainsOf(pending.executionId);
      if (remains === 'not yet') isAnyNeeded = true;
      else if (remains !== null) left.push({ ...pending, ...remains, atMs: clock.nowMs() });
    }
    while (left.length > 0 && !stopping.aborted) {
      await setImmediate();
      const results = await store.erasures.erase(left);
      for (const [i, { executionId }] of left.entries()) {
        if (results[i] === 'needed') isAnyNeeded = true;
        if (results[i] !== 'done') continue;
        // From here on the execution is read as it is stored.
        cache.delete(executionId);
        corrupt.clearUnloadable(executionId);
      }
      left = left.filter((_, i) => results[i] === 'more');
    }
    return isAnyNeeded;
  }

  /**
   * What is kept; null = the execution has been removed. `not yet`: the reply to the commit that ended it is on its way. A log that cannot be
   * replayed is erased as well: its outcome remains.
   */
  async #remainsOf(executionId: string): Promise<{ readonly seq: number; readonly snapshot: string } | 'not yet' | null> {
    const { store, loader, slices, onError } = this.#options;
    try {
      const execution = await loader.current(executionId);
      if (execution === null) return null;
      const { run, loaded, error } = execution;
      if (!TERMINAL.has(run.status)) return 'not yet';
      const slice = slices.slice(execution.tenantId);
      // A state may be large: to load, to write and to store it are turns of the event loop of their own, as was the commit of the end.
      await setImmediate();
      const { state } = await redactedInSlices(slice, () => shownRun(loaded.program, run));
      await setImmediate();
      return { seq: run.seq, snapshot: saveErased(run, error, state) };
    } catch (error) {
      if (!(error instanceof RuntimeError && (error.code === 'corrupt' || error.code === 'redacted'))) throw error;
      onError(error);
      const row = await store.execution(executionId);
      if (row === null) return null;
      const { seq, status, steps } = row;
      return { seq, snapshot: saveErased({ status, steps }, row.error, {}) };
    }
  }
}
