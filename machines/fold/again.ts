import type { Program } from '../compile.ts';
import type { LogEvent } from '../events.ts';
import { FIRST_LANGUAGE } from '../expression/tree.ts';
import type { JsonObject } from '../json.ts';
import type { Queue } from '../nodes/kind.ts';
import type { Run, StepEnv, Stepped } from '../run.ts';
import { DEFAULT_STEP_LIMIT } from '../step/context.ts';
import { forgive } from '../step/forgiveness.ts';
import { FIRST_RULES } from '../step/rules.ts';
import { start, step } from '../step.ts';
import { executionAt, type History } from './history.ts';
import { LogMismatch, type TimedEvent } from './log.ts';
import { following, messageOf } from './message.ts';
import { forgivenAt } from './pardon.ts';

/** Milliseconds are those of the events; who does which node's work is in the events too. */
export type FoldEnv = Pick<StepEnv, 'executionId' | 'stepLimit' | 'runtimeId' | 'work'>;

/** The step that begins at `at` taken again, all of whose events must be in `log`. `length`: how many they are. Throws `LogMismatch`. */
export function stepAgain(
  program: Program,
  run: Run | null,
  log: readonly TimedEvent[],
  at: number,
  env: FoldEnv,
  history: History,
): { readonly run: Run; readonly length: number } {
  const first = log[at] as TimedEvent;
  const { pardon } = history;
  const forgiven = forgivenAt(log, at, pardon);
  let folded: Run;
  let length: number;
  if (forgiven !== null && run !== null) {
    if (first.sequence !== run.seq + 1) throw new LogMismatch(first.sequence, `follows sequence ${run.seq}`);
    folded = forgive(program, run, forgiven.node, forgiven.sequence, forgiven.patch);
    length = forgiven.length;
  } else {
    const stepEnv = { ...env, executionId: executionAt(history, first.sequence, env.executionId) };
    ({
      run: folded,
      events: { length },
    } = agreeing(program, run, log, at, stepEnv));
  }
  const end = log[at + length];
  if (end?.type !== 'workflow_failed' || !pardon.ends.has(end.sequence)) return { run: folded, length };
  return { run: { ...folded, seq: end.sequence }, length: length + 1 };
}

/** Steps of earlier releases had no budget for all that they evaluate: one that used more than it has now is taken again without a bound. */
function agreeing(program: Program, run: Run | null, log: readonly TimedEvent[], at: number, env: FoldEnv): Stepped {
  const taken = (stepEnv: FoldEnv): Stepped => {
    const stepped = again(program, run, log, at, stepEnv);
    for (const [i, event] of stepped.events.entries()) agree(event, log[at + i], log[at]?.sequence ?? 0);
    return stepped;
  };
  try {
    return taken(env);
  } catch (error) {
    if (!(error instanceof LogMismatch && program.statics.evaluation.isExceeded)) throw error;
    return taken({ ...env, work: Number.POSITIVE_INFINITY });
  }
}

function again(program: Program, run: Run | null, log: readonly TimedEvent[], at: number, env: FoldEnv): Stepped {
  const first = log[at] as TimedEvent;
  const scheduled = (node: string): TimedEvent | undefined =>
    following(log, at, (event) => event.type === 'node_scheduled' && event.node_id === node);
  const stepEnv: StepEnv = {
    ...env,
    nowMs: first.at_ms,
    stepLimit: Number(first.data.step_limit ?? DEFAULT_STEP_LIMIT),
    language: Number(first.data.language ?? FIRST_LANGUAGE),
    rules: Number(first.data.rules ?? FIRST_RULES),
    vars: (first.data.env ?? {}) as Record<string, string>,
    isLocal: (node) => scheduled(node)?.data.in_process === true,
    queueOf: (node) => scheduled(node)?.data.queue_type as Queue | undefined,
    startsAtOnce: (node) => {
      const { sequence, at_ms } = scheduled(node) ?? first;
      const next = log[at + sequence - first.sequence + 1];
      return next?.type === 'node_started' && next.node_id === node && next.at_ms === at_ms;
    },
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
  if (logged === undefined) throw new LogMismatch(from, `the log ends before ${nameOf(made)}`);
  if (made.sequence !== logged.sequence || made.type !== logged.type || made.node_id !== logged.node_id)
    throw new LogMismatch(logged.sequence, `the log has ${nameOf(logged)}, folding gives ${nameOf(made)}`);
  const data = comparable(made, logged);
  if (JSON.stringify(data) === JSON.stringify(logged.data)) return;
  const fields = differing(data, logged.data).join(', ');
  throw new LogMismatch(logged.sequence, `the log has ${nameOf(logged)}, folding gives one with other data (${fields})`);
}

/** States that events repeat. Logs of the first releases leave those of more than 4,096 characters out; those kept apart are left out, too. */
const REPEATED: Readonly<Partial<Record<LogEvent['type'], string>>> = {
  interrupt_raised: 'state_for_review',
  workflow_completed: 'final_state',
};

function comparable({ type, data }: LogEvent, logged: TimedEvent): JsonObject {
  const field = REPEATED[type];
  if (field === undefined || Object.hasOwn(logged.data, field)) return data;
  const { [field]: _state, ...rest } = data;
  return rest;
}

function nameOf({ type, node_id }: LogEvent): string {
  return node_id === null ? type : `${type} of node ${node_id}`;
}

function differing(a: JsonObject, b: JsonObject): readonly string[] {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].filter((key) => JSON.stringify(a[key]) !== JSON.stringify(b[key]));
}
