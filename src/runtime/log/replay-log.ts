import { type History, historyOf, LogMismatch, LogReplay } from '../../../machines/replay/index.ts';
import type { Run } from '../../../machines/run.ts';
import type { Program } from '../../../machines/step/program.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import { RuntimeError } from '../errors.ts';
import type { Slice } from '../scheduling/time-slices.ts';
import { offloadedReplayBytes, restorePayload } from './offloaded-payloads.ts';
import { eventOf, readLog, replayableOf, type TimedEvent } from './read-log.ts';

/** An execution after one step of its replayed log. */
export interface ReplayedStep {
  readonly run: Run;
  /** When the step was taken. */
  readonly atMs: number;
  /** The first event of the step. */
  readonly firstEvent: TimedEvent;
}

/** A part of an execution's stored log: the events after `after` (default 0) up to and including `upTo`. */
export interface StoredLog {
  readonly tenantId: string;
  readonly executionId: string;
  readonly upTo: number;
  readonly after?: number;
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

/** Like `replayLog`, for a log in the store. */
export function replayStoredLog(
  store: ExecutionStore,
  program: Program,
  log: StoredLog,
  history: History,
  slice: Slice,
  from: Run | null = null,
): AsyncGenerator<ReplayedStep> {
  return replayLog(program, log.executionId, readReplayableLog(store, log, slice), history, slice, from);
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

/** Reads a log with its offloaded outputs. Throws `corrupt` if a sequence is missing. */
export async function* readReplayableLog(
  store: ExecutionStore,
  { tenantId, executionId, upTo, after = 0 }: StoredLog,
  slice: Slice,
): AsyncGenerator<TimedEvent> {
  let seq = after;
  for await (const row of readLog(store, executionId, { after, limit: upTo - after }, slice)) {
    seq += 1;
    if (row.seq !== seq) throw new RuntimeError('corrupt', `execution ${executionId} lacks events between ${after} and ${upTo}`);
    const event = replayableOf(row);
    yield offloadedReplayBytes(row.type, event.data) === 0
      ? event
      : { ...event, data: await restorePayload(store, tenantId, event.data) };
  }
}

/**
 * Reads what a replay up to a sequence must know beforehand: the retries up to it, and all forks, since a fork's log begins with events of
 * its origin.
 */
export async function readHistory(store: ExecutionStore, executionId: string, upTo: number): Promise<History> {
  const events: TimedEvent[] = [];
  for await (const row of readLog(store, executionId, { type: 'workflow_forked' })) events.push(eventOf(row));
  for await (const row of readLog(store, executionId, { type: 'workflow_retried' }))
    if (row.seq <= upTo) events.push(eventOf(row));
  return historyOf(events);
}

/** Converts a `LogMismatch` to a `corrupt` error of the execution; other errors are returned unchanged. */
export function corruptIfMismatch(executionId: string, error: unknown): unknown {
  if (!(error instanceof LogMismatch)) return error;
  const message = `the log of execution ${executionId} cannot be replayed: ${error.message}`;
  return new RuntimeError('corrupt', message, { cause: error });
}
