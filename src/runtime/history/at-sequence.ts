import type { JsonObject } from '../../../machines/json.ts';
import type { History } from '../../../machines/replay/index.ts';
import { activeOf, stateOf } from '../../../machines/step/index.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { ExecutionRow } from '../../../store/port/executions.ts';
import type { CachedExecution } from '../engine/loading/cached-execution.ts';
import type { LoadedWorkflow, WorkflowCache } from '../engine/loading/workflow-cache.ts';
import { RuntimeError } from '../errors.ts';
import { corruptIfMismatch, type ReplayedStep, readHistory, replayStoredLog } from '../log/replay-log.ts';
import { type ExecutionQueries, executionNotFound } from '../queries/execution-queries.ts';
import type { Slice } from '../scheduling/time-slices.ts';
import type { ExecutionAtView, ReplayView } from '../types/history.ts';
import { compareWithReplay } from './compare-with-replay.ts';
import type { ReplayLimiter } from './replay-limiter.ts';

export interface HistoryAtSequenceOptions {
  readonly store: ExecutionStore;
  readonly workflows: WorkflowCache;
  readonly executions: ExecutionQueries;
  readonly limiter: ReplayLimiter;
}

/** An execution as it was after the last step at or before a sequence. */
export interface ExecutionAtSequence extends ReplayedStep {
  readonly execution: CachedExecution | ExecutionRow;
  readonly loaded: LoadedWorkflow;
  readonly history: History;
}

/** Reads executions as they were at an earlier sequence, by replaying their logs up to it. */
export class HistoryAtSequence {
  readonly #options: HistoryAtSequenceOptions;

  constructor(options: HistoryAtSequenceOptions) {
    this.#options = options;
  }

  async stateAt(tenantId: string, id: string, at: number, signal?: AbortSignal): Promise<ExecutionAtView> {
    const { run, atMs, loaded } = await this.executionAt(tenantId, id, at, signal);
    return {
      executionId: id,
      sequence: run.seq,
      requested: at,
      status: run.status,
      state: stateOf(run),
      active: activeOf(loaded.program, run),
      createdAtMs: atMs,
    };
  }

  /** The state after the step that logged an event. */
  stateAfterEvent(tenantId: string, id: string, sequence: number, signal?: AbortSignal): Promise<JsonObject> {
    return this.#options.limiter.run(tenantId, signal, async (slice) => {
      const { store, executions, workflows } = this.#options;
      const execution = await executions.find(tenantId, id);
      const end = endOf(execution);
      if (sequence === end) return stateOf((await executions.load(tenantId, id)).run);
      const { program } = await workflows.load(tenantId, execution.revision);
      const history = await readHistory(store, id, sequence);
      const log = { tenantId, executionId: id, upTo: end };
      try {
        for await (const { run } of replayStoredLog(store, program, log, history, slice))
          if (run.seq >= sequence) return stateOf(run);
      } catch (error) {
        throw corruptIfMismatch(id, error);
      }
      throw new RuntimeError('corrupt', `execution ${id} has no event ${sequence}`);
    });
  }

  /**
   * The execution after the last step at or before a sequence, which is what a runtime that stopped there had stored. A sequence within the
   * first step gives the end of that step, since nothing was stored before. Throws `bad_request` for a sequence that is not in the log.
   */
  executionAt(tenantId: string, id: string, at: number, signal?: AbortSignal): Promise<ExecutionAtSequence> {
    return this.#options.limiter.run(tenantId, signal, (slice) => this.#executionAt(tenantId, id, at, slice));
  }

  /** Replays the whole log and compares the result with what is stored. */
  async replay(tenantId: string, id: string, signal?: AbortSignal): Promise<ReplayView> {
    // Rejects with `not_found` before waiting in the queue.
    await this.#options.executions.find(tenantId, id);
    return this.#options.limiter.run(tenantId, signal, async (slice) => {
      const { store, workflows } = this.#options;
      const checkpoint = await store.checkpoint(id);
      const row = await store.tenant(tenantId).execution(id);
      if (row === null) throw executionNotFound(id);
      const mismatch = await compareWithReplay(store, workflows, row, checkpoint, slice);
      return { executionId: id, events: row.seq, sequence: row.seq, mismatch };
    });
  }

  async #executionAt(tenantId: string, id: string, at: number, slice: Slice): Promise<ExecutionAtSequence> {
    const { executions, workflows } = this.#options;
    const execution = await executions.find(tenantId, id);
    const end = endOf(execution);
    if (!Number.isSafeInteger(at) || at < 1 || at > end)
      throw new RuntimeError('bad_request', `sequence ${at} is not in the log of execution ${id}, which goes from 1 to ${end}`);
    const loaded = await workflows.load(tenantId, execution.revision);
    try {
      return { execution, loaded, ...(await this.#lastStepAt(tenantId, id, loaded, at, end, slice)) };
    } catch (error) {
      throw corruptIfMismatch(id, error);
    }
  }

  async #lastStepAt(
    tenantId: string,
    id: string,
    { program }: LoadedWorkflow,
    at: number,
    end: number,
    slice: Slice,
  ): Promise<ReplayedStep & Pick<ExecutionAtSequence, 'history'>> {
    const { store } = this.#options;
    const log = { tenantId, executionId: id, upTo: end };
    for (let limit = at; ; ) {
      const history = await readHistory(store, id, limit);
      let reached: ReplayedStep | null = null;
      for await (const step of replayStoredLog(store, program, log, history, slice)) {
        if (reached === null || step.run.seq <= limit) reached = step;
        if (step.run.seq >= limit) break;
      }
      if (reached === null) throw new RuntimeError('corrupt', `execution ${id} has no events`);
      // A retry resets failures only from its own step on. If the sequence lies within that step, replay again up to the step before it,
      // without the reset.
      const lastRetry = Math.max(...history.resets.ends) + 1;
      if (lastRetry <= reached.run.seq) return { ...reached, history };
      limit = lastRetry - 1;
    }
  }
}

/** The last sequence of an execution's log. */
function endOf(execution: CachedExecution | ExecutionRow): number {
  return 'run' in execution ? execution.run.seq : execution.seq;
}
