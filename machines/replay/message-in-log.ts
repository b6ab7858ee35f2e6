import { appendedIn, partAt, withWholeLists } from '../appended-lists.ts';
import { isProgress, type LogEvent } from '../events/index.ts';
import { RESULT_ROLES } from '../graph/edges.ts';
import type { TokenBudget } from '../ir/workflow.ts';
import { type OperationKind, operationTimerId } from '../journal.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Budgets, CopiedDecision, Done, Fail, Message, OperationEntry, Transition, Visit } from '../messages.ts';
import { definitionOf } from '../nodes/index.ts';
import { START_TIMER } from '../program/state-ids.ts';
import { retryTimerId } from '../program/timers.ts';
import type { Run } from '../run.ts';
import type { SnapshotChange } from '../snapshot-change.ts';
import { detailsIn } from '../step/actions/failure-data.ts';
import { usageIn } from '../step/actions/usage.ts';
import type { ActiveVisit } from '../step/context/active-visits.ts';
import type { Context } from '../step/context/context.ts';
import type { MachineEvent } from '../step/machine-event.ts';
import type { Program } from '../step/program.ts';
import { LogMismatch, type TimedEvent } from './log.ts';

/** The first matching event from `at` on. */
export function nextEvent(log: readonly TimedEvent[], at: number, is: (event: TimedEvent) => boolean): TimedEvent | undefined {
  for (let i = at; i < log.length; i += 1) {
    const event = log[i];
    if (event !== undefined && is(event)) return event;
  }
  return undefined;
}

