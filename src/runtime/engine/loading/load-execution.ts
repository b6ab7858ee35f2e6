import type { LRUCache } from 'lru-cache';
import type { Program } from '../../../../machines/compile/index.ts';
import type { Json } from '../../../../machines/json.ts';
import { LogMismatch, replayInSteps } from '../../../../machines/replay/index.ts';
import type { Run } from '../../../../machines/run.ts';
import { load, SnapshotVersionMismatch } from '../../../../machines/step/index.ts';
import type { ExecutionStore } from '../../../../store/port/execution-store.ts';
import type { ExecutionRow } from '../../../../store/port/executions.ts';
import { RuntimeError } from '../../errors.ts';
import { readHistory, replayStoredLog } from '../../history/replay-log.ts';
import { inputIn, readFirst, readTail } from '../../log/read-log.ts';
import type { Slice, TimeSlices } from '../../scheduling/time-slices.ts';
import { recordLoaded } from '../limits/execution-size.ts';
import type { CorruptExecutions } from './corrupt-executions.ts';
import type { CachedExecution } from './execution-cache.ts';
import { failuresIn } from './failures.ts';
import { starterOf } from './starter.ts';
import type { LoadedWorkflow, WorkflowCache } from './workflow-cache.ts';

export interface LoadDeps {
  readonly store: ExecutionStore;
  readonly programs: WorkflowCache;
  readonly runtimeId: string;
  readonly stepLimit: number;
  readonly corrupt: CorruptExecutions;
  /** A long tail of a log is folded a part at a time. */
  readonly slices: TimeSlices;
  /** Makes sure that the owner is not taken for lost because nobody here has heard of him. */
  readonly confirmOwner: (owner: string) => Promise<void>;
}

/**
 * Brings a stored execution into memory, from its checkpoint and the log's tail. Throws `corrupt` when its log does not fold, or cannot be read:
 * whatever is asked of it again, the answer is the same.
 */
export async function loadExecution(options: LoadDeps, row: ExecutionRow): Promise<CachedExecution> {
  const { corrupt, programs } = options;
  const known = corrupt.knownError(row.id, row.seq);
  if (known !== null) throw known;
  try {
    const hot = await restore(options, row, await programs.load(row.tenantId, row.revision));
    corrupt.clearUnloadable(row.id);
    return hot;
  } catch (error) {
    if (error instanceof RuntimeError && error.code === 'corrupt') corrupt.reportUnloadable(row.id, row.seq, error);
    throw error;
  }
}

async function restore(options: LoadDeps, found: ExecutionRow, loaded: LoadedWorkflow): Promise<CachedExecution> {
  const { store, slices, runtimeId, stepLimit } = options;
  const first = await readFirst(store, found.id);
  const input = await corruptIfUnreadable(found.id, async () => inputIn(first));
  const stored = await store.checkpoint(found.id);
  const row = stored !== null && stored.seq > found.seq ? await readAgain(store, found.id) : found;
  if (row.owner !== null) await options.confirmOwner(row.owner);
  if (stored?.seal === 'broken') options.corrupt.reportChangedSnapshot(row.id, stored.seq);
  let run =
    stored === null || stored.seal !== undefined
      ? null
      : await corruptIfThrows(row.id, () => resume(loaded.program, stored, input));
  // The next commit replaces a checkpoint that could not be used.
  let logBytes = run === null ? (stored?.text.length ?? 0) : 0;
  // What is stepped does not wait in line with what is only looked at.
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
  // What the run tells itself is left out.
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

/**
 * Another runtime has committed since the row was read, and the checkpoint is newer: the row's owner, end and deadline would be those of an
 * earlier time. A row read after the checkpoint is at least as new.
 */
async function readAgain(store: ExecutionStore, id: string): Promise<ExecutionRow> {
  const row = await store.execution(id);
  if (row === null) throw new RuntimeError('not_found', `execution ${id}`);
  return row;
}

/** Replays the whole log, one step in memory at a time: it may be far larger than the state it leads to. */
async function replayAll(
  store: ExecutionStore,
  program: Program,
  { id, tenantId, seq }: ExecutionRow,
  slice: Slice,
): Promise<Run> {
  const history = await readHistory(store, id, seq);
  let run: Run | null = null;
  const log = { tenantId, executionId: id, upTo: seq };
  for await (const step of replayStoredLog(store, program, log, history, slice)) run = step.run;
  if (run?.seq !== seq) throw new RuntimeError('corrupt', `execution ${id} lacks events between ${run?.seq ?? 0} and ${seq}`);
  return run;
}

/** Whatever a replay throws, it throws again: it depends on nothing but what is stored. */
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

function notReplayable(id: string, cause: unknown): RuntimeError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new RuntimeError('corrupt', `the log of execution ${id} does not fold: ${why}`, { cause });
}

/** An execution as it is stored, from memory if that is what memory has; null = unknown. */
export async function currentExecution(
  hot: LRUCache<string, CachedExecution>,
  options: LoadDeps,
  id: string,
): Promise<CachedExecution | null> {
  const { store } = options;
  const known = hot.get(id);
  if (known !== undefined && !store.shared) return known;
  const row = await store.execution(id);
  if (row === null) return null;
  return known !== undefined && known.run.seq === row.seq ? known : loadExecution(options, row);
}

/** Null when another version of the compiler wrote the checkpoint: the log is the truth, and is folded from its start. */
function resume(program: Program, stored: { readonly text: string; readonly seq: number }, input: Json): Run | null {
  try {
    return load(program, stored.text, { seq: stored.seq, input });
  } catch (error) {
    if (error instanceof SnapshotVersionMismatch) return null;
    throw error;
  }
}
