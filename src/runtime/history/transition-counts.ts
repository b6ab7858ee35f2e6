import { TransitionRecorder } from '../../../machines/replay/index.ts';
import { type TransitionCounts, TransitionTally } from '../../../machines/views/transition-counts.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import { identityIn } from '../engine/loading/cached-execution.ts';
import type { WorkflowCache } from '../engine/loading/workflow-cache.ts';
import { corruptIfMismatch, replayStored } from '../log/replay-log.ts';
import type { ExecutionQueries } from '../queries/execution-queries.ts';
import type { Slice } from '../scheduling/time-slices.ts';
import { assertReplayable, endOf } from './at-sequence.ts';
import type { ReplayLimiter } from './replay-limiter.ts';

export interface TransitionCountsOptions {
  readonly store: ExecutionStore;
  readonly workflows: WorkflowCache;
  readonly executions: ExecutionQueries;
  readonly limiter: ReplayLimiter;
}

/** Counts how often an execution's machine took each transition, by replaying its log. Failures that a retry has undone are left out. */
export class TransitionCounter {
  readonly #options: TransitionCountsOptions;

  constructor(options: TransitionCountsOptions) {
    this.#options = options;
  }

  /** Up to the last step at or before the sequence `at`. Rejects with `redacted` for an execution whose log cannot be replayed any more. */
  count(tenantId: string, id: string, at: number): Promise<TransitionCounts> {
    return this.#options.limiter.run(tenantId, undefined, (slice) => this.#count(tenantId, id, at, slice));
  }

  async #count(tenantId: string, id: string, at: number, slice: Slice): Promise<TransitionCounts> {
    const { store, executions, workflows } = this.#options;
    const execution = await executions.find(tenantId, id);
    const { revision, labels } = identityIn(execution);
    const { program } = await workflows.load(tenantId, revision);
    assertReplayable(program, id, execution);
    const recorder = new TransitionRecorder(program);
    const log = { tenantId, executionId: id, labels, end: endOf(execution), from: 0, retriesUpTo: at };
    try {
      return await replayStored(store, recorder.program, log, slice, async ({ steps }) => {
        const tally = new TransitionTally();
        recorder.take();
        for await (const { run, firstEvent } of steps) {
          // The first step counts as a whole, since nothing was stored before its end.
          if (run.seq > at && firstEvent.sequence > 1) break;
          tally.add(recorder.take());
        }
        return tally.counts;
      });
    } catch (error) {
      throw corruptIfMismatch(id, error);
    }
  }
}
