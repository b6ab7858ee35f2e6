import { render } from '../expression/template.ts';
import { type Journal, type Operation, operationOfTimer } from '../journal.ts';
import type { Json, JsonObject } from '../json.ts';
import { DEFAULT_STEP_LIMIT } from '../limits.ts';
import type { Child, Decide, Fail, Message, UsageTotals, Visit } from '../messages.ts';
import { definitionOf, runsChild } from '../nodes/index.ts';
import { admittedInput, admittedPatch } from '../program/internal-state.ts';
import { KEPT_VERSIONS } from '../program/rules.ts';
import { START_TIMER } from '../program/state-ids.ts';
import { parkTimer, timerPurpose } from '../program/timers.ts';
import type { ActiveNode, PendingApproval, Phase, Refused, Run, StepEnv, StepResult } from '../run.ts';
import { TERMINAL } from '../run.ts';
import { type BudgetLeft, exceededBudget, leftOfBudgets } from './actions/budgets.ts';
import { type ActiveVisit, ActiveVisits, lossesOf } from './context/active-visits.ts';
import { type Context, freshContext, mergeBudgets, own } from './context/context.ts';
import { BUDGET_EXCEEDED, budgetExceededMessage } from './context/evaluation.ts';
import { isSetIn } from './context/step-timers.ts';
import { contextOf, usageSince } from './continuation.ts';
import type { DoneEvent, FailEvent } from './machine-event.ts';
import type { Program } from './program.ts';
import { type ResetFailure, StepRunner } from './step-runner.ts';
import { backoffMs } from './work/backoff.ts';
import { heldContext } from './work/policy-gate.ts';

export type { BudgetLeft } from './actions/budgets.ts';
export { heldCondition } from './actions/conditions.ts';
export { completedPatch } from './actions/state-patch.ts';
export { BUDGET_EXCEEDED, budgetExceededMessage } from './context/evaluation.ts';
export { failuresOf, resettableFailures, terminalFailures } from './reset.ts';
export { isErased, load, SnapshotVersionMismatch, save, saveErased } from './snapshot.ts';
export { callOf } from './work/calls.ts';
export { undeclaredCall } from './work/declared.ts';
export { inputUnderPatch } from './work/input-under-patch.ts';
export { hasInputMapping, workOf } from './work/work.ts';