/** The message whose step begins with the event at `at`. */
export function messageInLog(program: Program, run: Run, log: readonly TimedEvent[], at: number): Message {
  const first = log[at] as TimedEvent;
  const { type, node_id, data } = first;
  const context = run.snapshot.context as Context;
  const node = node_id ?? '';
  const item = typeof data.item === 'number' ? data.item : undefined;
  const active = context.active.get(node, item);
  const detached = data.activation === 0;
  const visit = detached
    ? { node, activation: 0, attempt: 0 }
    : { node, activation: active?.activation ?? 0, attempt: active?.attempt ?? 0, item };
  const next = (wanted: LogEvent['type']): TimedEvent => {
    const found = nextEvent(
      log,
      at,
      (event) =>
        event.type === wanted &&
        (node_id === null || event.node_id === null || (event.node_id === node_id && event.data.item === data.item)),
    );
    if (found === undefined) throw new LogMismatch(first.sequence, `${type} without ${wanted}`);
    return found;
  };
  switch (type) {
    case 'tool_call_completed':
    case 'node_completed': {
      const logged = next('node_completed');
      const completed = wholeCompletion(logged, context);
      return {
        type: 'done',
        ...visit,
        output: completed.output ?? null,
        durationMs: Number(completed.duration_ms ?? 0),
        ...(Object.hasOwn(completed, 'state_patch') ? { patch: completed.state_patch as Json } : {}),
        ...loggedUsage(completed),
        appended: appendedIn(logged.data),
        ...routeIn(completed),
        ...threadIn(completed),
      };
    }
    case 'eval_scored': {
      const { passed, results, feedback, duration_ms, action } = data;
      const completed = action === 'halt' || action === 'escalate' ? null : next('node_completed').data;
      return {
        type: 'done',
        ...visit,
        output: { passed: passed === true, scorers: results ?? [], ...(feedback === undefined ? {} : { feedback }) },
        durationMs: Number(duration_ms ?? 0),
        ...loggedUsage(completed ?? data),
        ...(completed === null ? {} : { appended: appendedIn(completed) }),
      };
    }
    case 'node_failed': {
      const errorClass = typeof data.error_class === 'string' ? { errorClass: data.error_class } : {};
      const httpStatus = typeof data.http_status === 'number' ? { httpStatus: data.http_status } : {};
      const retryable = data.retryable === true;
      return {
        type: 'fail',
        ...visit,
        error: String(data.error),
        retryable,
        ...errorClass,
        ...httpStatus,
        ...detailsIn(data),
        ...(retryable ? recordedDelay(log, at + 1) : {}),
        ...loggedUsage(data),
      };
    }
    case 'usage_recorded': {
      return {
        type: 'used',
        node,
        activation: Number(data.activation),
        attempt: Number(data.attempt),
        item,
        usage: usageIn(data),
        ...(typeof data.child_execution_id === 'string' ? { childId: data.child_execution_id } : {}),
      };
    }
    case 'policy_violation':
    case 'tool_approval_required':
    case 'autonomy_limit_reached':
    case 'circuit_breaker_tripped':
    case 'node_scheduled':
    case 'node_started':
      if (detached) return { type: 'enqueue', node, queue: String(data.queue_type) };
      if (active?.phase === 'waiting' && active.journal !== undefined) return { type: 'operations', ...visit, entries: [] };
      if (active?.phase === 'backoff') return { type: 'timer', id: retryTimerId(node, item) };
      // A child execution is never claimed: one that waited for capacity begins again.
      if (active?.phase === 'queued' && type === 'node_started' && !runsChildExecution(program, node))
        return { type: 'claimed', ...visit, workerId: String(data.worker_id), ...(active.local === true ? { local: true } : {}) };
      // A requeue that is not allowed to run again is logged as a failure.
      return { type: 'requeue', ...visit, unbegun: true };
    case 'attempt_lost':
      return {
        type: 'fail',
        ...visit,
        error: String(data.error),
        retryable: true,
        lost: Number.POSITIVE_INFINITY,
        ...loggedUsage(data),
      };
    case 'workflow_begun':
      return { type: 'timer', id: START_TIMER };
    case 'timer_fired':
      if (active?.phase === 'backoff') return { type: 'timer', id: retryTimerId(node, item) };
      return { type: 'timer', id: timerOf(program, node, TIMER_OF_PHASE[active?.phase ?? ''] ?? 'approval') };
    case 'step_started':
    case 'step_completed':
    case 'step_failed':
    case 'step_cancelled':
    case 'machine_transitioned':
    case 'function_parked':
    case 'update_handled':
      return operationInLog(first, visit, active);
    case 'approval_received':
      return {
        type: 'decide',
        node,
        item,
        decision: data.decision === 'approved' ? 'approved' : 'rejected',
        userId: String(data.user_id),
        comment: typeof data.comment === 'string' ? data.comment : null,
        patch: data.state_patch ?? null,
      };
    case 'external_event_received':
      return { type: 'event', key: String(data.correlation_key), payload: data.payload ?? null };
    case 'update_received':
      return { type: 'update', name: String(data.name), input: data.input ?? null };
    case 'workflow_paused':
      return { type: 'pause', reason: typeof data.reason === 'string' ? data.reason : null };
    case 'workflow_resumed':
      return { type: 'resume', ...budgetsOfResume(data) };
    case 'workflow_retried':
      return { type: 'retry' };
    case 'workflow_forked': {
      const origin = isObject(data.origin) ? data.origin : {};
      const { execution_id, sequence } = origin;
      return {
        type: 'fork',
        origin: { executionId: String(execution_id), sequence: Number(sequence) },
        patch: data.state_patch ?? null,
        decisions: data.decisions as unknown as readonly CopiedDecision[],
        ...(data.keep_decisions === true ? { keepDecisions: true } : {}),
      };
    }
    case 'workflow_finalizing':
      if (data.status !== 'cancelled') throw new LogMismatch(first.sequence, 'no message begins with workflow_finalizing');
      return { type: 'cancel', reason: String(data.reason) };
    case 'workflow_completed':
    case 'strategy_completed':
    case 'strategy_limit_hit':
    case 'node_cancelled':
    case 'workflow_cancelled':
    case 'workflow_failed': {
      const end = nextEvent(log, at, isRequestedEnd);
      if (context.ending !== null && !isAborted(log, at)) return { type: 'cancel', reason: '' };
      if (end === undefined) throw new LogMismatch(first.sequence, `no message begins with ${type}`);
      if (end.type === 'workflow_failed') return { type: 'abort', error: String(end.data.error) };
      return { type: 'cancel', reason: String(end.data.reason) };
    }
    case 'child_workflow_waiting':
      return { type: 'child', ...visit, childId: '', childWorkflowId: '', change: { status: 'waiting' } };
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
      if (type === 'child_workflow_started') {
        const { continues, child_execution_id: nextId } = data;
        if (continues === undefined) return { change: { status: 'started' }, ...child };
        return {
          change: { status: 'continued', nextId: String(nextId), ...loggedUsage(data) },
          ...child,
          childId: String(continues),
        };
      }
      if (type === 'child_workflow_completed')
        return { change: { status: 'completed', result: data.result ?? null, ...loggedUsage(data) }, ...child };
      if (type === 'child_workflow_failed')
        return {
          change: { status: 'failed', error: String(data.error), ...recordedDelay(log, at + 2), ...loggedUsage(data) },
          ...child,
        };
      return { change: { status: type === 'child_workflow_paused' ? 'paused' : 'running' }, ...child };
    }
    default: {
      if (!isProgress(type)) throw new LogMismatch(first.sequence, `no message begins with ${type}`);
      const { attempt: _, activation: __, item: ___, ...logged } = data;
      return { type: 'progress', ...visit, event: type, data: logged };
    }
  }
}

