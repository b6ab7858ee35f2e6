import type { Json } from '../../../../machines/json.ts';
import { LogMismatch, replayInSteps } from '../../../../machines/replay/index.ts';
import type { Run } from '../../../../machines/run.ts';
import { load, SnapshotVersionMismatch } from '../../../../machines/step/index.ts';
import type { Program } from '../../../../machines/step/program.ts';
import type { ExecutionStore } from '../../../../store/port/execution-store.ts';
import type { ExecutionRow } from '../../../../store/port/executions.ts';
import { RuntimeError } from '../../errors.ts';
import { inputIn, readFirst, readTail } from '../../log/read-log.ts';
import { readHistory, replayStoredLog } from '../../log/replay-log.ts';
import type { Slice, TimeSlices } from '../../scheduling/time-slices.ts';
import { recordLoaded } from '../limits/execution-size.ts';
import type { CachedExecution } from './cached-execution.ts';
import type { CorruptExecutions } from './corrupt-executions.ts';
import type { ExecutionCache } from './execution-cache.ts';
import { failuresIn } from './failures.ts';
import { starterOf } from './starter.ts';
import type { LoadedWorkflow, WorkflowCache } from './workflow-cache.ts';

export interface ExecutionLoaderOptions {
  readonly store: ExecutionStore;
  readonly cache: ExecutionCache;
  readonly workflows: WorkflowCache;
  readonly runtimeId: string;
  readonly stepLimit: number;
  readonly corrupt: CorruptExecutions;
  /** A long tail of a log is replayed in parts. */
  readonly slices: TimeSlices;
  /** Makes sure that the owner is not taken for lost because it was started a moment ago. */
  readonly confirmOwner: (owner: string) => Promise<void>;
}

/** Brings stored executions into memory, from their checkpoint and the tail of their log. */
export class ExecutionLoader {
  readonly #options: ExecutionLoaderOptions;

  constructor(options: ExecutionLoaderOptions) {
    this.#options = options;
  }

  /** Throws `corrupt` when the log cannot be read or replayed; the same error is thrown again for some time. */
  async load(row: ExecutionRow): Promise<CachedExecution> {
    const { corrupt, workflows } = this.#options;
    const known = corrupt.knownError(row.id, row.seq);
    if (known !== null) throw known;
    try {
      const execution = await this.#restore(row, await workflows.load(row.tenantId, row.revision));
      corrupt.clearUnloadable(row.id);
      return execution;
    } catch (error) {
      if (error instanceof RuntimeError && error.code === 'corrupt') corrupt.reportUnloadable(row.id, row.seq, error);
      throw error;
    }
  }

  /** The execution as it is stored, from the cache if that has the stored sequence; null = unknown. */
  async current(id: string): Promise<CachedExecution | null> {
    const { store, cache } = this.#options;
    const cached = cache.get(id);
    if (cached !== undefined && !store.shared) return cached;
    const row = await store.execution(id);
    if (row === null) return null;
    return cached !== undefined && cached.run.seq === row.seq ? cached : this.load(row);
  }

  async #restore(found: ExecutionRow, loaded: LoadedWorkflow): Promise<CachedExecution> {
    const { store, slices, runtimeId, stepLimit, corrupt, confirmOwner } = this.#options;
    const first = await readFirst(store, found.id);
    const input = await corruptIfUnreadable(found.id, async () => inputIn(first));
    const stored = await store.checkpoint(found.id);
    const row = stored !== null && stored.seq > found.seq ? await readAgain(store, found.id) : found;
    if (row.owner !== null) await confirmOwner(row.owner);
    if (stored?.seal === 'broken') corrupt.reportChangedSnapshot(row.id, stored.seq);
    let run =
      stored === null || stored.seal !== undefined
        ? null
        : await corruptIfThrows(row.id, () => resume(loaded.program, stored, input));
    // The next commit replaces a checkpoint that could not be used.
    let logBytes = run === null ? (stored?.text.length ?? 0) : 0;
    // Loading for a step does not queue behind replays for clients.
    const slice = slices.slice(`${row.tenantId} load`);
    if (run === null) run = await corruptIfUnreadable(row.id, () => replayAll(store, loaded.program, row, slice));
    else if (run.seq < row.seq) {
      const from = run;
      const tail = await corruptIfUnreadable(row.id, () => readTail(store, row.tenantId, row.id, from.seq, row.seq, slice));
      logBytes = tail.bytes;
      const env = { executionId: row.id, stepLimit, runtimeId };
      run = await corruptIfThrows(row.id, () => slices.drive(slice, replayInSteps(loaded.program, from, tail.events, env)));
    }
    recordLoaded(run, stored?.text.length ?? 0, logBytes);
    const startedBy = await starterOf(store, row, first);
    const failures = await failuresIn(store, row.id, run);
    // The run itself has these.
    const { status, seq, steps, localWork, snapshotSeq, ...head } = row;
    return {
      ...head,
      loaded,
      run,
      startedBy,
      failures,
      checkpoint: { seq: stored?.seq ?? 0, bytes: stored?.text.length ?? 0, logBytes },
    };
  }
}

/**
 * Another runtime has committed since the row was read, and the checkpoint is newer: the owner, end and deadline of the row are
 * outdated. A row read after the checkpoint is at least as new.
 */
async function readAgain(store: ExecutionStore, id: string): Promise<ExecutionRow> {
  const row = await store.execution(id);
  if (row === null) throw new RuntimeError('not_found', `execution ${id} not found`);
  return row;
}

/** Replays the whole log with one step in memory at a time: the log may be far larger than the state it leads to. */
async function replayAll(
  store: ExecutionStore,
  program: Program,
  { id, tenantId, seq }: ExecutionRow,
  slice: Slice,
): Promise<Run> {
  const history = await readHistory(store, id, seq);
  const log = { tenantId, executionId: id, upTo: seq };
  let run: Run | null = null;
  for await (const step of replayStoredLog(store, program, log, history, slice)) run = step.run;
  if (run?.seq !== seq) throw new RuntimeError('corrupt', `execution ${id} lacks events between ${run?.seq ?? 0} and ${seq}`);
  return run;
}

/** A replay depends on stored data only, so whatever it throws it would throw again. */
async function corruptIfThrows<T>(id: string, replay: () => T | Promise<T>): Promise<T> {
  try {
    return await replay();
  } catch (cause) {
    throw notReplayable(id, cause);
  }
}

async function corruptIfUnreadable<T>(id: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw cause instanceof SyntaxError || cause instanceof LogMismatch ? notReplayable(id, cause) : cause;
  }
}

/** The error for a log that cannot be replayed. */
export function notReplayable(id: string, cause: unknown): RuntimeError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new RuntimeError('corrupt', `the log of execution ${id} cannot be replayed: ${reason}`, { cause });
}

/** Null when another version of the compiler wrote the checkpoint: the whole log is replayed instead. */
function resume(program: Program, stored: { readonly text: string; readonly seq: number }, input: Json): Run | null {
  try {
    return load(program, stored.text, { seq: stored.seq, input });
  } catch (error) {
    if (error instanceof SnapshotVersionMismatch) return null;
    throw error;
  }
}