/** Takes the first step of an execution. Pure, like all steps: time and choices are in `env`. */
export function start(program: Program, given: Json, env: StepEnv): StepResult {
  const vars = program.tables.envNames.flatMap((name) => {
    const value = own(env.vars, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const ignored = new Set<string>();
  const isState = env.continues !== undefined || env.startsFromState === true;
  const input = isState ? given : admittedInput(program.tables.internalState, given, ignored);
  const stepLimit = program.workflow.max_steps ?? env.stepLimit;
  const fresh = freshContext(input, Object.fromEntries(vars), stepLimit, ActiveVisits.of(program.tables.graph, {}));
  const { continues } = env;
  const carried = continues?.carried;
  const segment = continues === undefined ? {} : { segment: continues.segment, ...contextOf(carried) };
  const startAtMs = env.startAtMs !== undefined && env.startAtMs > env.nowMs ? env.startAtMs : undefined;
  const context = Object.assign(fresh, segment, startAtMs === undefined ? {} : { startAtMs });
  const { workflow_id, version } = program.workflow;
  const started = {
    workflow_id,
    workflow_version: version,
    initial_input: input,
    ...(vars.length === 0 ? {} : { env: Object.fromEntries(vars) }),
    ...KEPT_VERSIONS,
    ...(stepLimit === DEFAULT_STEP_LIMIT ? {} : { step_limit: stepLimit }),
    ...(continues === undefined ? {} : { segment_number: continues.segment, continued_from: continues.previousId }),
    ...(env.traceparent === undefined ? {} : { traceparent: env.traceparent }),
    ...(startAtMs === undefined ? {} : { start_at: new Date(startAtMs).toISOString() }),
    ...(carried === undefined ? {} : { carried: carried as unknown as JsonObject }),
  };
  return StepRunner.start(program, context, started, ignored, env);
}

/**
 * Steps the execution with one message. Refused = the message changes nothing: it is stale, its node does not exist, or there is nothing
 * to decide. The first event is the message's own, the last one the end of the execution, if it ends.
 */
export function step(program: Program, run: Run, message: Message, env: StepEnv): StepResult | Refused {
  if (message.type === 'decide' && !['approved', 'rejected'].includes(message.decision)) return refuse('unknown_decision');
  if (TERMINAL.has(run.status)) return refuse('terminal');
  const context = run.snapshot.context as Context;
  const runner = StepRunner.of(program, run, env);
  switch (message.type) {
    case 'enqueue':
      // It would hardly be done before the end.
      if (context.ending !== null) return refuse('ending');
      return program.tables.graph.indexOf(message.node) === undefined ? refuse('unknown_node') : runner.enqueue(message);
    case 'done': {
      if (message.activation === 0) return runner.completeDetached(message);
      if (!matchingVisit(context, message, ['queued', 'running'])) return refuse('stale');
      const { node, item, output, durationMs, patch, usage, appended, route, thread } = message;
      const isRoute =
        route !== undefined && program.tables.routes[program.tables.graph.indexOf(node) ?? -1]?.[route] !== undefined;
      const event: { -readonly [K in keyof DoneEvent]: DoneEvent[K] } = { type: 'done', node, output, durationMs };
      if (patch !== undefined) event.patch = runner.admitted(patch, node);
      if (usage !== undefined) event.usage = usage;
      if (appended !== undefined) event.appended = appended;
      if (isRoute) event.route = route;
      if (thread !== undefined) event.thread = thread;
      return runner.send(event, node, item);
    }
    case 'progress': {
      const active = matchingVisit(context, message, ['running']);
      return active?.local === true ? runner.logProgress(message, active) : refuse('stale');
    }
    case 'operations': {
      const active = matchingVisit(context, message, ['running', 'waiting']);
      if (active?.journal === undefined) return refuse('stale');
      return runner.functions.operate(message) ?? refuse('stale');
    }
    case 'fail': {
      if (message.activation === 0) return runner.failDetached(message);
      const active = matchingVisit(context, message, ['queued', 'running', 'child']);
      if (active === null || (message.unbegun === true && hasBegun(program, message, active))) return refuse('stale');
      if (beginsAgain(context, message, active)) return runner.beginAgain(message, active);
      return runner.send(failureOf(program, message, env), message.node, message.item);
    }
    case 'used':
      return runner.recordUsage(message);
    case 'claimed': {
      const active = matchingVisit(context, message, ['queued']);
      if (active === null || active.local !== message.local) return refuse('stale');
      const { node, item, workerId } = message;
      return runner.send({ type: 'claimed', node, workerId }, node, item);
    }
    case 'requeue': {
      const active = matchingVisit(context, message, ['running', 'queued']);
      if (active?.local === true && message.queued === true) return refuse('stale');
      const { node, item } = message;
      if (active?.phase === 'queued' && env.isLocal(node)) return runner.reclaim(node, active, item);
      if (active?.local !== true) return refuse('stale');
      const { kind, retry } = program.tables.nodeOf(node);
      const neverStarted = active.phase === 'queued' || message.unbegun === true;
      const { childWorkflow, keepsJournal } = definitionOf(kind);
      const maySeveral = retry.max_attempts > 1 || item !== undefined || keepsJournal || childWorkflow(kind) !== null;
      if (maySeveral || neverStarted) return runner.send({ type: 'requeue', node }, node, item);
      const interrupted = { error: 'interrupted by a stop', ...message, type: 'fail' as const, retryable: false };
      return runner.send(failureOf(program, interrupted, env), node);
    }
    case 'child':
      return countedIfEnded(runner, message, stepChild(program, context, message, runner, env));
    case 'decide':
      return stepDecide(program, context, message, runner);
    case 'event':
      if (context.ending !== null) return refuse('ending');
      if (message.atOnce === true) {
        const accepted = runner.acceptedInPlaceOf(message.key);
        if (accepted !== null) return refuse('not_accepted', accepted);
      }
      return runner.receive(message.key, message.payload);
    case 'update':
      return context.ending === null ? runner.functions.receiveUpdate(message) : refuse('ending');
    case 'timer': {
      if (message.id === START_TIMER) return run.snapshot.configuration.hasBegun ? refuse('stale') : runner.begin();
      const ofOperation = operationOfTimer(message.id);
      if (ofOperation !== null) {
        const { node, number } = ofOperation;
        const operation = context.active.get(node)?.journal?.open(number);
        const isSet = operation?.fireAtMs !== undefined && context.active.get(node)?.phase !== 'failed';
        return isSet ? runner.functions.operationTimer(node, operation) : refuse('stale');
      }
      const armed = timerPurpose(program.tables.timers, message.id);
      const active = armed === undefined ? undefined : context.active.get(armed.node, armed.item);
      if (armed === undefined || !isSetIn(active, armed.kind)) return refuse('stale');
      if (armed.item !== undefined) return runner.retryItem(armed.node, armed.item);
      if (!runner.hasTransitionFor(message.id)) return refuse('stale');
      const id = message.id as `xstate.after.${string}`;
      if (armed.kind === 'items') return runner.itemsTimedOut(id, armed.node);
      if (armed.kind === 'retry' && context.suspension !== null) return runner.deferRetry(id, armed.node);
      return runner.send({ type: id, node: armed.node }, armed.node);
    }
    case 'cancel':
      return runner.cancel(message.reason);
    case 'abort':
      return runner.abort(message.error);
    case 'pause':
      return context.suspension === null ? runner.pause(message.reason) : refuse('already_suspended');
    case 'resume': {
      if (context.suspension === null) return refuse('not_suspended');
      const budgets = message.budgets === undefined ? context.budgets : mergeBudgets(context.budgets, message.budgets);
      const withNewBudgets = budgets === undefined ? context : Object.assign({}, context, { budgets });
      const { workflow } = program;
      const isPaused = workflow.on_budget_exceeded === 'pause' && context.ending === null;
      if (isPaused && exceededBudget(withNewBudgets, workflow) !== null) return refuse('over_budget');
      return runner.resume(message.budgets ?? null);
    }
    case 'retry': {
      const failed = context.active.nodes().filter((node) => context.active.get(node)?.phase === 'failed');
      if (failed.length === 0) return refuse('not_retryable');
      const wouldEnd = program.tables.budgetAction === 'fail' && exceededBudget(context, program.workflow) !== null;
      return wouldEnd ? refuse('over_budget') : runner.retry(failed);
    }
    case 'fork':
      return runner.fork(message);
    default: {
      const unhandled: never = message;
      throw new TypeError(`unhandled message ${JSON.stringify(unhandled)}`);
    }
  }
}

/** Takes the step of a failure that a later retry resets. */
export function failUntilRetry(program: Program, run: Run, failure: ResetFailure, env: StepEnv): StepResult {
  return StepRunner.of(program, run, env).failUntilRetry(failure);
}

function refuse(refused: Refused['refused'], nodes: readonly string[] = []): Refused {
  return { refused, nodes };
}

/** The active visit if it is the visit and attempt of the message, and in one of the phases. */
function matchingVisit(context: Context, visit: Visit, phases: readonly ActiveVisit['phase'][]): ActiveVisit | null {
  const active = context.active.get(visit.node, visit.item);
  if (active === undefined || active.activation !== visit.activation || active.attempt !== visit.attempt) return null;
  return phases.includes(active.phase) ? active : null;
}

/** A node with a child execution is running before it has one. */
function hasBegun({ tables }: Program, { node, item }: Visit, { phase }: ActiveVisit): boolean {
  return phase === 'child' || (phase === 'running' && !runsChild(tables.nodeOf(node).kind, item));
}

/** May the attempt, whose process is gone, begin again without being a failed one? */
function beginsAgain(context: Context, { node, item, lost = 0 }: Fail, active: ActiveVisit): boolean {
  if (active.phase !== 'running' || lossesOf(active) >= lost) return false;
  return item === undefined ? active.journal !== undefined : context.active.get(node)?.map !== undefined;
}

function failureOf(program: Program, message: Fail, env: StepEnv, childId?: string): FailEvent {
  const { node, activation, attempt, item, error, errorClass, httpStatus, details, retryable, parkedUntilMs, usage } = message;
  const { retry, kind } = program.tables.nodeOf(node);
  const isOverdue = errorClass === 'timeout' && definitionOf(kind).runsAtEnd(kind) !== null;
  const delayMs =
    message.delayMs ??
    (parkedUntilMs === undefined
      ? backoffMs(retry, attempt + 1, retrySeed(env.executionId, node, activation, item))
      : Math.max(1, parkedUntilMs - env.nowMs));
  return {
    type: 'fail',
    node,
    error,
    retryable: retryable && !isOverdue,
    delayMs,
    ...(errorClass === undefined ? {} : { errorClass }),
    ...(httpStatus === undefined ? {} : { httpStatus }),
    ...(details === undefined ? {} : { details }),
    ...(parkedUntilMs === undefined ? {} : { parkedUntilMs }),
    ...(childId === undefined ? {} : { childId }),
    ...(usage === undefined ? {} : { usage }),
  };
}

/** Of the jitter of an attempt's delay. */
function retrySeed(executionId: string, node: string, activation: number, item: number | undefined): string {
  return `${executionId}\n${node}\n${activation}${item === undefined ? '' : `\n${item}`}`;
}

/** Phases in which a node without a child execution takes messages about it. */
const PHASES_BEFORE_CHILD: Readonly<Record<string, readonly ActiveVisit['phase'][]>> = {
  waiting: ['running'],
  started: ['running', 'queued'],
};

function stepChild(program: Program, context: Context, message: Child, runner: StepRunner, env: StepEnv): StepResult | Refused {
  const { node, item, childId, change } = message;
  const active = matchingVisit(context, message, PHASES_BEFORE_CHILD[change.status] ?? ['child']);
  if (active === null) return refuse('stale');
  if (change.status === 'waiting') return runner.childWaitsForCapacity(message, active);
  if (change.status === 'started') {
    const started = { status: 'started' as const, workflowId: message.childWorkflowId };
    return runner.send({ type: 'child', node, childId, change: started }, node, item);
  }
  // Ids are in the order of time.
  if (active.child !== childId) return refuse(active.child !== undefined && childId > active.child ? 'early' : 'stale');
  if (change.status === 'continued') return runner.childContinued(message, active, change);
  if (change.status === 'failed') {
    const { activation, attempt } = message;
    const { error, delayMs, usage } = change;
    const waited = delayMs === undefined ? {} : { delayMs };
    const used = usage === undefined ? {} : { usage };
    const failure = { type: 'fail' as const, node, activation, attempt, item, error, retryable: true, ...waited, ...used };
    return runner.send(failureOf(program, failure, env, childId), node, item);
  }
  if (change.status === 'completed') return childCompleted(program, context, message, change, runner, env);
  const known = active.paused === true ? 'paused' : 'running';
  if (change.status === known) return refuse('stale');
  return runner.send({ type: 'child', node, childId, change }, node, item);
}

/** What a child has used counts also if its visit has ended before it. */
function countedIfEnded(runner: StepRunner, message: Child, stepped: StepResult | Refused): StepResult | Refused {
  const { node, activation, attempt, item, childId, change } = message;
  const usage = 'usage' in change ? change.usage : undefined;
  if (!('refused' in stepped) || stepped.refused !== 'stale' || usage === undefined) return stepped;
  return runner.recordUsage(
    { type: 'used', node, activation, attempt, item, usage, childId },
    'nextId' in change ? change.nextId : null,
  );
}

/** Maps the child's result before the machine moves: a mapping that exceeds the evaluation budget fails the node. */
function childCompleted(
  program: Program,
  context: Context,
  message: Child,
  { result, usage }: Child['change'] & { readonly status: 'completed' },
  runner: StepRunner,
  env: StepEnv,
): StepResult {
  const { node, activation, attempt, item, childId } = message;
  const { tables } = program;
  const { evaluation } = runner;
  const template =
    context.active.get(node)?.journal !== undefined ? null : tables.outputMapping(tables.graph.indexOf(node) ?? -1);
  const used = usage === undefined ? {} : { usage };
  const change = { status: 'completed' as const, result, ...used };
  if (template === null) return runner.send({ type: 'child', node, childId, change }, node, item);
  const scope = { state: result, output: result, input: context.input, env: context.env };
  const { value, errors, exceeded } = render(template, scope, evaluation.budget);
  if (exceeded !== undefined) {
    const failure = {
      type: 'fail',
      node,
      activation,
      attempt,
      item,
      error: budgetExceededMessage(exceeded),
      errorClass: BUDGET_EXCEEDED,
      retryable: false,
      ...used,
    } as const;
    return runner.send(failureOf(program, failure, env), node, item);
  }
  evaluation.diagnostics.push(...errors.map((error) => `output mapping of node "${node}": ${error}`));
  return runner.send({ type: 'child', node, childId, change: { mapped: value, ...change } }, node, item);
}

function stepDecide(program: Program, context: Context, message: Decide, runner: StepRunner): StepResult | Refused {
  const open = context.active.withItems().filter(([, active]) => isOpenApproval(active));
  const isMeant = (node: string, item: number | undefined): boolean =>
    (message.node ?? node) === node && (message.item ?? item) === item;
  const meant = open.filter(([node, , item]) => isMeant(node, item));
  if (message.node !== undefined && meant.length === 0) return refuse('no_pending_approval_on_node');
  if (meant.length > 1) return refuse('several_pending_approvals', [...new Set(open.map(([node]) => node))].sort());
  const [one] = meant;
  if (one === undefined) return refuse('no_pending_approval');
  const [node, active, item] = one;
  const { decision, userId, comment } = message;
  const patch = runner.admitted(message.patch, null);
  const question = active.phase === 'awaiting_approval' ? null : (active.journal?.asked ?? null);
  if (question !== null) return runner.functions.decideOperation(node, question, message, patch);
  const event = { type: 'decide', node, decision, userId, comment, patch } as const;
  const isInWork = active.held?.limit !== undefined || !program.tables.hasApprovalState(node);
  const isHeldInWork = active.phase === 'awaiting_approval' && isInWork;
  return isHeldInWork ? runner.decideHeld(event, item) : runner.send(event, node);
}

function isOpenApproval(active: ActiveVisit | undefined): active is ActiveVisit {
  if (active?.journal?.asked != null && active.phase !== 'failed') return true;
  return active?.phase === 'approval' || active?.phase === 'awaiting_approval';
}

/** The question of a durable function. */
function askedBy(node: string, activation: number, asked: Operation): PendingApproval {
  const { fireAtMs, message, name, since, atMs } = asked;
  const timeoutAt = fireAtMs === undefined ? {} : { timeout_at: new Date(fireAtMs).toISOString() };
  return {
    node_id: node,
    activation,
    kind: 'human_approval',
    tool_name: 'human_approval',
    approver: 'human',
    context: { description: message ?? name, operation: name, ...timeoutAt },
    sequence: since,
    requested_at_ms: atMs,
  };
}

/** What the state takes of the patch of a fork. */
export function admittedByFork({ tables }: Program, patch: JsonObject): JsonObject {
  return admittedPatch(tables.internalState, patch, null, new Set()) as JsonObject;
}

/** The state of the execution. */
export function stateOf(run: Run): JsonObject {
  return (run.snapshot.context as Context).state;
}

/** Was the node reached while an operator's pause lasts? */
export function isDeferred(run: Run, node: string): boolean {
  const { suspension, active } = run.snapshot.context as Context;
  return suspension?.deferred.includes(node) === true || active.get(node)?.phase === 'deferred';
}

/** The operator's pause of the execution; null = not suspended. */
export function suspensionOf(run: Run): { readonly reason: string | null } | null {
  const { suspension } = run.snapshot.context as Context;
  return suspension === null ? null : { reason: suspension.reason };
}

/** When the execution begins, in milliseconds since 1970; undefined = it was not started for later. */
export function startAtOf(run: Run): number | undefined {
  return (run.snapshot.context as Context).startAtMs;
}

/**
 * Has the execution begun, is it live, not suspended and without any active node? No message will ever move it on. That is a defect of the compiled
 * machine: callers end the execution with `abort`.
 */
export function isStuck(run: Run): boolean {
  if (TERMINAL.has(run.status) || !run.snapshot.configuration.hasBegun) return false;
  const { suspension, active } = run.snapshot.context as Context;
  return suspension === null && active.size === 0;
}

/** The execution that continues one that has ended; undefined = none. */
export function continuedAs(run: Run): string | undefined {
  return (run.snapshot.context as Context).continuedAs;
}

/** What the execution has used so far, without those that it continues; undefined = nothing. */
export function usageOf(run: Run): UsageTotals | undefined {
  const { usage, usedBefore } = run.snapshot.context as Context;
  return usage === null ? undefined : usageSince(usedBefore, usage);
}

/** Is the execution about to end, while its finalizers run? */
export function isEnding(run: Run): boolean {
  return (run.snapshot.context as Context).ending !== null && !TERMINAL.has(run.status);
}

/** Does work at the node call models or remote agents, in an execution whose budgets it has to keep, or which is suspended? Null = it begins. */
export function spendsBudget({ tables, workflow }: Program, run: Run | null, node: string): boolean {
  const { budgets = undefined, suspension = null } = (run?.snapshot.context ?? {}) as Partial<Context>;
  if (budgets === undefined && suspension === null && workflow.token_budget === null && workflow.cost_budget_usd === null)
    return false;
  const { kind } = tables.nodeOf(node);
  const { models, remoteAgent } = definitionOf(kind);
  return models(kind).length > 0 || remoteAgent(kind) !== null;
}

export function isSuspended(run: Run): boolean {
  return (run.snapshot.context as Context).suspension !== null;
}

/** What is left of the budgets; null = it has none, or goes on beyond one. */
export function budgetLeft({ workflow }: Program, run: Run): BudgetLeft | null {
  return leftOfBudgets(run.snapshot.context as Context, workflow);
}

/** The error text of an exceeded budget; null = none is exceeded. */
export function exceededBudgetOf(program: Program, run: Run): string | null {
  return exceededBudget(run.snapshot.context as Context, program.workflow)?.error ?? null;
}

/** Open approvals, sorted by node id. */
export function approvalsOf(program: Program, run: Run): PendingApproval[] {
  const context = run.snapshot.context as Context;
  const open = context.active.withItems().filter(([, active]) => isOpenApproval(active));
  return open
    .sort(([a, , i = 0], [b, , j = 0]) => (a === b ? i - j : a < b ? -1 : 1))
    .map(([node, active, item]) => {
      const { kind } = program.tables.nodeOf(node);
      const byPolicy = active.phase === 'awaiting_approval';
      const { asked = null } = active.journal ?? {};
      if (!byPolicy && asked !== null) return askedBy(node, active.activation, asked);
      const timeoutMs = parkTimer(kind, node)?.ms ?? null;
      const timeoutAt = timeoutMs === null ? {} : { timeout_at: new Date((active.atMs ?? 0) + timeoutMs).toISOString() };
      return {
        node_id: node,
        activation: active.activation,
        ...(item === undefined ? {} : { item }),
        kind: byPolicy ? 'tool' : 'human_approval',
        tool_name: byPolicy ? (active.held?.name ?? program.tables.verdicts.get(node)?.name ?? node) : 'human_approval',
        approver: 'human',
        context: byPolicy ? heldContext(node, active) : { description: active.description ?? '', ...timeoutAt },
        sequence: active.since ?? 0,
        requested_at_ms: active.atMs ?? 0,
      };
    });
}

/** Does any node wait for a person's decision? */
export function asksForDecision(run: Run): boolean {
  const { active } = run.snapshot.context as Context;
  return active.size > 0 && !TERMINAL.has(run.status) && active.withItems().some(([, visit]) => isOpenApproval(visit));
}

/** The active visit to a node, or that of one of its items; null = none. */
export function activeVisitOf(run: Run, node: string, item?: number): (Visit & Pick<ActiveVisit, 'phase'>) | null {
  const active = (run.snapshot.context as Context).active.get(node, item);
  if (active === undefined) return null;
  const { activation, attempt, phase } = active;
  return { node, activation, attempt, item, phase };
}

/** The journal of a visit to a durable function; null = the visit is over. */
export function journalOfVisit(run: Run, visit: Visit): { readonly journal: Journal; readonly isParked: boolean } | null {
  const active = (run.snapshot.context as Context).active.get(visit.node);
  if (active?.journal === undefined || active.activation !== visit.activation) return null;
  return { journal: active.journal, isParked: active.phase === 'waiting' || active.phase === 'deferred' };
}

/** The names of the updates that durable functions take now, each with the schema of its inputs. */
export function updateHandlers(run: Run): ReadonlyMap<string, JsonObject | undefined> {
  const visits = (run.snapshot.context as Context).active.entries();
  return new Map(
    visits.flatMap(([, { journal }]) => (journal?.handlers ?? []).map(({ name, schema }) => [name, schema] as const)),
  );
}

/** Phases in which a durable function goes on, or is about to, without anything from outside. */
const AT_WORK: ReadonlySet<Phase> = new Set(['queued', 'running', 'backoff']);

/**
 * What comes before functions take other updates than now: `begin`, a function begins; `claim`, a worker claims one; `work`, one goes on. Null = they take
 * others only when something comes from outside, or never.
 */
export function nextForUpdates({ tables }: Program, run: Run): 'begin' | 'claim' | 'work' | null {
  const { active } = run.snapshot.context as Context;
  const visits = active.entries().flatMap(([, visit]) => (visit.journal === undefined ? [] : [visit]));
  const atWork = visits.filter(({ phase }) => AT_WORK.has(phase));
  if (atWork.length > 0) return atWork.every(({ phase, local }) => phase === 'queued' && local !== true) ? 'claim' : 'work';
  const isOnItsWay = run.status === 'running' || run.status === 'pending';
  return visits.length === 0 && isOnItsWay && tables.hasJournals ? 'begin' : null;
}

/** Is there an update with this sequence that a function has yet to handle? */
export function isUpdatePending(run: Run, sequence: number): boolean {
  const visits = (run.snapshot.context as Context).active.entries();
  return visits.some(([, { journal }]) => journal?.isPending(sequence) === true);
}

/** Does any node have a child execution that has not ended, as far as the log knows? */
export function hasChild(run: Run): boolean {
  const { active } = run.snapshot.context as Context;
  return active.withItems().some(([, { child }]) => child !== undefined);
}

/** Active nodes, in document order, each followed by its items that are in progress. */
export function activeOf(program: Program, run: Run): ActiveNode[] {
  const context = run.snapshot.context as Context;
  const { graph } = program.tables;
  return context.active
    .withItems()
    .sort(([a], [b]) => (graph.indexOf(a) ?? 0) - (graph.indexOf(b) ?? 0))
    .map(([node, active, item]) => ({
      node,
      activation: active.activation,
      attempt: active.attempt,
      ...(item === undefined ? {} : { item }),
      phase: active.phase,
      local: active.local === true,
      waitsFor: active.key ?? null,
      childId: active.child ?? null,
      ...(active.phase === 'queued' && runsChild(program.tables.nodeOf(node).kind, item)
        ? { waitsForCapacity: true as const }
        : {}),
    }));
}