/** The message of an operation: its timer, or what the function has begun or done. */
function operationInLog({ type, data }: TimedEvent, visit: Visit, active: ActiveVisit | undefined): Message {
  const number = Number(data.operation);
  const operation = active?.journal?.open(number);
  const { settled = 0 } = active?.journal ?? {};
  if (type === 'step_cancelled') return { type: 'operations', ...visit, entries: [{ type: 'cancel', operation: number }] };
  if (type === 'machine_transitioned') return { type: 'operations', ...visit, entries: [transitionInLog(number, data)] };
  if (type === 'function_parked')
    return { type: 'operations', ...visit, entries: [], parkedAfter: data.deferred === true ? -1 : settled };
  if (type === 'update_handled') return { type: 'operations', ...visit, entries: [handledInLog(data)] };
  if (operation?.kind === 'call')
    return callInLog(type, { node: visit.node, activation: visit.activation, attempt: 0, item: number }, data);
  const isDue = operation !== undefined && (operation.status === 'backoff' || operation.status === 'waiting');
  if (isDue) return { type: 'timer', id: operationTimerId(visit.node, number) };
  return { type: 'operations', ...visit, entries: [entryInLog(type, number, data)] };
}

function transitionInLog(operation: number, { event, value = null, actions, actor, emitted, snapshot }: JsonObject): Transition {
  return {
    type: 'transition',
    operation,
    event: String(event),
    value,
    actions: (actions ?? []) as readonly string[],
    ...(typeof actor === 'string' ? { actor } : {}),
    ...(Array.isArray(emitted) ? { emitted } : {}),
    ...(isObject(snapshot) ? { snapshot: snapshot as SnapshotChange } : {}),
  };
}

/** A call begins again, or its child execution could not be started. Anything else that comes of it begins with an event of the child. */
function callInLog(type: string, visit: Visit, data: JsonObject): Message {
  if (type === 'step_started') return { type: 'requeue', ...visit, unbegun: true };
  const errorClass = typeof data.error_class === 'string' ? { errorClass: data.error_class } : {};
  return { type: 'fail', ...visit, error: String(data.error), ...errorClass, retryable: false, unbegun: true };
}

function handledInLog({ update, output = null, error, error_class: errorClass }: JsonObject): OperationEntry {
  const of = { type: 'update', update: Number(update) } as const;
  if (typeof error !== 'string') return Object.assign(of, { output });
  return Object.assign(of, { error }, typeof errorClass === 'string' ? { errorClass } : {});
}

function entryInLog(type: string, operation: number, data: JsonObject): OperationEntry {
  const attempt = Number(data.attempt);
  const {
    name,
    kind,
    correlation_key: key,
    accepts,
    message,
    workflow_id: workflow,
    workflow_version: version,
    input,
    exposed,
    schema,
    fire_at,
    limit_ms,
    output,
    duration_ms,
    error,
    error_class,
    delay_ms,
  } = data;
  if (type === 'step_started')
    return {
      type: 'begin',
      operation,
      name: String(name),
      kind: kind as OperationKind,
      ...(typeof key === 'string' ? { key } : {}),
      ...(Array.isArray(accepts) ? { accepts: accepts as readonly string[] } : {}),
      ...(typeof message === 'string' ? { message } : {}),
      ...(typeof workflow === 'string' ? { workflow } : {}),
      ...(kind === 'call' || kind === 'continue' ? { input: input ?? null } : {}),
      ...(typeof version === 'string' ? { version } : {}),
      ...(isObject(exposed) ? { exposed } : {}),
      ...(isObject(schema) ? { schema } : {}),
      ...(typeof limit_ms === 'number' ? { limitMs: limit_ms } : {}),
      ...(typeof fire_at === 'string' ? { untilMs: Date.parse(fire_at) } : {}),
    };
  if (type === 'step_completed') {
    const took = typeof duration_ms === 'number' ? { durationMs: duration_ms } : {};
    return { type: 'complete', operation, attempt, output: output ?? null, ...took };
  }
  return {
    type: 'fail',
    operation,
    attempt,
    error: String(error),
    ...(typeof error_class === 'string' ? { errorClass: error_class } : {}),
    ...detailsIn(data),
    ...(typeof delay_ms === 'number' ? { delayMs: delay_ms } : {}),
  };
}

