import { charsUpTo } from '../../../../machines/json-size.ts';
import { LogMismatch, replayInSteps } from '../../../../machines/replay/index.ts';
import type { Run } from '../../../../machines/run.ts';
import { asksForDecision, isErased, save } from '../../../../machines/step/index.ts';
import type { Program } from '../../../../machines/step/program.ts';
import { DamagedEntryError } from '../../../../store/port/errors.ts';
import type { ExecutionStore } from '../../../../store/port/execution-store.ts';
import type { EventRow, ExecutionRow, StoredCheckpoint } from '../../../../store/port/executions.ts';
import { RuntimeError } from '../../errors.ts';
import { forkedFrom } from '../../fork-labels.ts';
import { runOf } from '../../log/checkpoints.ts';
import { inputIn, inputOf, readFirst, readShortLog, readTail, type TimedEvent } from '../../log/read-log.ts';
import { replayStored } from '../../log/replay-log.ts';
import type { Placement } from '../../placement.ts';
import type { Slice, TimeSlices } from '../../scheduling/time-slices.ts';
import { MIN_EVENTS_BETWEEN_KEPT } from '../commit/checkpoint.ts';
import { recordLoaded } from '../limits/execution-size.ts';
import { type CachedExecution, type Checkpoint, NO_CHECKPOINT } from './cached-execution.ts';
import type { CorruptExecutions } from './corrupt-executions.ts';
import type { ExecutionCache } from './execution-cache.ts';
import { type Failures, failuresAfter, failuresIn, NO_FAILURES } from './failures.ts';
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
  readonly placement: Pick<Placement, 'confirm'>;
}

