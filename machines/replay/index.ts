import type { Run } from '../run.ts';
import type { Program } from '../step/program.ts';
import { type History, historyOf } from './history.ts';
import { LogMismatch, type TimedEvent } from './log.ts';
import { type ReplayEnv, replayStep } from './replay-step.ts';
import { resetsFor } from './retry-reset.ts';

export { type History, historyOf } from './history.ts';
export { LogMismatch, type TimedEvent } from './log.ts';
export { LogReplay } from './log-replay.ts';
export { type RecordedEvent, RecordingStepper } from './recording-stepper.ts';
export { failuresResetBy } from './retry-reset.ts';
export { type TakenTransition, TransitionRecorder } from './transition-recorder.ts';

/**
 * Rebuilds a run from its log: from the start (`run` null), or from a checkpoint and the events after it. The first event of each
 * step says which message it was; stepping that message again must log the same events. Throws `LogMismatch`. Yields after every step, so that
 * callers can share the event loop.
 *
 * A failure that a later `workflow_retried` has reset is replayed by `resetFailure`, and the end of the execution that followed from it is
 * left out. So a log with a retry is replayed from its start, or from a checkpoint before the reset failures or after the retry, but not
 * from one between. Events before a `workflow_forked` are replayed with the id of the execution that they were copied from.
 */
export function replayInSteps(
  program: Program,
  run: Run | null,
  events: Iterable<TimedEvent>,
  env: ReplayEnv,
): Generator<undefined, Run> {
  const log = [...events];
  return replaySteps(program, run, log, env, historyOf(log));
}

/**
 * Replays the whole log of a failed execution with the last failures of `nodes` reset: these nodes stay where they were, and everything
 * else is as logged. A `retry` continues from there. Yields after every step. Throws `LogMismatch`.
 */
export function replayForRetry(
  program: Program,
  events: Iterable<TimedEvent>,
  nodes: readonly string[],
  env: ReplayEnv,
): Generator<undefined, Run> {
  const log = [...events];
  return replaySteps(program, null, log, env, { ...historyOf(log), resets: resetsFor(log, nodes) });
}

function* replaySteps(
  program: Program,
  run: Run | null,
  log: readonly TimedEvent[],
  env: ReplayEnv,
  history: History,
): Generator<undefined, Run> {
  let replayed = run;
  for (let at = 0; at < log.length; ) {
    const { run: next, length } = replayStep(program, replayed, log, at, env, history);
    replayed = next;
    at += length;
    yield;
  }
  if (replayed === null) throw new LogMismatch(0, 'the log is empty');
  return replayed;
}