/** The usage that an event names, if it does. */
export function loggedUsage(data: JsonObject): { readonly usage?: never } {
  const usage = usageIn(data);
  return Object.keys(usage).length === 0 ? {} : { usage: usage as never };
}

/** The event that failed a node, as its logged failure and the cause before it have it: with what the attempt used. */
export function failureEventIn(node: string, logged: readonly TimedEvent[]): MachineEvent {
  const usage = loggedUsage(Object.assign({}, ...logged.map(({ data }) => data)));
  return logged[0]?.type === 'eval_scored'
    ? { type: 'done', node, output: null, durationMs: 0, ...usage }
    : { type: 'fail', node, error: '', retryable: false, delayMs: 0, ...usage };
}

/** The data of a completion with its lists whole. */
function wholeCompletion({ sequence, data }: TimedEvent, { state }: Context): JsonObject {
  try {
    return withWholeLists(data, (path) => partAt(state, path));
  } catch (error) {
    if (error instanceof TypeError) throw new LogMismatch(sequence, error.message);
    throw error;
  }
}

/** The route that the result asked for. */
function routeIn({ route }: JsonObject): Pick<Done, 'route'> {
  const known = RESULT_ROLES.find((role) => role === route);
  return known === undefined ? {} : { route: known };
}

/** What the turn has added to a thread. */
function threadIn({ thread }: JsonObject): Pick<Done, 'thread'> {
  if (!isObject(thread)) return {};
  return { thread: { id: String(thread.thread_id), first: Number(thread.first), last: Number(thread.last) } };
}

/** The delay of a retry as logged at `at`, if it is: how it is computed may have changed since. */
function recordedDelay(log: readonly TimedEvent[], at: number): Pick<Fail, 'delayMs' | 'parkedUntilMs'> {
  const event = log[at];
  if (event?.type === 'node_parked')
    return { delayMs: Number(event.data.delay_ms), parkedUntilMs: Date.parse(String(event.data.retry_after)) };
  return event?.type === 'retry_scheduled' ? { delayMs: Number(event.data.delay_ms) } : {};
}

const ENDS: ReadonlySet<string> = new Set(['workflow_completed', 'workflow_failed', 'workflow_cancelled', 'strategy_limit_hit']);

/** Is the end of the execution an internal error? */
function isAborted(log: readonly TimedEvent[], at: number): boolean {
  return nextEvent(log, at, ({ type }) => ENDS.has(type))?.data.corrupt === true;
}

/** An end that was requested by a message. Ends of the machine come last in a step that began otherwise. */
function isRequestedEnd({ type, data }: TimedEvent): boolean {
  return type === 'workflow_cancelled' || (type === 'workflow_failed' && data.corrupt === true);
}

export function budgetsOfResume({ token_budget, cost_budget_usd }: JsonObject): { readonly budgets?: Budgets } {
  if (token_budget === undefined && cost_budget_usd === undefined) return {};
  const tokens = isObject(token_budget) ? (token_budget as TokenBudget) : null;
  return { budgets: { token_budget: tokens, cost_budget_usd: typeof cost_budget_usd === 'number' ? cost_budget_usd : null } };
}

/** The kind of a node's timer, by the phase of the node. */
const TIMER_OF_PHASE: Readonly<Record<string, string>> = {
  waiting: 'wait',
  items: 'items',
  queued: 'attempt',
  running: 'attempt',
};

function timerOf(program: Program, node: string, kind: string): string {
  for (const [id, armed] of program.tables.timers) if (armed.node === node && armed.kind === kind) return id;
  return '';
}

function runsChildExecution(program: Program, node: string): boolean {
  const { kind } = program.tables.nodeOf(node);
  return definitionOf(kind).childWorkflow(kind) !== null;
}