/** Brings stored executions into memory: from their log, or from their last checkpoint and the log since. */
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
      const execution = await this.#restoreAsStored(row, await workflows.load(row.tenantId, row.revision));
      corrupt.clearUnloadable(row.id);
      return execution;
    } catch (error) {
      if (error instanceof RuntimeError && error.code === 'corrupt') corrupt.reportUnloadable(row.id, row.seq, error);
      throw error;
    }
  }

  /** The execution as this runtime knows it, or else as it is stored; null = unknown. */
  async current(id: string): Promise<CachedExecution | null> {
    const { store, cache } = this.#options;
    return (store.shared ? undefined : cache.get(id)) ?? this.stored(id);
  }

  /**
   * The execution as it is stored, from the cache if that has the stored sequence; null = unknown. It may be ahead of `current`: a
   * commit is stored before its reply arrives.
   */
  async stored(id: string): Promise<CachedExecution | null> {
    const { store, cache } = this.#options;
    const cached = cache.get(id);
    const row = await store.execution(id);
    if (row === null) return null;
    return cached !== undefined && cached.run.seq === row.seq ? cached : this.load(row);
  }

  /**
   * Reads again what has changed while it was read: a retry has replaced the checkpoint before its failures, or originals of the
   * log are erased, and a snapshot replaces them.
   */
  async #restoreAsStored(found: ExecutionRow, loaded: LoadedWorkflow): Promise<CachedExecution> {
    const { store } = this.#options;
    let row = found;
    for (let isFirst = true; ; isFirst = false) {
      try {
        return await corruptIfUnreadable(row.id, () => this.#restore(row, loaded));
      } catch (error) {
        if (!(error instanceof RuntimeError)) throw error;
        if (error.code === 'redacted' && isFirst) continue;
        if (error.code !== 'corrupt') throw error;
        const now = await readAgain(store, row.id);
        if (now.seq === row.seq) throw error;
        row = now;
      }
    }
  }

  async #restore(found: ExecutionRow, loaded: LoadedWorkflow): Promise<CachedExecution> {
    const { store, slices, corrupt, placement } = this.#options;
    const stored = await store.checkpoint(found.id);
    const row = stored !== null && stored.seq > found.seq ? await readAgain(store, found.id) : found;
    if (row.owner !== null) await placement.confirm(row.owner);
    if (stored?.seal === 'broken') corrupt.reportChangedSnapshot(row.id, stored.seq);
    // Loading for a step does not queue behind replays for clients.
    const slice = slices.slice(`${row.tenantId} load`);
    const usable = stored === null || stored.seal !== undefined ? null : stored;
    const { first, ...replayed } =
      (usable === null ? null : await this.#fromCheckpoint(row, loaded.program, usable, slice)) ??
      (await this.#fromStart(row, loaded.program, stored, slice));
    const { run, checkpoint } = replayed;
    recordLoaded(run, checkpoint.bytes, checkpoint.logBytes);
    const startedBy = await starterOf(store, row, first);
    const failures = replayed.failures ?? (await failuresIn(store, row.id, run));
    const { workflowId, workflowVersion, revision, labels, parentId, depth, createdAtMs } = row;
    const traceparent = traceparentOf(row, first);
    return {
      id: row.id,
      tenantId: row.tenantId,
      loaded,
      identity: { startedBy, traceparent, workflowId, workflowVersion, revision, labels, parentId, depth, createdAtMs },
      run,
      deadlineAtMs: row.deadlineAtMs,
      failures,
      asks: asksForDecision(run),
      error: row.error,
      checkpoint,
      owner: row.owner,
      updatedAtMs: row.updatedAtMs,
      completedAtMs: row.completedAtMs,
    };
  }

  /** From a checkpoint and the log since. Null when another version of the compiler wrote the checkpoint. */
  async #fromCheckpoint(row: ExecutionRow, program: Program, stored: StoredCheckpoint, slice: Slice): Promise<Restored | null> {
    const { store } = this.#options;
    const { id, tenantId } = row;
    // At the same time: the longer a load takes, the more often another runtime's commit makes it worthless.
    const [first, tail] = await Promise.all([
      readFirst(store, id),
      stored.seq === row.seq ? null : readTail(store, tenantId, id, stored.seq, row.seq, slice),
    ]);
    const input = isErased(stored.text) ? inputIn(first) : await inputOf(store, id, first);
    const from = await corruptIfThrows(id, () => runOf(program, stored, input));
    if (from === null) return null;
    const keptSeq = stored.seq < MIN_EVENTS_BETWEEN_KEPT ? 0 : ((await store.checkpoint(id, stored.seq - 1))?.seq ?? 0);
    const checkpoint = { seq: stored.seq, keptSeq, bytes: stored.text.length, logBytes: 0 };
    if (tail === null) return { first, run: from, failures: null, checkpoint };
    const run = await this.#replay(row, program, from, tail.events, slice);
    return { first, run, failures: null, checkpoint: { ...checkpoint, logBytes: tail.bytes } };
  }

  /** From the log alone, as most executions are. `unusable`: the stored checkpoint, which the next commit replaces. */
  async #fromStart(row: ExecutionRow, program: Program, unusable: StoredCheckpoint | null, slice: Slice): Promise<Restored> {
    const { store } = this.#options;
    const { id, tenantId, seq } = row;
    const checkpoint =
      unusable === null ? NO_CHECKPOINT : Object.assign({}, NO_CHECKPOINT, { seq: unusable.seq, isUnusable: true });
    const log = await readShortLog(store, tenantId, id, seq);
    const first = log?.rows[0];
    if (log !== null && first !== undefined) {
      const run = await this.#replay(row, program, null, log.events, slice);
      const failures = failuresAfter(NO_FAILURES, run, log.rows);
      const bytes = charsUpTo(first.data, Number.POSITIVE_INFINITY);
      return { first, run, failures, checkpoint: { ...checkpoint, bytes, logBytes: log.bytes - bytes } };
    }
    const run = await replayAll(store, program, row, slice);
    const bytes = save(run).length;
    const unfit = Object.assign({}, checkpoint, { bytes, isUnusable: true });
    return { first: await readFirst(store, id), run, failures: null, checkpoint: unfit };
  }

  #replay(row: ExecutionRow, program: Program, from: Run | null, events: readonly TimedEvent[], slice: Slice): Promise<Run> {
    const { slices, stepLimit, runtimeId } = this.#options;
    const env = { executionId: row.id, stepLimit, runtimeId };
    return corruptIfThrows(row.id, () => slices.drive(slice, replayInSteps(program, from, events, env)));
  }
}

/** The first event of a fork is that of its origin. */
function traceparentOf({ labels }: ExecutionRow, { data }: EventRow): string | null {
  const { traceparent } = data;
  return typeof traceparent === 'string' && forkedFrom(JSON.parse(labels)) === null ? traceparent : null;
}

/** A run that was read from the store. */
interface Restored {
  readonly first: EventRow;
  readonly run: Run;
  /** Null: not read yet. */
  readonly failures: Failures | null;
  readonly checkpoint: Checkpoint;
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
  { id, tenantId, labels, seq }: ExecutionRow,
  slice: Slice,
): Promise<Run> {
  const log = { tenantId, executionId: id, labels, end: seq, from: 0, retriesUpTo: seq };
  const run = await replayStored(store, program, log, slice, async ({ steps }) => {
    let last: Run | null = null;
    for await (const step of steps) last = step.run;
    return last;
  });
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
    const isDamaged = cause instanceof DamagedEntryError || cause instanceof SyntaxError || cause instanceof LogMismatch;
    throw isDamaged ? notReplayable(id, cause) : cause;
  }
}

/** The error for a log that cannot be replayed. */
export function notReplayable(id: string, cause: unknown): RuntimeError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new RuntimeError('corrupt', `the log of execution ${id} cannot be replayed: ${reason}`, { cause });
}
