import type { Program } from '../compile/index.ts';
import type { Run } from '../run.ts';
import { type History, historyOf } from './history.ts';
import { LogMismatch, type TimedEvent } from './log.ts';
import { type ReplayEnv, replayStep } from './replay-step.ts';
import { resetsFor } from './retry-reset.ts';

export { type History, historyOf } from './history.ts';
export { LogMismatch, type TimedEvent } from './log.ts';
export { LogReplay } from './log-replay.ts';
export { type RecordedEvent, RecordingStepper } from './recording-stepper.ts';

/**
 * Rebuilds a run from its log: from the start (`run` null), or from a checkpoint and the events after it. The first event of each
 * step tells which message it was; stepping that message again must log the very same events. Throws `LogMismatch`.
 *
 * A failure that a later `workflow_retried` has forgiven is taken as `forgive` takes it, and the end that came of it as none. So a log with
 * a retry folds from its start, or from a checkpoint before what was forgiven or after the retry, not from one between. What comes before a
 * `workflow_forked` is folded as the execution that it was copied from.
 */
export function replay(program: Program, run: Run | null, events: Iterable<TimedEvent>, env: ReplayEnv): Run {
  const replaying = replayInSteps(program, run, events, env);
  for (;;) {
    const { done, value } = replaying.next();
    if (done) return value;
  }
}

/** Like `fold`, with a pause after every step, for callers that must not hold up others. */
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
 * The whole log of a failed run folded as if the last failures of `nodes` had not failed them: they stand where they stood, and
 * everything else is as it came to be. A `retry` goes on from there. Pauses after every step, for whoever must not hold up others.
 * Throws `LogMismatch`.
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
