import type { Program } from './compile.ts';
import { type FoldEnv, stepAgain } from './fold/again.ts';
import { type History, historyOf } from './fold/history.ts';
import { LogMismatch, type TimedEvent } from './fold/log.ts';
import { pardonFor } from './fold/pardon.ts';
import type { Run } from './run.ts';

export { type History, historyOf } from './fold/history.ts';
export { LogMismatch, type TimedEvent } from './fold/log.ts';
export { type MachineEvent, Overheard } from './fold/overheard.ts';
export { Replay } from './fold/replay.ts';

/**
 * Rebuilds a run from its log: from the start (`run` null), or from a checkpoint and the events after it. The first event of each
 * step tells which message it was; stepping that message again must log the very same events. Throws `LogMismatch`.
 *
 * A failure that a later `workflow_retried` has forgiven is taken as `forgive` takes it, and the end that came of it as none. So a log with
 * a retry folds from its start, or from a checkpoint before what was forgiven or after the retry, not from one between. What comes before a
 * `workflow_forked` is folded as the execution that it was copied from.
 */
export function fold(program: Program, run: Run | null, events: Iterable<TimedEvent>, env: FoldEnv): Run {
  const folding = foldInSteps(program, run, events, env);
  for (;;) {
    const { done, value } = folding.next();
    if (done) return value;
  }
}

/** Like `fold`, with a pause after every step, for callers that must not hold up others. */
export function foldInSteps(
  program: Program,
  run: Run | null,
  events: Iterable<TimedEvent>,
  env: FoldEnv,
): Generator<undefined, Run> {
  const log = [...events];
  return foldBySteps(program, run, log, env, historyOf(log));
}

/**
 * The whole log of a failed run folded as if the last failures of `nodes` had not failed them: they stand where they stood, and
 * everything else is as it came to be. A `retry` goes on from there. Pauses after every step, for whoever must not hold up others.
 * Throws `LogMismatch`.
 */
export function revive(
  program: Program,
  events: Iterable<TimedEvent>,
  nodes: readonly string[],
  env: FoldEnv,
): Generator<undefined, Run> {
  const log = [...events];
  return foldBySteps(program, null, log, env, { ...historyOf(log), pardon: pardonFor(log, nodes) });
}

function* foldBySteps(
  program: Program,
  run: Run | null,
  log: readonly TimedEvent[],
  env: FoldEnv,
  history: History,
): Generator<undefined, Run> {
  let folded = run;
  for (let at = 0; at < log.length; ) {
    const { run: next, length } = stepAgain(program, folded, log, at, env, history);
    folded = next;
    at += length;
    yield;
  }
  if (folded === null) throw new LogMismatch(0, 'the log is empty');
  return folded;
}
