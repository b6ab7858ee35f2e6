import { render } from '../expression/template.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Child, Decide, Fail, Message, UsageTotals, Visit } from '../messages.ts';
import { definitionOf } from '../nodes/index.ts';
import { admittedInput, admittedPatch } from '../program/internal-state.ts';
import { KEPT_VERSIONS } from '../program/rules.ts';
import { parkTimer } from '../program/timers.ts';
import type { ActiveNode, PendingApproval, Refused, Run, StepEnv, StepResult } from '../run.ts';
import { TERMINAL } from '../run.ts';
import { type BudgetLeft, exceededBudget, leftOfBudgets } from './actions/budgets.ts';
import { type ActiveVisit, ActiveVisits } from './context/active-visits.ts';
import { type Context, DEFAULT_STEP_LIMIT, freshContext, mergeBudgets, own } from './context/context.ts';
import { BUDGET_EXCEEDED, budgetExceededMessage } from './context/evaluation.ts';
import { isSetIn } from './context/step-timers.ts';
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
  const fresh = freshContext(input, Object.fromEntries(vars), env.stepLimit, ActiveVisits.of(program.tables.graph, {}));
  const { continues } = env;
  const segment = continues === undefined ? {} : { segment: continues.segment };
  const context = Object.assign(fresh, segment);
  const { workflow_id, version } = program.workflow;
  const started = {
    workflow_id,
    workflow_version: version,
    initial_input: input,
    ...(vars.length === 0 ? {} : { env: Object.fromEntries(vars) }),
    ...KEPT_VERSIONS,
    ...(env.stepLimit === DEFAULT_STEP_LIMIT ? {} : { step_limit: env.stepLimit }),
    ...(continues === undefined ? {} : { segment_number: continues.segment, continued_from: continues.previousId }),
    ...(env.traceparent === undefined ? {} : { traceparent: env.traceparent }),
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
      const { node, output, durationMs, patch, usage, appended, route } = message;
      const isRoute =
        route !== undefined && program.tables.routes[program.tables.graph.indexOf(node) ?? -1]?.[route] !== undefined;
      const event: { -readonly [K in keyof DoneEvent]: DoneEvent[K] } = { type: 'done', node, output, durationMs };
      if (patch !== undefined) event.patch = runner.admitted(patch, node);
      if (usage !== undefined) event.usage = usage;
      if (appended !== undefined) event.appended = appended;
      if (isRoute) event.route = route;
      return runner.send(event, node);
    }
    case 'progress': {
      const active = matchingVisit(context, message, ['running']);
      return active?.local === true ? runner.logProgress(message, active) : refuse('stale');
    }
    case 'fail': {
      if (message.activation === 0) return runner.failDetached(message);
      const active = matchingVisit(context, message, ['queued', 'running', 'child']);
      if (active === null || (message.unbegun === true && hasBegun(program, message.node, active))) return refuse('stale');
      return runner.send(failureOf(program, message, env), message.node);
    }
    case 'used':
      return runner.recordUsage(message);
    case 'claimed': {
      const active = matchingVisit(context, message, ['queued']);
      if (active === null || active.local !== message.local) return refuse('stale');
      return runner.send({ type: 'claimed', node: message.node, workerId: message.workerId }, message.node);
    }
    case 'requeue': {
      const active = matchingVisit(context, message, ['running', 'queued']);
      if (active?.local === true && message.queued === true) return refuse('stale');
      if (active?.phase === 'queued' && env.isLocal(message.node)) return runner.reclaim(message.node, active);
      if (active?.local !== true) return refuse('stale');
      const { kind, retry } = program.tables.nodeOf(message.node);
      const neverStarted = active.phase === 'queued' || message.unbegun === true;
      if (retry.max_attempts > 1 || neverStarted || definitionOf(kind).childWorkflow(kind) !== null) {
        return runner.send({ type: 'requeue', node: message.node }, message.node);
      }
      const interrupted = { ...message, type: 'fail' as const, error: 'interrupted by a stop', retryable: false };
      return runner.send(failureOf(program, interrupted, env), message.node);
    }
    case 'child':
      return countedIfEnded(runner, message, stepChild(program, context, message, runner, env));
    case 'decide':
      return stepDecide(program, context, message, runner);
    case 'event':
      if (context.ending !== null) return refuse('ending');
      return runner.receive(message.key, message.payload);
    case 'timer': {
      const armed = program.tables.timers.get(message.id);
      const active = armed === undefined ? undefined : context.active.get(armed.node);
      if (armed === undefined || !isSetIn(active, armed.kind) || !runner.hasTransitionFor(message.id)) return refuse('stale');
      const id = message.id as `xstate.after.${string}`;
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
      const withNewBudgets = budgets === undefined ? context : { ...context, budgets };
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
  const active = context.active.get(visit.node);
  if (active === undefined || active.activation !== visit.activation || active.attempt !== visit.attempt) return null;
  return phases.includes(active.phase) ? active : null;
}

