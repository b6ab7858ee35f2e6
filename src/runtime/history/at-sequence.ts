import type { JsonObject } from '../../../machines/json.ts';
import { type History, LogMismatch } from '../../../machines/replay/index.ts';
import { activeOf, save, stateOf } from '../../../machines/step/index.ts';
import type { ExecutionRow } from '../../../store/port/rows.ts';
import type { Store } from '../../../store/port/store.ts';
import type { CachedExecution } from '../engine/loading/execution-cache.ts';
import type { LoadedWorkflow, WorkflowCache } from '../engine/loading/workflow-cache.ts';
import { RuntimeError } from '../errors.ts';
import type { Queries } from '../queries/queries.ts';
import type { Slice } from '../scheduling/time-slices.ts';
import type { ExecutionAtView, ReplayView } from '../types/history.ts';
import type { ReplayLimiter } from './replay-limiter.ts';
import { type ReplayedStep, readHistory, readReplayableLog, replaySteps } from './replay-log.ts';
import { headDifference, isFromThisCompiler } from './verify-replays.ts';

export interface HistoryAtSequenceOptions {
  readonly store: Store;
  readonly programs: WorkflowCache;
  readonly reads: Queries;
  readonly limiter: ReplayLimiter;
}

/** A point in the log of an execution. */
export interface ExecutionAtSequence extends ReplayedStep {
  readonly execution: CachedExecution | ExecutionRow;
  readonly loaded: LoadedWorkflow;
  readonly history: History;
}

/** Executions as they were: their logs folded again, as far as somebody wants to see. */
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
      const { store, reads, programs } = this.#options;
      const execution = await reads.find(tenantId, id);
      const end = 'run' in execution ? execution.run.seq : execution.seq;
      if (sequence === end) return stateOf((await reads.load(tenantId, id)).run);
      const { program } = await programs.load(tenantId, execution.revision);
      const history = await readHistory(store, id, sequence);
      try {
        for await (const { run } of replaySteps(program, id, readReplayableLog(store, tenantId, id, end, slice), history, slice))
          if (run.seq >= sequence) return stateOf(run);
      } catch (cause) {
        if (!(cause instanceof LogMismatch)) throw cause;
        throw new RuntimeError('corrupt', `the log of execution ${id} does not fold: ${cause.message}`, { cause });
      }
      throw new RuntimeError('corrupt', `execution ${id} has no event ${sequence}`);
    });
  }

  /**
   * The end of the last step at or before a sequence: what a runtime that stopped there had stored. Within the first step, the end of that,
   * since before it there is nothing.
   */
  executionAt(tenantId: string, id: string, at: number, signal?: AbortSignal): Promise<ExecutionAtSequence> {
    return this.#options.limiter.run(tenantId, signal, (slice) => this.#executionAt(tenantId, id, at, slice));
  }

  async #executionAt(tenantId: string, id: string, at: number, slice: Slice): Promise<ExecutionAtSequence> {
    const { reads, programs } = this.#options;
    const execution = await reads.find(tenantId, id);
    const end = 'run' in execution ? execution.run.seq : execution.seq;
    if (!Number.isSafeInteger(at) || at < 1 || at > end)
      throw new RuntimeError('bad_request', `sequence ${at} is not in the log of execution ${id}, which goes from 1 to ${end}`);
    const loaded = await programs.load(tenantId, execution.revision);
    try {
      return { execution, loaded, ...(await this.#lastStepAt(tenantId, id, loaded, at, end, slice)) };
    } catch (cause) {
      if (!(cause instanceof LogMismatch)) throw cause;
      throw new RuntimeError('corrupt', `the log of execution ${id} does not fold: ${cause.message}`, { cause });
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
    for (let limit = at; ; ) {
      const history = await readHistory(store, id, limit);
      let reached: ReplayedStep | null = null;
      for await (const step of replaySteps(program, id, readReplayableLog(store, tenantId, id, end, slice), history, slice)) {
        if (reached === null || step.run.seq <= limit) reached = step;
        if (step.run.seq >= limit) break;
      }
      if (reached === null) throw new RuntimeError('corrupt', `execution ${id} has no events`);
      // Within the step of a retry nothing was forgiven yet, and what comes before it is not to be folded as if it had been.
      const last = Math.max(...history.resets.ends) + 1;
      if (last <= reached.run.seq) return { ...reached, history };
      limit = last - 1;
    }
  }

  async replay(tenantId: string, id: string, signal?: AbortSignal): Promise<ReplayView> {
    // Whose it is not waits for nothing.
    await this.#options.reads.find(tenantId, id);
    return this.#options.limiter.run(tenantId, signal, (slice) => this.#replay(tenantId, id, slice));
  }

  async #replay(tenantId: string, id: string, slice: Slice): Promise<ReplayView> {
    const { store, programs } = this.#options;
    const stored = await store.checkpoint(id);
    const row = await store.tenant(tenantId).execution(id);
    if (row === null || stored === null) throw new RuntimeError('not_found', `execution ${id}`);
    const { program } = await programs.load(tenantId, row.revision);
    const history = await readHistory(store, id, row.seq);
    const view = { executionId: id, events: row.seq, sequence: row.seq };
    const differs = (sequence: number, problem: string): ReplayView => ({ ...view, mismatch: { sequence, problem } });
    try {
      let last: ReplayedStep | null = null;
      for await (last of replaySteps(program, id, readReplayableLog(store, tenantId, id, row.seq, slice), history, slice)) {
        const { run } = last;
        if (run.seq === stored.seq && isFromThisCompiler(program, stored, run) && save(run) !== stored.text)
          return differs(run.seq, `the snapshot stored at sequence ${run.seq} is not what the log folds to`);
      }
      if (last?.run.seq !== row.seq) return differs(last?.run.seq ?? 0, `the log ends before sequence ${row.seq}`);
      const difference = headDifference(row, last.run);
      return difference === null ? { ...view, mismatch: null } : differs(row.seq, difference);
    } catch (error) {
      if (error instanceof LogMismatch) return differs(error.sequence, error.message);
      if (error instanceof RuntimeError && error.code === 'corrupt') return differs(row.seq, error.message);
      throw error;
    }
  }
}
