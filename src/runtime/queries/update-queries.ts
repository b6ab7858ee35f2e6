import { TERMINAL } from '../../../machines/run.ts';
import { isUpdatePending, nextForUpdates, updateHandlers } from '../../../machines/step/index.ts';
import type { RuntimeContext } from '../context.ts';
import type { CachedExecution } from '../engine/loading/cached-execution.ts';
import { RuntimeError } from '../errors.ts';
import { eventOf, readLog } from '../log/read-log.ts';
import type { CancelSignal } from '../types/cancel-signal.ts';
import type { UpdateOutcome } from '../types/executions.ts';
import type { ExecutionQueries } from './execution-queries.ts';
import type { WakeupSignal } from './wakeup-signal.ts';

/** The longest time a caller may wait. */
export const MAX_WAIT_MS = 60_000;
/** How long a notification of another member may be late or lost. */
const POLL_MS = 1_000;

export interface UpdateQueriesOptions extends Pick<RuntimeContext, 'store' | 'clock' | 'stopping'> {
  readonly executions: ExecutionQueries;
  readonly commits: WakeupSignal;
}

/** What comes of updates: only what is committed. */
export class UpdateQueries {
  readonly #options: UpdateQueriesOptions;

  constructor(options: UpdateQueriesOptions) {
    this.#options = options;
  }

  updateOutcome(
    tenantId: string,
    id: string,
    sequence: number,
    waitMs = MAX_WAIT_MS,
    signal?: CancelSignal,
  ): Promise<UpdateOutcome> {
    return this.#until<UpdateOutcome>(tenantId, id, this.endOfWait(waitMs), signal, async ({ run }, isOver) => {
      if (isUpdatePending(run, sequence)) return isOver() ? { status: 'accepted' } : null;
      const outcome = await this.#logged(id, sequence);
      if (outcome !== null) return outcome;
      const ended = TERMINAL.has(run.status) ? `execution ${id} is ${run.status}` : 'the function has ended';
      throw new RuntimeError('conflict', `${ended}: it has not handled the update`);
    });
  }

  /** Waits until a function takes the update, or none will by itself. False = neither has come about in time. */
  untilDecided(tenantId: string, id: string, name: string, untilMs: number, signal?: CancelSignal): Promise<boolean> {
    return this.#until(tenantId, id, untilMs, signal, async ({ run, loaded: { program } }, isOver) => {
      const isOpen = !TERMINAL.has(run.status) && !updateHandlers(run).has(name) && nextForUpdates(program, run) !== null;
      return isOpen ? (isOver() ? false : null) : true;
    });
  }

  /** When a wait that begins now is over, in milliseconds since 1970. */
  endOfWait(waitMs: number): number {
    return this.#options.clock.nowMs() + Math.min(waitMs, MAX_WAIT_MS);
  }

  /** Looks at the execution now, and again after each commit of it, until something is found. `isOver`: there is no time left for another look. */
  async #until<T>(
    tenantId: string,
    id: string,
    untilMs: number,
    signal: CancelSignal | undefined,
    look: (execution: CachedExecution, isOver: () => boolean) => Promise<T | null>,
  ): Promise<T> {
    const { clock, stopping, commits, executions, store } = this.#options;
    const isOver = (): boolean => stopping.aborted || signal?.aborted === true || clock.nowMs() >= untilMs;
    for (;;) {
      const next = commits.nextWakeup(id, signal);
      const trustMs = store.shared ? POLL_MS : Number.POSITIVE_INFINITY;
      const cancelTimeout = clock.after(Math.max(0, Math.min(untilMs - clock.nowMs(), trustMs)), next.stop);
      try {
        const found = await look(await executions.load(tenantId, id), isOver);
        if (found !== null) return found;
        await next.woken;
      } finally {
        cancelTimeout();
        next.stop();
      }
    }
  }

  async #logged(id: string, sequence: number): Promise<UpdateOutcome | null> {
    for await (const row of readLog(this.#options.store, id, { after: sequence, type: 'update_handled' })) {
      const { data } = eventOf(row);
      if (data.received !== sequence) continue;
      if (typeof data.error === 'string')
        return {
          status: 'failed',
          error: data.error,
          errorClass: typeof data.error_class === 'string' ? data.error_class : null,
        };
      return { status: 'completed', output: data.output ?? null };
    }
    return null;
  }
}
