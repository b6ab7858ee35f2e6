import type { Program } from '../../../machines/compile/index.ts';
import { type History, historyOf, LogMismatch, LogReplay } from '../../../machines/replay/index.ts';
import type { Run } from '../../../machines/run.ts';
import type { Store } from '../../../store/port/store.ts';
import { RuntimeError } from '../errors.ts';
import { offloadedReplayBytes, restorePayload } from '../log/offloaded-payloads.ts';
import { eventOf, readLog, replayableOf, type TimedEvent } from '../log/read-log.ts';
import type { Slice } from '../scheduling/time-slices.ts';

/** Where a log leads to. */
export interface ReplayedStep {
  readonly run: Run;
  /** When the step was taken. */
  readonly atMs: number;
  /** The event it began with. */
  readonly firstEvent: TimedEvent;
}

/**
 * The run after every whole step of a log that is read on the way: no more of it is kept in memory than one step needs, and others have
 * their turn. Nothing is asked of the world. `from`: the run that the log before these events, with the same history, led to. Throws
 * `LogMismatch`, also for what the machine cannot take at all.
 */
export async function* replaySteps(
  program: Program,
  executionId: string,
  events: AsyncIterable<TimedEvent>,
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

async function* withEndMarker<T>(items: AsyncIterable<T>): AsyncGenerator<T | null> {
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

/**
 * The log from its start, or from after a sequence, up to another, with the outputs that are kept apart. Throws `corrupt` at a gap in its
 * sequences.
 */
export async function* readReplayableLog(
  store: Store,
  tenantId: string,
  executionId: string,
  upTo: number,
  slice: Slice,
  after = 0,
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

/** What folding a log up to a sequence has to know beforehand; later forks count too, since they say whose the log was. */
export async function readHistory(store: Store, executionId: string, upTo: number): Promise<History> {
  const events: TimedEvent[] = [];
  for await (const row of readLog(store, executionId, { type: 'workflow_forked' })) events.push(eventOf(row));
  for await (const row of readLog(store, executionId, { type: 'workflow_retried' }))
    if (row.seq <= upTo) events.push(eventOf(row));
  return historyOf(events);
}
