import type { Program } from './compile.ts';
import type { LogEvent } from './events.ts';
import type { Json } from './json.ts';
import type { Message } from './messages.ts';
import type { Run, StepEnv, Stepped } from './run.ts';
import { type Context, DEFAULT_STEP_LIMIT, own } from './step/context.ts';
import { USAGE } from './step/endings.ts';
import { start, step } from './step.ts';

/** The log does not fold: it was not written by this program, or has been changed. */
export class LogMismatch extends Error {
  readonly code = 'log_mismatch';
  readonly sequence: number;

  constructor(sequence: number, problem: string) {
    super(`event ${sequence}: ${problem}`);
    this.name = 'LogMismatch';
    this.sequence = sequence;
  }
}

export type TimedEvent = LogEvent & { readonly at_ms: number };

/** Milliseconds are those of the events; who does which node's work is in the events too. */
export type FoldEnv = Pick<StepEnv, 'executionId' | 'stepLimit' | 'runtimeId'>;

/**
 * Rebuilds a run from its log: from the start (`run` null), or from a checkpoint and the events after it. The first event of each
 * step tells which message it was; stepping that message again must log the very same events. Throws `LogMismatch`.
 */
export function fold(program: Program, run: Run | null, events: Iterable<TimedEvent>, env: FoldEnv): Run {
  const log = [...events];
  let folded = run;
  let at = 0;
  for (let first = log[at]; first !== undefined; first = log[at]) {
    const stepped = again(program, folded, log, at, env);
    stepped.events.forEach((event, i) => {
      agree(event, log[at + i], first.sequence);
    });
    folded = stepped.run;
    at += stepped.events.length;
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

/** The nearest such event from `at` on. */
function following(log: readonly TimedEvent[], at: number, is: (event: TimedEvent) => boolean): TimedEvent | undefined {
  for (let i = at; i < log.length; i += 1) {
    const event = log[i];
    if (event !== undefined && is(event)) return event;
  }
  return undefined;
}

/** The message whose step begins with the event at `at`. */
function messageOf(program: Program, run: Run, log: readonly TimedEvent[], at: number): Message {
  const first = log[at] as TimedEvent;
  const { type, node_id, data } = first;
  const context = run.snapshot.context as Context;
  const node = node_id ?? '';
  const active = own(context.active, node);
  const beside = data.activation === 0;
  const visit = beside
    ? { node, activation: 0, attempt: 0 }
    : { node, activation: active?.activation ?? 0, attempt: active?.attempt ?? 0 };
  const next = (wanted: LogEvent['type']): TimedEvent => {
    const found = following(
      log,
      at,
      (event) => event.type === wanted && (node_id === null || event.node_id === null || event.node_id === node_id),
    );
    if (found === undefined) throw new LogMismatch(first.sequence, `${type} without ${wanted}`);
    return found;
  };
  switch (type) {
    case 'tool_call_completed':
    case 'node_completed': {
      const completed = next('node_completed').data;
      const usage = Object.fromEntries(
        USAGE.flatMap((key) => (Object.hasOwn(completed, key) ? [[key, completed[key] as never]] : [])),
      );
      return {
        type: 'done',
        ...visit,
        output: completed.output ?? null,
        durationMs: Number(completed.duration_ms ?? 0),
        ...(Object.hasOwn(completed, 'state_patch') ? { patch: completed.state_patch as Json } : {}),
        ...(Object.keys(usage).length === 0 ? {} : { usage }),
      };
    }
    case 'node_failed': {
      const errorClass = typeof data.error_class === 'string' ? { errorClass: data.error_class } : {};
      return { type: 'fail', ...visit, error: String(data.error), retryable: data.retryable === true, ...errorClass };
    }
    case 'node_scheduled':
    case 'node_started':
      if (beside) return { type: 'enqueue', node, queue: String(data.queue_type) };
      if (active?.phase === 'backoff') return { type: 'timer', id: timerOf(program, node, 'retry') };
      if (active?.phase === 'queued' && type === 'node_started')
        return { type: 'claimed', ...visit, workerId: String(data.worker_id) };
      return { type: 'requeue', ...visit };
    case 'timer_fired':
      return { type: 'timer', id: timerOf(program, node, active?.phase === 'waiting' ? 'wait' : 'approval') };
    case 'approval_received':
      return {
        type: 'decide',
        node,
        decision: data.decision === 'approved' ? 'approved' : 'rejected',
        userId: String(data.user_id),
        comment: typeof data.comment === 'string' ? data.comment : null,
        patch: data.state_patch ?? null,
      };
    case 'external_event_received':
      return { type: 'event', key: String(data.correlation_key), payload: data.payload ?? null };
    case 'node_cancelled':
    case 'workflow_cancelled':
      return { type: 'cancel', reason: String(next('workflow_cancelled').data.reason) };
    case 'child_workflow_started':
    case 'child_workflow_paused':
    case 'child_workflow_resumed':
    case 'child_workflow_completed':
    case 'child_workflow_failed': {
      const child = {
        type: 'child',
        ...visit,
        childId: String(data.child_execution_id),
        childWorkflowId: String(data.child_workflow_id ?? ''),
      } as const;
      if (type === 'child_workflow_started') return { ...child, change: { status: 'started' } };
      if (type === 'child_workflow_completed') return { ...child, change: { status: 'completed', result: data.result ?? null } };
      if (type === 'child_workflow_failed') return { ...child, change: { status: 'failed', error: String(data.error) } };
      return { ...child, change: { status: type === 'child_workflow_paused' ? 'paused' : 'running' } };
    }
    default:
      throw new LogMismatch(first.sequence, `no message begins with ${type}`);
  }
}

function timerOf(program: Program, node: string, kind: string): string {
  for (const [id, armed] of program.statics.timers) if (armed.node === node && armed.kind === kind) return id;
  return '';
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
