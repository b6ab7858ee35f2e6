import type { Program } from './compile.ts';
import type { LogEvent } from './events.ts';
import { LogMismatch, type TimedEvent } from './fold/log.ts';
import { following, messageOf } from './fold/message.ts';
import { forgivenAt, type Pardon, pardonFor, pardonIn } from './fold/pardon.ts';
import type { Run, StepEnv, Stepped } from './run.ts';
import { DEFAULT_STEP_LIMIT } from './step/context.ts';
import { forgive } from './step/forgiveness.ts';
import { start, step } from './step.ts';

export { LogMismatch, type TimedEvent } from './fold/log.ts';

/** Milliseconds are those of the events; who does which node's work is in the events too. */
export type FoldEnv = Pick<StepEnv, 'executionId' | 'stepLimit' | 'runtimeId'>;

/**
 * Rebuilds a run from its log: from the start (`run` null), or from a checkpoint and the events after it. The first event of each
 * step tells which message it was; stepping that message again must log the very same events. Throws `LogMismatch`.
 *
 * A failure that a later `workflow_retried` has forgiven is taken as `forgive` takes it, and the end that came of it as none. So a log with
 * a retry folds from its start, or from a checkpoint before what was forgiven or after the retry, not from one between.
 */
export function fold(program: Program, run: Run | null, events: Iterable<TimedEvent>, env: FoldEnv): Run {
  const log = [...events];
  const folding = foldBySteps(program, run, log, env, pardonIn(log));
  for (;;) {
    const { done, value } = folding.next();
    if (done) return value;
  }
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
  return foldBySteps(program, null, log, env, pardonFor(log, nodes));
}

function* foldBySteps(
  program: Program,
  run: Run | null,
  log: readonly TimedEvent[],
  env: FoldEnv,
  pardon: Pardon,
): Generator<undefined, Run> {
  let folded = run;
  let at = 0;
  for (let first = log[at]; first !== undefined; first = log[at]) {
    const forgiven = forgivenAt(log, at, pardon);
    if (forgiven !== null && folded !== null) {
      if (first.sequence !== folded.seq + 1) throw new LogMismatch(first.sequence, `follows sequence ${folded.seq}`);
      folded = forgive(program, folded, forgiven.node, forgiven.sequence, forgiven.patch);
      at += forgiven.length;
    } else {
      const stepped = again(program, folded, log, at, env);
      for (const [i, event] of stepped.events.entries()) agree(event, log[at + i], first.sequence);
      folded = stepped.run;
      at += stepped.events.length;
    }
    const end = log[at];
    if (end?.type === 'workflow_failed' && pardon.ends.has(end.sequence)) {
      folded = { ...folded, seq: end.sequence };
      at += 1;
    }
    yield;
  }
  if (folded === null) throw new LogMismatch(0, 'the log is empty');
  return folded;
}

function again(program: Program, run: Run | null, log: readonly TimedEvent[], at: number, env: FoldEnv): Stepped {
  const first = log[at] as TimedEvent;
  const stepEnv: StepEnv = {
    ...env,
    nowMs: first.at_ms,
    stepLimit: Number(first.data.step_limit ?? DEFAULT_STEP_LIMIT),
    vars: (first.data.env ?? {}) as Record<string, string>,
    isLocal: (node) =>
      following(log, at, (event) => event.type === 'node_scheduled' && event.node_id === node)?.data.in_process === true,
    get runtimeId() {
      const started = following(log, at, (event) => event.type === 'node_started' && typeof event.data.worker_id === 'string');
      return String(started?.data.worker_id ?? env.runtimeId);
    },
  };
  if (run === null) {
    if (first.type !== 'workflow_started' || first.sequence !== 1)
      throw new LogMismatch(first.sequence, 'a log begins with workflow_started');
    return start(program, first.data.initial_input ?? null, stepEnv);
  }
  if (first.sequence !== run.seq + 1) throw new LogMismatch(first.sequence, `follows sequence ${run.seq}`);
  const stepped = step(program, run, messageOf(program, run, log, at), stepEnv);
  if ('refused' in stepped) throw new LogMismatch(first.sequence, `${first.type} is refused as ${stepped.refused}`);
  return stepped;
}

function agree(made: LogEvent, logged: TimedEvent | undefined, from: number): void {
  if (logged === undefined) throw new LogMismatch(from, `the log ends before ${made.type}`);
  const same =
    made.sequence === logged.sequence &&
    made.type === logged.type &&
    made.node_id === logged.node_id &&
    JSON.stringify(made.data) === JSON.stringify(logged.data);
  if (!same) throw new LogMismatch(logged.sequence, `the log has ${logged.type}, folding gives ${made.type}`);
}
