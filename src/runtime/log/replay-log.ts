import { type History, historyOf, LogMismatch, LogReplay } from '../../../machines/replay/index.ts';
import type { Run } from '../../../machines/run.ts';
import type { Program } from '../../../machines/step/program.ts';
import { DamagedEntryError } from '../../../store/port/errors.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { EventRow } from '../../../store/port/executions.ts';
import { RuntimeError } from '../errors.ts';
import { forkedFrom } from '../fork-labels.ts';
import type { Slice } from '../scheduling/time-slices.ts';
import { newestRunUpTo } from './checkpoints.ts';
import { offloadedReplayBytes, restorePayload } from './offloaded-payloads.ts';
import { eventOf, readLog, readPages, replayableOf, type TimedEvent } from './read-log.ts';

/** An execution after one step of its replayed log. */
export interface ReplayedStep {
  readonly run: Run;
  /** When the step was taken. */
  readonly atMs: number;
  /** The first event of the step. */
  readonly firstEvent: TimedEvent;
}

/** A part of an execution's stored log. */
export interface StoredLog {
  readonly tenantId: string;
  readonly executionId: string;
  /** JSON object text: the labels of a fork name its origin. */
  readonly labels: string;
  /** The end of the log. */
  readonly end: number;
  /** The replay may start from a checkpoint at or before this sequence; 0 = from the first event. */
  readonly from: number;
  /** Retries up to this sequence have reset failures. The replay ends before the next one. */
  readonly retriesUpTo: number;
}

/** A replay of a stored log. */
export interface StoredReplay {
  /** Before the first of the steps; null = they are all. */
  readonly start: Run | null;
  readonly history: History;
  readonly steps: AsyncIterable<ReplayedStep>;
}

/**
 * Replays a log and yields the run after every whole step. Holds no more of the log in memory than one step needs, and gives way to other
 * work between steps. Has no effects. `from`: the run that earlier events led to, with the same history. Throws `LogMismatch`, also when the
 * machine throws.
 */
export async function* replayLog(
  program: Program,
  executionId: string,
  events: AsyncIterable<TimedEvent> | Iterable<TimedEvent>,
  history: History,
  slice: Slice,
  from: Run | null = null,
): AsyncGenerator<ReplayedStep> {
  const replay = new LogReplay(program, { executionId, stepLimit: 0, runtimeId: '' }, history, from);
  for await (const event of withEndMarker(events)) {
    if (event !== null) replay.push(event);
    for (;;) {
      const turn = slice.next();
      if (turn !== null) await turn;
      const run = nextStep(replay, event === null);
      if (run === null) break;
      yield { run, atMs: replay.atMs, firstEvent: replay.first as TimedEvent };
    }
  }
}

/**
 * Replays a part of a log in the store, which `use` consumes. What a replay must know beforehand is in the log itself: the retries, which
 * reset earlier failures. Few logs have any, so `use` is called again, with their history, if the replay meets one. `known`: a run of this
 * log from which to start instead of a checkpoint; it is not used after a retry.
 */
export async function replayStored<T>(
  store: ExecutionStore,
  program: Program,
  log: StoredLog,
  slice: Slice,
  use: (replay: StoredReplay) => Promise<T>,
  known: Run | null = null,
): Promise<T> {
  const replayFrom = (start: Run | null, history: History): Promise<T> =>
    use({ start, history, steps: stepsOf(store, program, log, history, slice, start) });
  const start = known ?? (await newestRunUpTo(store, program, log.executionId, log.from));
  const forks = await readForks(store, log, start?.seq ?? 0);
  try {
    return await replayFrom(start, historyOf(forks));
  } catch (error) {
    if (!(error instanceof UnknownRetry)) throw error;
  }
  const from = known === null ? start : await newestRunUpTo(store, program, log.executionId, log.from);
  const retries = await readRetries(store, log, from?.seq ?? 0);
  return replayFrom(from, historyOf([...(await readForks(store, log, from?.seq ?? 0)), ...retries]));
}

/** The replay has come to a retry that its history lacks. */
class UnknownRetry extends Error {}

