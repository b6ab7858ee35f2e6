import { setImmediate } from 'node:timers/promises';
import type { Program } from '../../../machines/compile.ts';
import { type History, historyOf, LogMismatch, Replay } from '../../../machines/fold.ts';
import type { Run } from '../../../machines/run.ts';
import type { Store } from '../../../store/store.ts';
import { eventOf, readLog, type TimedEvent } from '../log.ts';
import { restored, spilledBytes } from '../spill.ts';

/** Steps folded between two turns of the event loop. */
const STEPS_PER_TURN = 50;

/** Where a log leads to. */
export interface Point {
  readonly run: Run;
  /** When the step was taken. */
  readonly atMs: number;
  /** The event it began with. */
  readonly first: TimedEvent;
}

/**
 * The run after every whole step of a log that is read on the way: no more of it is kept in memory than one step needs, and others have
 * their turn. Nothing is asked of the world. `from`: the run that the log before these events, with the same history, led to. Throws
 * `LogMismatch`, also for what the machine cannot take at all.
 */
export async function* replayed(
  program: Program,
  executionId: string,
  events: AsyncIterable<TimedEvent>,
  history: History,
  from: Run | null = null,
): AsyncGenerator<Point> {
  const replay = new Replay(program, { executionId, stepLimit: 0, runtimeId: '' }, history, from);
  let steps = 0;
  for await (const event of endingWithNull(events)) {
    if (event !== null) replay.push(event);
    for (let run = next(replay, event === null); run !== null; run = next(replay, event === null)) {
      yield { run, atMs: replay.atMs, first: replay.first as TimedEvent };
      steps += 1;
      if (steps % STEPS_PER_TURN === 0) await setImmediate();
    }
  }
}

async function* endingWithNull<T>(items: AsyncIterable<T>): AsyncGenerator<T | null> {
  yield* items;
  yield null;
}

function next(replay: Replay, ended: boolean): Run | null {
  try {
    return replay.next(ended);
  } catch (cause) {
    if (cause instanceof LogMismatch) throw cause;
    throw new LogMismatch((replay.run?.seq ?? 0) + 1, cause instanceof Error ? cause.message : String(cause));
  }
}

/** The log from its start, or from after a sequence, up to another, with the outputs that are kept apart. */
export async function* wholeLog(
  store: Store,
  tenantId: string,
  executionId: string,
  upTo: number,
  after = 0,
): AsyncGenerator<TimedEvent> {
  for await (const row of readLog(store, executionId, { after, limit: upTo - after })) {
    const event = eventOf(row);
    yield spilledBytes(row.type, event.data) === 0 ? event : { ...event, data: await restored(store, tenantId, event.data) };
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
