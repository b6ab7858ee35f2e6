import { TERMINAL } from '../../../machines/run.ts';
import { isUpdatePending } from '../../../machines/step/index.ts';
import type { RuntimeContext } from '../context.ts';
import { RuntimeError } from '../errors.ts';
import { eventOf, readLog } from '../log/read-log.ts';
import type { CancelSignal } from '../types/cancel-signal.ts';
import type { UpdateOutcome } from '../types/executions.ts';
import type { ExecutionQueries } from './execution-queries.ts';
import type { WakeupSignal } from './wakeup-signal.ts';

/** The longest time a caller may wait. */
const MAX_WAIT_MS = 60_000;
/** How long a notification of another member may be late or lost. */
const POLL_MS = 1_000;

export interface UpdateQueriesOptions extends Pick<RuntimeContext, 'store' | 'clock' | 'stopping'> {
  readonly executions: ExecutionQueries;
  readonly commits: WakeupSignal;
}

/** What has come of updates: only what is committed. */
export class UpdateQueries {
  readonly #options: UpdateQueriesOptions;

  constructor(options: UpdateQueriesOptions) {
    this.#options = options;
  }

  async updateOutcome(
    tenantId: string,
    id: string,
    sequence: number,
    waitMs = MAX_WAIT_MS,
    signal?: CancelSignal,
  ): Promise<UpdateOutcome> {
    const { clock, stopping, commits, executions, store } = this.#options;
    const untilMs = clock.nowMs() + Math.min(waitMs, MAX_WAIT_MS);
    const isOver = (): boolean => stopping.aborted || signal?.aborted === true || clock.nowMs() >= untilMs;
    for (;;) {
      const next = commits.nextWakeup(id, signal);
      const trustMs = store.shared ? POLL_MS : Number.POSITIVE_INFINITY;
      const cancelTimeout = clock.after(Math.max(0, Math.min(untilMs - clock.nowMs(), trustMs)), next.stop);
      try {
        const { run } = await executions.load(tenantId, id);
        if (!isUpdatePending(run, sequence)) {
          const outcome = await this.#logged(id, sequence);
          if (outcome !== null) return outcome;
          const ended = TERMINAL.has(run.status) ? `execution ${id} is ${run.status}` : 'the function has ended';
          throw new RuntimeError('conflict', `${ended}: it has not handled the update`);
        }
        if (isOver()) return { status: 'accepted' };
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