async function* stepsOf(
  store: ExecutionStore,
  program: Program,
  log: StoredLog,
  history: History,
  slice: Slice,
  start: Run | null,
): AsyncGenerator<ReplayedStep> {
  const replay = new LogReplay(program, { executionId: log.executionId, stepLimit: 0, runtimeId: '' }, history, start);
  for await (const rows of withEndMarker(pagesOf(store, log, history, start?.seq ?? 0))) {
    // After the last page, the steps of its last events are taken.
    for (const row of rows ?? [null]) {
      if (row !== null) {
        const event = replayableOf(row);
        const isOffloaded = offloadedReplayBytes(row.type, event.data) > 0;
        replay.push(isOffloaded ? { ...event, data: await restorePayload(store, log.tenantId, event.data) } : event);
      }
      for (;;) {
        const turn = slice.next();
        if (turn !== null) await turn;
        const run = nextStep(replay, row === null);
        if (run === null) break;
        yield { run, atMs: replay.atMs, firstEvent: replay.first as TimedEvent };
      }
    }
  }
}

async function* withEndMarker<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T | null> {
  yield* items;
  yield null;
}

function nextStep(replay: LogReplay, ended: boolean): Run | null {
  try {
    return replay.next(ended);
  } catch (cause) {
    if (cause instanceof LogMismatch) throw cause;
    throw new LogMismatch((replay.run?.seq ?? 0) + 1, cause instanceof Error ? cause.message : String(cause));
  }
}

/** Reads the log after a sequence. Throws `corrupt` if a sequence is missing. */
async function* pagesOf(
  store: ExecutionStore,
  { executionId, end, retriesUpTo }: StoredLog,
  { resets }: History,
  after: number,
): AsyncGenerator<readonly EventRow[]> {
  let seq = after;
  for await (const rows of readPages(store, executionId, { after, limit: end - after, original: true })) {
    for (const row of rows) {
      seq += 1;
      if (row.seq !== seq) throw new RuntimeError('corrupt', `execution ${executionId} lacks events between ${after} and ${end}`);
      if (row.type !== 'workflow_retried') continue;
      if (seq > retriesUpTo) {
        yield rows.slice(0, rows.indexOf(row));
        return;
      }
      if (!resets.ends.has(seq - 1)) throw new UnknownRetry();
    }
    yield rows;
  }
}

/** What a replay of a whole log up to a sequence must know beforehand. */
export async function readHistory(
  store: ExecutionStore,
  { executionId, labels }: Pick<StoredLog, 'executionId' | 'labels'>,
  upTo: number,
): Promise<History> {
  const forks = await readForks(store, { executionId, labels }, 0);
  return historyOf([...forks, ...(await readRetries(store, { executionId, retriesUpTo: upTo }, 0))]);
}

/** The forks after a sequence. A fork's log begins with events of its origin. */
async function readForks(
  store: ExecutionStore,
  { executionId, labels }: Pick<StoredLog, 'executionId' | 'labels'>,
  after: number,
): Promise<readonly TimedEvent[]> {
  const events: TimedEvent[] = [];
  // The last fork follows the last event of the origin.
  if ((forkedFrom(JSON.parse(labels))?.sequence ?? -1) < after) return events;
  for await (const row of readLog(store, executionId, { type: 'workflow_forked', after })) events.push(eventOf(row));
  return events;
}

async function readRetries(
  store: ExecutionStore,
  { executionId, retriesUpTo }: Pick<StoredLog, 'executionId' | 'retriesUpTo'>,
  after: number,
): Promise<readonly TimedEvent[]> {
  const events: TimedEvent[] = [];
  for await (const row of readLog(store, executionId, { type: 'workflow_retried', after })) {
    if (row.seq > retriesUpTo) break;
    events.push(eventOf(row));
  }
  return events;
}

/** Converts a `LogMismatch`, and the error for damaged events, to a `corrupt` error of the execution; other errors are returned unchanged. */
export function corruptIfMismatch(executionId: string, error: unknown): unknown {
  if (!(error instanceof LogMismatch || error instanceof DamagedEntryError)) return error;
  const message = `the log of execution ${executionId} cannot be replayed: ${error.message}`;
  return new RuntimeError('corrupt', message, { cause: error });
}
