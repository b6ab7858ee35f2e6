import { isObject } from '../../../../machines/json.ts';
import { type History, LogMismatch } from '../../../../machines/replay/index.ts';
import { type Run, TERMINAL } from '../../../../machines/run.ts';
import type { Program } from '../../../../machines/step/program.ts';
import type { ForkMismatch } from '../../errors.ts';
import type { TimedEvent } from '../../log/read-log.ts';
import { replayLog } from '../../log/replay-log.ts';
import type { Slice } from '../../scheduling/time-slices.ts';

/** A log replayed by another workflow version: the run at its end, or the first event that the version cannot replay. */
export type VersionReplay =
  | { readonly run: Run; readonly mismatch: null }
  | { readonly run: null; readonly mismatch: ForkMismatch };

/** Replays the log of a fork's origin by the program of the version that the fork is to run. */
export async function replayInVersion(
  program: Program,
  executionId: string,
  events: readonly TimedEvent[],
  history: History,
  slice: Slice,
): Promise<VersionReplay> {
  try {
    let run: Run | null = null;
    for await (const step of replayLog(program, executionId, events, history, slice)) run = step.run;
    if (run === null) throw new LogMismatch(0, 'the log is empty');
    if (!TERMINAL.has(run.status)) return { run, mismatch: null };
    throw new LogMismatch(run.seq, `the execution ends there as ${run.status}`);
  } catch (error) {
    if (!(error instanceof LogMismatch)) throw error;
    const event = events[error.sequence - 1];
    const nodeId = event?.node_id ?? beginningOf(event);
    const isUnknownNode = nodeId !== null && program.tables.graph.indexOf(nodeId) === undefined;
    const problem = isUnknownNode
      ? `event ${error.sequence}: ${event?.type} of node ${nodeId}, which this version does not have`
      : error.message;
    return { run: null, mismatch: { sequence: error.sequence, type: event?.type ?? null, nodeId, problem } };
  }
}

/** The node with which a segment begins that continues another one. */
function beginningOf(event: TimedEvent | undefined): string | null {
  const { carried } = event?.data ?? {};
  return isObject(carried) && typeof carried.node === 'string' ? carried.node : null;
}
