import type { JsonObject } from '../../../machines/json.ts';
import type { Run } from '../../../machines/run.ts';
import { activeOf } from '../../../machines/step/index.ts';
import type { Program } from '../../../machines/step/program.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { ExecutionRow } from '../../../store/port/executions.ts';
import { type CachedExecution, identityIn } from '../engine/loading/cached-execution.ts';
import type { LoadedWorkflow, WorkflowCache } from '../engine/loading/workflow-cache.ts';
import { RuntimeError } from '../errors.ts';
import { corruptIfMismatch, type ReplayedStep, replayStored } from '../log/replay-log.ts';
import { type ExecutionQueries, executionNotFound } from '../queries/execution-queries.ts';
import { redactedInSlices } from '../redaction/in-slices.ts';
import { erasedError } from '../redaction/original-events.ts';
import { isToBeErased, shownRun } from '../redaction/shown-run.ts';
import type { Slice } from '../scheduling/time-slices.ts';
import type { ExecutionAtView, ReplayView } from '../types/history.ts';
import { compareWithReplay, storedCheckpoints } from './compare-with-replay.ts';
import type { ReplayLimiter } from './replay-limiter.ts';

export interface HistoryAtSequenceOptions {
  readonly store: ExecutionStore;
  readonly workflows: WorkflowCache;
  readonly executions: ExecutionQueries;
  readonly limiter: ReplayLimiter;
}

/** An execution as it was after the last step at or before a sequence. */
export interface ExecutionAtSequence {
  readonly execution: CachedExecution | ExecutionRow;
  readonly loaded: LoadedWorkflow;
  readonly run: Run;
  /** When the step was taken. */
  readonly atMs: number;
}

/** Reads executions as they were at an earlier sequence, by replaying their logs up to it from a checkpoint. */
export class HistoryAtSequence {
  readonly #options: HistoryAtSequenceOptions;

  constructor(options: HistoryAtSequenceOptions) {
    this.#options = options;
  }

  stateAt(tenantId: string, id: string, at: number, signal?: AbortSignal): Promise<ExecutionAtView> {
    return this.#options.limiter.run(tenantId, signal, async (slice) => {
      const { run, atMs, loaded } = await this.#executionAt(tenantId, id, at, slice);
      return {
        executionId: id,
        sequence: run.seq,
        requested: at,
        status: run.status,
        state: await shownState(slice, loaded.program, run),
        active: activeOf(loaded.program, run),
        createdAtMs: atMs,
      };
    });
  }

  /** The state after the step that logged an event. */
  stateAfterEvent(tenantId: string, id: string, sequence: number, signal?: AbortSignal): Promise<JsonObject> {
    return this.#options.limiter.run(tenantId, signal, async (slice) => {
      const { store, executions, workflows } = this.#options;
      const execution = await executions.find(tenantId, id);
      const end = endOf(execution);
      const { revision, labels } = identityIn(execution);
      const { program } = await workflows.load(tenantId, revision);
      assertReplayable(program, id, execution);
      if (sequence === end) return shownState(slice, program, (await executions.load(tenantId, id)).run);
      const log = { tenantId, executionId: id, labels, end, from: sequence, retriesUpTo: sequence };
      try {
        const run = await replayStored(store, program, log, slice, ({ start, steps }) => runReaching(sequence, start, steps));
        if (run !== null) return await shownState(slice, program, run);
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
      const checkpoints = await storedCheckpoints(store, id);
      const row = await store.tenant(tenantId).execution(id);
      if (row === null) throw executionNotFound(id);
      const { program } = await workflows.load(tenantId, row.revision);
      const redacted = isToBeErased(program, row.status);
      const mismatch = redacted ? null : await compareWithReplay(store, program, row, checkpoints, slice);
      return { executionId: id, events: row.seq, sequence: row.seq, redacted, mismatch };
    });
  }

  async #executionAt(tenantId: string, id: string, at: number, slice: Slice): Promise<ExecutionAtSequence> {
    const { executions, workflows } = this.#options;
    const execution = await executions.find(tenantId, id);
    const end = endOf(execution);
    if (!Number.isSafeInteger(at) || at < 1 || at > end)
      throw new RuntimeError('bad_request', `sequence ${at} is not in the log of execution ${id}, which goes from 1 to ${end}`);
    const loaded = await workflows.load(tenantId, identityIn(execution).revision);
    assertReplayable(loaded.program, id, execution);
    try {
      return { execution, loaded, ...(await this.#lastStepAt(execution, loaded, at, end, slice)) };
    } catch (error) {
      throw corruptIfMismatch(id, error);
    }
  }

  async #lastStepAt(
    execution: CachedExecution | ExecutionRow,
    { program }: LoadedWorkflow,
    at: number,
    end: number,
    slice: Slice,
  ): Promise<Pick<ExecutionAtSequence, 'run' | 'atMs'>> {
    const { store } = this.#options;
    const { tenantId, id } = execution;
    const { labels } = identityIn(execution);
    for (let limit = at; ; ) {
      const log = { tenantId, executionId: id, labels, end, from: limit, retriesUpTo: limit };
      const { start, reached, lastRetry } = await replayStored(store, program, log, slice, async ({ start, history, steps }) => {
        const reached = await lastStepUpTo(limit, start, steps);
        return { start, reached, lastRetry: Math.max(...history.resets.ends) + 1 };
      });
      const run = reached?.run ?? start;
      if (run === null) throw new RuntimeError('corrupt', `execution ${id} has no events`);
      // A retry resets failures only from its own step on. If the sequence lies within that step, replay again up to the step before it,
      // without the reset.
      if (lastRetry <= run.seq) return { run, atMs: reached?.atMs ?? (await this.#timeOf(id, run.seq)) };
      limit = lastRetry - 1;
    }
  }

  async #timeOf(id: string, sequence: number): Promise<number> {
    const [row] = (await this.#options.store.events(id, { after: sequence - 1, limit: 1 })).rows;
    if (row?.seq !== sequence) throw new RuntimeError('corrupt', `execution ${id} has no event ${sequence}`);
    return row.atMs;
  }
}

/** The last step at or before a sequence; the first step of the log also if it ends later. Null = none after the start. */
async function lastStepUpTo(limit: number, start: Run | null, steps: AsyncIterable<ReplayedStep>): Promise<ReplayedStep | null> {
  let reached: ReplayedStep | null = null;
  if (start?.seq === limit) return reached;
  for await (const step of steps) {
    if (step.run.seq <= limit || (start === null && reached === null)) reached = step;
    if (step.run.seq >= limit) break;
  }
  return reached;
}

/** The run after the first step that ends at or after a sequence. Null = the log ends before. */
async function runReaching(sequence: number, start: Run | null, steps: AsyncIterable<ReplayedStep>): Promise<Run | null> {
  if (start?.seq === sequence) return start;
  for await (const { run } of steps) if (run.seq >= sequence) return run;
  return null;
}

/** Throws `redacted` for an execution whose log cannot be replayed any more. */
export function assertReplayable(program: Program, id: string, execution: CachedExecution | ExecutionRow): void {
  const status = 'run' in execution ? execution.run.status : execution.status;
  if (isToBeErased(program, status)) throw erasedError(id);
}

/** The last sequence of an execution's log. */
export function endOf(execution: CachedExecution | ExecutionRow): number {
  return 'run' in execution ? execution.run.seq : execution.seq;
}

async function shownState(slice: Slice, program: Program, run: Run): Promise<JsonObject> {
  return (await redactedInSlices(slice, () => shownRun(program, run))).state;
}