/** A node with a child execution is running before it has one. */
function hasBegun(program: Program, node: string, { phase }: ActiveVisit): boolean {
  return phase === 'child' || (phase === 'running' && !runsChildExecution(program, node));
}

function failureOf(program: Program, message: Fail, env: StepEnv, childId?: string): FailEvent {
  const { node, activation, attempt, error, errorClass, httpStatus, details, retryable, parkedUntilMs, usage } = message;
  const { retry, kind } = program.tables.nodeOf(node);
  const isOverdue = errorClass === 'timeout' && definitionOf(kind).runsAtEnd(kind) !== null;
  const delayMs =
    message.delayMs ??
    (parkedUntilMs === undefined
      ? backoffMs(retry, attempt + 1, `${env.executionId}\n${node}\n${activation}`)
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

/** Phases in which a node without a child execution takes messages about it. */
const PHASES_BEFORE_CHILD: Readonly<Record<string, readonly ActiveVisit['phase'][]>> = {
  waiting: ['running'],
  started: ['running', 'queued'],
};

function stepChild(program: Program, context: Context, message: Child, runner: StepRunner, env: StepEnv): StepResult | Refused {
  const { node, childId, change } = message;
  const active = matchingVisit(context, message, PHASES_BEFORE_CHILD[change.status] ?? ['child']);
  if (active === null) return refuse('stale');
  if (change.status === 'waiting') return runner.childWaitsForCapacity(node, active);
  if (change.status === 'started') {
    const started = { status: 'started' as const, workflowId: message.childWorkflowId };
    return runner.send({ type: 'child', node, childId, change: started }, node);
  }
  // Ids are in the order of time.
  if (active.child !== childId) return refuse(active.child !== undefined && childId > active.child ? 'early' : 'stale');
  if (change.status === 'continued') return runner.childContinued(node, active, message, change);
  if (change.status === 'failed') {
    const { activation, attempt } = message;
    const { error, delayMs, usage } = change;
    const waited = delayMs === undefined ? {} : { delayMs };
    const used = usage === undefined ? {} : { usage };
    const failure = { type: 'fail' as const, node, activation, attempt, error, retryable: true, ...waited, ...used };
    return runner.send(failureOf(program, failure, env, childId), node);
  }
  if (change.status === 'completed') return childCompleted(program, context, message, change, runner, env);
  const known = active.paused === true ? 'paused' : 'running';
  if (change.status === known) return refuse('stale');
  return runner.send({ type: 'child', node, childId, change }, node);
}

/** What a child has used counts also if its visit has ended before it. */
function countedIfEnded(runner: StepRunner, message: Child, stepped: StepResult | Refused): StepResult | Refused {
  const { node, activation, attempt, childId, change } = message;
  const usage = 'usage' in change ? change.usage : undefined;
  if (!('refused' in stepped) || stepped.refused !== 'stale' || usage === undefined) return stepped;
  return runner.recordUsage(
    { type: 'used', node, activation, attempt, usage, childId },
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
  const { node, activation, attempt, childId } = message;
  const { tables } = program;
  const { evaluation } = runner;
  const template = tables.outputMapping(tables.graph.indexOf(node) ?? -1);
  const used = usage === undefined ? {} : { usage };
  const change = { status: 'completed' as const, result, ...used };
  if (template === null) return runner.send({ type: 'child', node, childId, change }, node);
  const scope = { state: result, output: result, input: context.input, env: context.env };
  const { value, errors, exceeded } = render(template, scope, evaluation.budget);
  if (exceeded !== undefined) {
    const failure = {
      type: 'fail',
      node,
      activation,
      attempt,
      error: budgetExceededMessage(exceeded),
      errorClass: BUDGET_EXCEEDED,
    } as const;
    return runner.send(failureOf(program, { ...failure, retryable: false, ...used }, env), node);
  }
  evaluation.diagnostics.push(...errors.map((error) => `output mapping of node "${node}": ${error}`));
  return runner.send({ type: 'child', node, childId, change: { ...change, mapped: value } }, node);
}

function stepDecide(program: Program, context: Context, message: Decide, runner: StepRunner): StepResult | Refused {
  const open = context.active.nodes().filter((node) => isOpenApproval(context.active.get(node)));
  const node = message.node ?? (open.length === 1 ? open[0] : undefined);
  if (message.node !== undefined && !open.includes(message.node)) return refuse('no_pending_approval_on_node');
  if (node === undefined)
    return open.length === 0 ? refuse('no_pending_approval') : refuse('several_pending_approvals', open.sort());
  const { decision, userId, comment } = message;
  const patch = runner.admitted(message.patch, null);
  const event = { type: 'decide', node, decision, userId, comment, patch } as const;
  const active = context.active.get(node);
  const isInWork = active?.held?.limit !== undefined || !program.tables.hasApprovalState(node);
  const isHeldInWork = active?.phase === 'awaiting_approval' && isInWork;
  return isHeldInWork ? runner.decideHeld(event) : runner.send(event, node);
}

function isOpenApproval(active: ActiveVisit | undefined): active is ActiveVisit {
  return active?.phase === 'approval' || active?.phase === 'awaiting_approval';
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

/**
 * Is the execution live, not suspended and without any active node? No message will ever move it on. That is a defect of the compiled
 * machine: callers end the execution with `abort`.
 */
export function isStuck(run: Run): boolean {
  if (TERMINAL.has(run.status)) return false;
  const { suspension, active } = run.snapshot.context as Context;
  return suspension === null && active.size === 0;
}

/** The execution that continues one that has ended; undefined = none. */
export function continuedAs(run: Run): string | undefined {
  return (run.snapshot.context as Context).continuedAs;
}

/** What the execution has used so far; undefined = nothing. */
export function usageOf(run: Run): UsageTotals | undefined {
  return (run.snapshot.context as Context).usage ?? undefined;
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
  const open = context.active.entries().filter(([, active]) => isOpenApproval(active));
  return open
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([node, active]) => {
      const { kind } = program.tables.nodeOf(node);
      const byPolicy = active.phase === 'awaiting_approval';
      const timer = parkTimer(kind, node);
      const timeoutAt = timer === null ? {} : { timeout_at: new Date((active.atMs ?? 0) + timer.ms).toISOString() };
      return {
        node_id: node,
        activation: active.activation,
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
  return active.size > 0 && !TERMINAL.has(run.status) && active.entries().some(([, visit]) => isOpenApproval(visit));
}

/** The active visit to a node; null = none. */
export function activeVisitOf(run: Run, node: string): (Visit & Pick<ActiveVisit, 'phase'>) | null {
  const active = (run.snapshot.context as Context).active.get(node);
  return active === undefined ? null : { node, activation: active.activation, attempt: active.attempt, phase: active.phase };
}

/** Does any node have a child execution that has not ended, as far as the log knows? */
export function hasChild(run: Run): boolean {
  const { active } = run.snapshot.context as Context;
  return active.entries().some(([, { child }]) => child !== undefined);
}

function runsChildExecution(program: Program, node: string): boolean {
  const { kind } = program.tables.nodeOf(node);
  return definitionOf(kind).childWorkflow(kind) !== null;
}

/** Active nodes, in document order. */
export function activeOf(program: Program, run: Run): ActiveNode[] {
  const context = run.snapshot.context as Context;
  const { graph } = program.tables;
  return context.active
    .entries()
    .sort(([a], [b]) => (graph.indexOf(a) ?? 0) - (graph.indexOf(b) ?? 0))
    .map(([node, active]) => ({
      node,
      activation: active.activation,
      attempt: active.attempt,
      phase: active.phase,
      local: active.local === true,
      waitsFor: active.key ?? null,
      childId: active.child ?? null,
      ...(active.phase === 'queued' && runsChildExecution(program, node) ? { waitsForCapacity: true as const } : {}),
    }));
}
