import type { LogEvent } from '../events/index.ts';
import { awaits, type Operation } from '../journal.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Budgets, Child, Done, Enqueue, Fail, Fork, Progress, Usage, Used } from '../messages.ts';
import { definitionOf } from '../nodes/index.ts';
import { endStateId, START_TIMER, stateId, timerId } from '../program/state-ids.ts';
import { attemptTimeoutMs, parkTimer, retryTimerId } from '../program/timers.ts';
import type { Run, Status, StepEnv, StepResult } from '../run.ts';
import { attemptStarted, childChanged } from './actions/actions.ts';
import { budgetEventData, continueElsewhere, exceededBudget, meter, meterUsage } from './actions/budgets.ts';
import { addApproval, rejection } from './actions/causes.ts';
import { failedData } from './actions/failure-data.ts';
import { reviewData } from './actions/scoring.ts';
import { strategyCompletes, strategyStarts } from './actions/strategy.ts';
import { usageEventData } from './actions/usage.ts';
import { conclude, inDocumentOrder } from './conclusion.ts';
import { Configuration, positionsOf } from './configuration.ts';
import { type ActiveVisit, lossesOf, visitIn } from './context/active-visits.ts';
import type { Context } from './context/context.ts';
import type { Evaluation } from './context/evaluation.ts';
import { StepContext } from './context/step-context.ts';
import { logCharsOf, passedLimit } from './continuation.ts';
import { FunctionSteps } from './function-steps.ts';
import { type FailEvent, isTimerEvent, type MachineEvent } from './machine-event.ts';
import type { Program } from './program.ts';
import { beginningOf, resetPositions } from './reset.ts';
import { nextSegmentId } from './segments.ts';
import { statusOf } from './status.ts';
import { countAttempt, refuseBeyondLimit, releaseLimit } from './work/autonomy-gate.ts';
import { backoffMs } from './work/backoff.ts';
import { beginNode, renderApproval, setWaitTimer } from './work/begin.ts';
import { beginDeferredCalls } from './work/calls.ts';
import { beginItem, deferItem, itemCompleted, itemFailed, itemsTimedOut } from './work/items.ts';
import { approvedJudgement } from './work/judgement.ts';
import { restartWaits } from './work/operations.ts';
import { budgetFailure } from './work/templates.ts';

/** A failure that a later retry resets, with its events as they were logged: of its cause, if there is one, and of itself. */
export interface ResetFailure {
  readonly node: string;
  readonly event: MachineEvent;
  readonly events: readonly LogEvent[];
  /** Did it end the execution? */
  readonly endsExecution: boolean;
}

/**
 * Takes one step. The machine settles first (control nodes, skips, joins), then nodes that were reached begin, in document order; a node
 * that ends as soon as it begins (a buffered event, a blocked tool) moves the machine again.
 */
export class StepRunner {
  readonly #program: Program;
  readonly #env: StepEnv;
  readonly #step: StepContext;
  #configuration: Configuration;
  /** Nodes that were entered and have yet to begin. */
  #reached: readonly string[] = [];
  /** The node whose attempt was in progress before the step: a suspended execution goes on with it. */
  #resumedNode: string | null = null;
  /** A failure has ended the execution, and a later retry resets both. */
  #isEndReset = false;

  private constructor(program: Program, step: StepContext, configuration: Configuration, env: StepEnv) {
    this.#program = program;
    this.#env = env;
    this.#step = step;
    this.#configuration = configuration;
  }

  static of(program: Program, { snapshot, seq }: Run, env: StepEnv): StepRunner {
    const step = new StepContext(program.tables, snapshot.context as Context, seq, env);
    return new StepRunner(program, step, snapshot.configuration, env);
  }

  /** The first step of an execution. `started`: data of its `workflow_started`. */
  static start(program: Program, context: Context, started: JsonObject, ignored: ReadonlySet<string>, env: StepEnv): StepResult {
    const step = new StepContext(program.tables, context, 0, env);
    step.patches.noteIgnored(ignored);
    step.addEvent('workflow_started', null, started);
    const runner = new StepRunner(program, step, Configuration.none, env);
    const node = env.continues?.carried?.node;
    if (node !== undefined) return runner.#enterAt(node);
    if (context.startAtMs === undefined) return runner.#enter();
    runner.#startLater(context.startAtMs);
    return runner.#finish(null);
  }

  /** The time has come at which the execution was to start. */
  begin(): StepResult {
    this.#step.addEvent('workflow_begun', null, {});
    this.#step.timers.noteFired(START_TIMER);
    return this.#enter();
  }

  #enter(): StepResult {
    strategyStarts(this.#step);
    this.#absorb(this.#program.stepper.initial({ step: this.#step }));
    return this.#finish(null);
  }

  /** Begins where the execution that it continues has ended. */
  #enterAt(node: string): StepResult {
    const { tables, walker } = this.#program;
    this.#configuration = walker.at([beginningOf(node, tables)]);
    this.#beginAtEnd([node]);
    return this.#finish(null);
  }

  #startLater(atMs: number): void {
    this.#step.timers.set(START_TIMER, Math.max(0, atMs - this.#env.nowMs));
  }

  /** What the state takes of a patch (`StepContext.admitted`). */
  admitted(patch: Json, writer: string | null): Json {
    return this.#step.patches.admitted(patch, writer);
  }

  get evaluation(): Evaluation {
    return this.#step.evaluation;
  }

  /** What steps do to durable functions. */
  get functions(): FunctionSteps {
    return new FunctionSteps({
      step: this.#step,
      env: this.#env,
      move: (event) => this.#move(event),
      defer: (node) => this.#defer([node]),
      isAlone: () => this.#step.now.ending === null && positionsOf(this.#configuration).length === 1,
      finish: (node) => this.#finish(node),
      leaveIfHalted: () => this.#leaveIfHalted(),
    });
  }

  hasTransitionFor(id: string): boolean {
    return this.#program.walker.hears(this.#configuration, id);
  }

  /** An event for a node, or for one of its items, which moves no machine unless the node ends with it. */
  send(event: MachineEvent, node: string, item?: number): StepResult {
    if (item !== undefined && this.#step.activeOf(node).journal !== undefined)
      return this.functions.sendToCall(event, node, item);
    if (item !== undefined) return this.#sendToItem(event, node, item);
    if (isTimerEvent(event)) this.#step.timers.noteFired(event.type);
    if (event.type === 'requeue') this.#resumedNode = node;
    this.#move(event);
    return this.#finish(node);
  }

  /** Work that waits for an external worker is done in process instead: its work item is withdrawn. */
  reclaim(node: string, active: ActiveVisit, item?: number): StepResult {
    this.#step.effects.abandon(node, active, item);
    return this.send({ type: 'requeue', node }, node, item);
  }

  /** The process of an attempt is gone, which says nothing of its work: the attempt begins again. */
  beginAgain({ node, activation, attempt, item, error, usage }: Fail, active: ActiveVisit): StepResult {
    const of = { activation, ...(item === undefined ? {} : { item }) };
    this.#step.addEvent('attempt_lost', node, Object.assign({ error, attempt }, usageEventData(usage), of));
    const { hasGrown: _, ...begun } = active;
    this.#step.setActive(node, Object.assign({}, begun, { losses: lossesOf(active) + 1 }), item);
    meterUsage(this.#step, node, usage);
    return this.#leaveIfHalted() ? this.#finish(node) : this.send({ type: 'requeue', node }, node, item);
  }

  /** Logs an event of an attempt that goes on, and keeps its data for later attempts of the visit. The machine does not move. */
  logProgress({ node, item, event, data }: Progress, active: ActiveVisit): StepResult {
    const of = { attempt: active.attempt, activation: active.activation, ...(item === undefined ? {} : { item }) };
    this.#step.addEvent(event, node, Object.assign({}, data, of));
    this.#step.setActive(node, Object.assign({}, active, { progress: { ...active.progress, [event]: data } }), item);
    return this.#finish(node);
  }

  // Items of a node: each is like a visit of its own, without states of the machine.

  #sendToItem(event: MachineEvent, node: string, item: number): StepResult {
    switch (event.type) {
      case 'done':
        return this.#afterItem(node, itemCompleted(this.#step, event, item, this.#env));
      case 'fail':
        return this.#afterItem(node, itemFailed(this.#step, event, item));
      case 'claimed':
        attemptStarted(this.#step, event, node, item);
        return this.#finish(node);
      case 'requeue': {
        // Also in a suspended execution: the attempt was in progress before.
        const failure = beginItem(this.#step, node, item, this.#env);
        return this.#afterItem(node, failure === null ? null : itemFailed(this.#step, failure, item));
      }
      case 'child': {
        if (event.change.status === 'completed')
          return this.#afterItem(node, itemCompleted(this.#step, { ...event, change: event.change }, item, this.#env));
        childChanged(this.#step, event, node, item);
        return this.#finish(node);
      }
      default:
        throw new TypeError(`${event.type} is for no item`);
    }
  }

  /** `end`: the node ends; null = others of its items may begin. */
  #afterItem(node: string, end: MachineEvent | null): StepResult {
    if (!this.#leaveIfHalted()) {
      if (end === null) this.#reached = [node];
      else if (!this.#isReset(node, end)) this.#move(end);
    }
    return this.#finish(node);
  }

  /** The next attempt at an item is due. A suspended execution defers it, and the log says so. */
  retryItem(node: string, item: number): StepResult {
    const { activation } = this.#step.activeOf(node, item);
    if (this.#step.now.suspension !== null) this.#step.addEvent('timer_fired', node, { activation, item });
    deferItem(this.#step, node, item);
    return this.#afterItem(node, null);
  }

  /** The time of a node with items is over. */
  itemsTimedOut(id: `xstate.after.${string}`, node: string): StepResult {
    this.#step.timers.noteFired(id);
    return this.#afterItem(node, itemsTimedOut(this.#step, node));
  }

  // Detached work: in the log and the state, but no node of the machine.

  enqueue({ node, queue }: Enqueue): StepResult {
    this.#step.addEvent('node_scheduled', node, { queue_type: queue, attempt: 0, activation: 0 });
    return this.#finish(node);
  }

  completeDetached({ node, output, patch: given = {}, durationMs, usage }: Done): StepResult {
    const patch = this.#step.patches.admitted(given, null);
    const data = { output, state_patch: patch, duration_ms: durationMs, ...usageEventData(usage), activation: 0 };
    this.#step.addEvent('node_completed', node, data);
    this.#step.detachedWorkCompletes(patch);
    return this.#spend(node, usage);
  }

  failDetached({ node, error, details, usage }: Fail): StepResult {
    const data = { error, attempt: 0, retryable: false, ...details, ...usageEventData(usage), activation: 0 };
    this.#step.addEvent('node_failed', node, data);
    return this.#spend(node, usage);
  }

  /** An attempt that has no outcome used something. `nextId`: the execution that continues its child, which is cancelled. */
  recordUsage({ node, activation, attempt, item, usage, childId }: Used, nextId: string | null = null): StepResult {
    const child = childId === undefined ? {} : { child_execution_id: childId };
    const of = { attempt, activation, ...child, ...(item === undefined ? {} : { item }) };
    this.#step.addEvent('usage_recorded', node, Object.assign({}, usageEventData(usage), of));
    if (nextId !== null) this.#step.effects.add([{ type: 'cancel_child', node, activation, childId: nextId }]);
    return this.#spend(node, usage);
  }

  /** What counts towards budgets without moving the machine. The execution is where it was, whatever the node. */
  #spend(node: string, usage: Usage | undefined): StepResult {
    meterUsage(this.#step, node, usage, null);
    this.#leaveIfHalted();
    return this.#finish(node);
  }

  /** A budget was exceeded by something that has not moved the machine. True = it has left its states. */
  #leaveIfHalted(): boolean {
    const { halt } = this.#step;
    if (halt === null) return false;
    this.#move({ type: halt.status === 'rerouted' ? 'overBudget' : 'halt' });
    return true;
  }

  /** Gives an external event to the node that has waited for it longest; otherwise buffers it if any node can wait for it. */
  receive(key: string, payload: Json): StepResult {
    const sequence = this.#step.addEvent('external_event_received', null, { correlation_key: key, payload });
    const [longest] = this.#waitingFor(key);
    if (longest !== undefined) {
      const { node, operation } = longest;
      if (operation !== null) {
        return this.functions.receive(node, operation, { key, payload, sequence });
      }
      this.#move({ type: 'event', node, payload, sequence });
      return this.#finish(node);
    }
    const { correlationKeys, hasJournals } = this.#program.tables;
    if (hasJournals || correlationKeys.has(key)) {
      this.#step.set({ earlyEvents: [...this.#step.now.earlyEvents, { key, payload, sequence }] });
    }
    return this.#finish(null);
  }

  /** The events that state machines accept, if there are such and nothing waits for this one; null = the event may come. */
  acceptedInPlaceOf(key: string): readonly string[] | null {
    const accepts = this.#step.now.active
      .entries()
      .flatMap(([, { journal }]) => journal?.allOpen().flatMap((one) => one.accepts ?? []) ?? []);
    const isMachine = this.#step.now.active
      .entries()
      .some(([, { journal }]) => journal?.allOpen().some((one) => one.accepts !== undefined));
    return isMachine && this.#waitingFor(key).length === 0 ? accepts : null;
  }

  /** The nodes, and the operations of durable functions, that wait for an event; the one that has waited longest first. */
  #waitingFor(key: string): readonly { readonly node: string; readonly operation: Operation | null; readonly since: number }[] {
    type Waiting = { readonly node: string; readonly operation: Operation | null; readonly since: number };
    const waiting = this.#step.now.active.entries().flatMap(([node, { key: awaited, since = 0, journal, phase }]): Waiting[] => {
      if (journal === undefined) return awaited === key ? [{ node, operation: null, since }] : [];
      if (phase === 'failed') return [];
      const operations = journal.allOpen().filter((operation) => awaits(operation, key));
      return operations.map((operation) => ({ node, operation, since: operation.since }));
    });
    return waiting.sort((a, b) => a.since - b.since);
  }

  /** The child cannot start yet. The machine does not move, and its node stays busy. */
  childWaitsForCapacity({ node, activation, attempt, item }: Child, active: ActiveVisit): StepResult {
    const data = { reason: 'waiting_for_capacity', attempt, activation };
    this.#step.addEvent('child_workflow_waiting', node, item === undefined ? data : Object.assign(data, { item }));
    this.#step.setActive(node, { ...active, phase: 'queued' }, item);
    return this.#finish(node);
  }

  /** A decision on a node that has no state of its own for that: its tenant's policy holds it, or the tools that it is about to call do. */
  decideHeld(event: MachineEvent & { type: 'decide' }, item?: number): StepResult {
    const { node, decision } = event;
    const active = this.#step.activeOf(node, item);
    addApproval(this.#step, event, active.activation, item);
    if (decision === 'rejected') {
      const failure = rejection(event);
      if (active.held?.limit !== undefined) refuseBeyondLimit(this.#step, node, failure.error);
      return this.send(failure, node, item);
    }
    if (active.held?.limit !== undefined) releaseLimit(this.#step, node, this.#env.nowMs);
    if (item !== undefined) {
      deferItem(this.#step, node, item, { approved: true });
      return this.#afterItem(node, null);
    }
    const { kind } = this.#program.tables.nodeOf(node);
    if (definitionOf(kind).behaviour(kind) === 'judge') return this.send(approvedJudgement(node, active, event), node);
    this.#step.setActive(node, Object.assign(visitIn('queued', active), { approved: true }));
    this.#move({ type: 'requeue', node });
    return this.#finish(node);
  }

  /** The child has ended, and another execution continues it. The node waits for that one. */
  childContinued(
    { node, item, childId, childWorkflowId }: Child,
    active: ActiveVisit,
    { nextId, usage }: Child['change'] & { readonly status: 'continued' },
  ): StepResult {
    const { activation } = active;
    const data = { child_execution_id: nextId, activation, child_workflow_id: childWorkflowId, continues: childId };
    const of = item === undefined ? {} : { item };
    this.#step.addEvent('child_workflow_started', node, Object.assign(data, usageEventData(usage), of));
    this.#step.setActive(node, Object.assign({}, active, { child: nextId }), item);
    meterUsage(this.#step, node, usage);
    if (!this.#leaveIfHalted() && active.paused === true) {
      const runs = { type: 'child', node, childId: nextId, change: { status: 'running' } } as const;
      if (item === undefined) this.#move(runs);
      else childChanged(this.#step, runs, node, item);
    }
    return this.#finish(node);
  }

  cancel(reason: string): StepResult {
    if (this.#configuration.hasBegun) this.#move({ type: 'cancel', reason });
    else this.#endBeforeBegin('cancelled');
    return this.#finish(null, reason);
  }

  /** Nothing of it has run, and nothing does. */
  #endBeforeBegin(status: 'cancelled' | 'failed'): void {
    this.#step.timers.clear(START_TIMER);
    this.#configuration = this.#program.walker.at([endStateId(status)]);
  }

  /** Ends the execution as failed without asking the machine, which may be broken. */
  abort(error: string): StepResult {
    const { tables, walker } = this.#program;
    const step = this.#step;
    for (const [id, { node }] of tables.timers) if (step.now.active.get(node) !== undefined) step.timers.clear(id);
    if (!this.#configuration.hasBegun) this.#endBeforeBegin('failed');
    step.haltWith({ status: 'failed', error });
    const { data } = conclude(step, 'failed', null);
    step.addEvent('workflow_failed', null, Object.assign({}, data, { corrupt: true }));
    this.#configuration = walker.at([endStateId('failed')]);
    return this.#result('failed', null);
  }

  // Suspension by an operator, retry and fork.

  /** Defers also queued work: its work items are withdrawn until `resume`. */
  pause(reason: string | null): StepResult {
    this.#suspend(reason);
    return this.#finish(null);
  }

  #suspend(reason: string | null): void {
    this.#step.addEvent('workflow_paused', null, { reason });
    this.#step.set({ suspension: { reason, deferred: [] } });
    const queued = this.#step.now.active.entries().filter(([, active]) => active.phase === 'queued');
    for (const [node, active] of queued) this.#step.effects.abandon(node, active);
    this.#defer([...queued.map(([node]) => node), ...this.#deferQueuedItems()]);
  }

  /** Defers items and calls that wait for a worker, a slot or capacity. Returns the nodes that have other items to begin. */
  #deferQueuedItems(): readonly string[] {
    return this.#step.now.active.entries().flatMap(([node, { items, phase, journal }]) => {
      if (items === undefined || (phase !== 'items' && journal === undefined)) return [];
      for (const [item, active] of items.entries()) {
        if (active.phase !== 'queued') continue;
        this.#step.effects.abandon(node, active, item);
        deferItem(this.#step, node, item);
      }
      return journal === undefined ? [node] : [];
    });
  }

  /** Suspends an execution that has exceeded a budget, if its workflow says so. */
  #pauseOverBudget(): void {
    const { workflow } = this.#program.tables;
    const { suspension, ending } = this.#step.now;
    const isEnding = this.#isEndReset || this.#configuration.end !== null || ending !== null;
    if (workflow.on_budget_exceeded !== 'pause' || isEnding || suspension !== null) return;
    const exceeded = exceededBudget(this.#step.now, workflow);
    if (exceeded !== null) this.#suspend(exceeded.error);
  }

  /** `budgets`: new totals from now on. */
  resume(budgets: Budgets | null): StepResult {
    this.#step.addEvent('workflow_resumed', null, budgets === null ? {} : budgetEventData(budgets));
    this.#step.raiseBudgets(budgets ?? undefined);
    return this.#beginDeferred(this.#step.now.suspension?.deferred ?? []);
  }

  /** Ends a suspension: its nodes begin, unless the execution is over its budget and continues elsewhere. */
  #beginDeferred(nodes: readonly string[]): StepResult {
    const exceeded = exceededBudget(this.#step.now, this.#program.tables.workflow);
    if (exceeded !== null) continueElsewhere(this.#step, null, exceeded.error);
    if (!this.#leaveIfHalted()) this.#beginAtEnd(nodes);
    this.#step.set({ suspension: null });
    beginDeferredCalls(this.#step);
    const { functions } = this;
    for (const [node, { journal }] of this.#step.now.active.entries())
      if (journal !== undefined && functions.continuesAsNew(node)) break;
    return this.#finish(null);
  }

  /** The backoff of a retry has ended in a suspended execution: the attempt is deferred, and the log says so. */
  deferRetry(id: `xstate.after.${string}`, node: string): StepResult {
    this.#step.addEvent('timer_fired', node, { activation: this.#step.activeOf(node).activation });
    return this.send({ type: id, node }, node);
  }

  /** Visits nodes whose failure has been reset, and ends a suspension. */
  retry(failed: readonly string[]): StepResult {
    const { tables, walker } = this.#program;
    const nodes = inDocumentOrder(tables.graph, failed);
    const visits = nodes.map((node) => ({ node, ...this.#step.endVisit(node) }));
    const resetFailures = visits.map(({ since }) => since ?? 0).sort((a, b) => a - b);
    this.#step.addEvent('workflow_retried', null, { nodes: [...nodes], forgiven: resetFailures });
    for (const { node, activation, map, journal } of visits) {
      this.#step.setVisits(node, activation);
      // The items that have succeeded are kept.
      if (map !== undefined)
        this.#step.setActive(node, { activation: this.#step.countVisit(node), attempt: 0, phase: 'deferred', map });
      if (journal !== undefined) this.functions.visitAgain(node, journal);
    }
    this.#step.set({ suspension: { reason: null, deferred: nodes } });
    this.#configuration = walker.at(resetPositions(this.#configuration, new Set(nodes), tables));
    return this.#beginDeferred(nodes);
  }

  /** Logs a failure that a later retry resets. The machine stays where it was, and so does the node. */
  failUntilRetry({ node, event, events, endsExecution }: ResetFailure): StepResult {
    for (const { type, data } of events) {
      this.#step.addEvent(type, node, data);
      if (type === 'approval_received') this.#step.patches.apply(data.state_patch);
    }
    this.#awaitRetry(event, node);
    meter(this.#step, node, event);
    // An execution that ends is not paused over its budget.
    return endsExecution
      ? this.#result(statusOf(this.#configuration, this.#step.now.suspension !== null), node)
      : this.#finish(node);
  }

  /** The node takes no message until a retry. What the attempt used is spent all the same. */
  #awaitRetry(event: MachineEvent, node: string): void {
    this.#step.abandonCalls(node);
    const { phase, activation, attempt, map } = this.#step.activeOf(node);
    if (phase !== 'awaiting_approval' && map === undefined) countAttempt(this.#step, node, event, 'failed');
    const failed = { activation, attempt, phase: 'failed', since: this.#step.sequence } as const;
    this.#step.setActive(node, map === undefined ? failed : Object.assign(failed, { map }));
    const { suspension } = this.#step.now;
    // Items that waited for `resume` have failed with it.
    if (suspension !== null)
      this.#step.set({ suspension: { ...suspension, deferred: suspension.deferred.filter((each) => each !== node) } });
  }

  /** Begins everything that the origin had in progress, as the same attempts; approvals are asked again. */
  fork({ origin, patch: given, decisions, keepDecisions }: Fork): StepResult {
    const { executionId, sequence } = origin;
    const patch = this.#step.patches.admitted(given, null);
    const { tables } = this.#program;
    this.#step.addEvent('workflow_forked', null, {
      origin: { execution_id: executionId, sequence },
      state_patch: patch,
      decisions: [...decisions],
      ...(keepDecisions === true ? { keep_decisions: true } : {}),
    });
    this.#step.patches.apply(patch);
    const { startAtMs, segment } = this.#step.now;
    // It begins a chain of its own.
    if (segment !== undefined) this.#step.set({ segment: 0 });
    if (!this.#configuration.hasBegun && startAtMs !== undefined) this.#startLater(startAtMs);
    const work: string[] = [];
    const children: string[] = [];
    const failed: FailEvent[] = [];
    for (const node of inDocumentOrder(tables.graph, this.#step.now.active.nodes())) {
      const { phase, activation, attempt } = this.#step.activeOf(node);
      // What the origin has begun elsewhere stays its own.
      this.#step.dropProgress(node);
      if (this.#step.activeOf(node).journal !== undefined) restartWaits(this.#step, node, this.#env.nowMs);
      if (phase === 'queued' || phase === 'running') work.push(node);
      else if (phase === 'items') {
        this.#restartItems(node, executionId);
        work.push(node);
      } else if (phase === 'child') children.push(node);
      else if (phase === 'backoff') {
        const { retry } = tables.nodeOf(node);
        const delayMs = backoffMs(retry, attempt, `${executionId}\n${node}\n${activation}`);
        this.#step.timers.set(retryTimerId(node), delayMs);
      } else if (phase !== 'deferred' && !this.#isParkedFunction(node)) failed.push(...this.#restartWait(node));
    }
    this.#beginAtEnd(work, true);
    for (const node of children) this.#move({ type: 'requeue', node });
    for (const event of failed) if (this.#step.now.active.get(event.node) !== undefined) this.#move(event);
    return this.#finish(null);
  }

  /** What is in progress begins anew, as the same attempts; what has ended stays. */
  #restartItems(node: string, originId: string): void {
    const { retry } = this.#program.tables.nodeOf(node);
    for (const [item, { phase, activation, attempt }] of this.#step.activeOf(node).items?.entries() ?? []) {
      this.#step.dropProgress(node, item);
      if (phase === 'backoff') {
        const delayMs = backoffMs(retry, attempt, `${originId}\n${node}\n${activation}\n${item}`);
        this.#step.timers.set(retryTimerId(node, item), delayMs);
      } else if (phase === 'awaiting_approval')
        this.#step.setActive(node, Object.assign({}, this.#step.activeOf(node, item), { atMs: this.#env.nowMs }), item);
      else deferItem(this.#step, node, item);
    }
  }

  #isParkedFunction(node: string): boolean {
    const { phase, journal } = this.#step.activeOf(node);
    return phase === 'waiting' && journal !== undefined;
  }

  /**
   * Starts the timeout of a parked node anew; its template is rendered from the current state. Returns the failures of the node: of a template that
   * cannot be rendered, or gives no time.
   */
  #restartWait(node: string): readonly FailEvent[] {
    const active = this.#step.activeOf(node);
    const { nowMs } = this.#env;
    const { kind } = this.#program.tables.nodeOf(node);
    if (active.phase === 'approval' && active.result !== undefined) {
      const since = this.#step.addEvent(
        'interrupt_raised',
        node,
        reviewData(this.#step, active.description ?? '', active.activation),
      );
      this.#step.setActive(node, Object.assign({}, active, { since, atMs: nowMs }));
    } else if (active.phase === 'approval') {
      const rendered = renderApproval(this.#step, node, active.activation, kind, this.#env);
      if (rendered === null) return [budgetFailure(this.#step, node)];
      const since = this.#step.addEvent('interrupt_raised', node, rendered.data);
      this.#step.setActive(node, Object.assign({}, active, { since, atMs: nowMs, description: rendered.description }));
    } else if (active.atMs !== undefined) this.#step.setActive(node, Object.assign({}, active, { atMs: nowMs }));
    const timer = active.phase === 'awaiting_approval' ? null : parkTimer(kind, node);
    if (timer === null) return [];
    if (active.phase === 'waiting') {
      const failure = setWaitTimer(this.#step, node, timer, this.#env);
      return failure === null ? [] : [failure];
    }
    if (timer.ms !== null) this.#step.timers.set(timer.id, timer.ms);
    return [];
  }

  // ------------------------------------------------------------------ moving

  #move(event: MachineEvent): void {
    const moved = this.#program.stepper.move(this.#configuration, event, { step: this.#step });
    if (moved === null)
      throw new TypeError(`no transition for event "${event.type}" in states ${positionsOf(this.#configuration).join(', ')}`);
    this.#absorb(moved);
  }

  #absorb(configuration: Configuration): void {
    this.#configuration = configuration;
    this.#step.settle();
    this.#reached = [...this.#reached, ...this.#step.takeReached()];
    if (configuration.end === null) this.#leaveIfHalted();
  }

  // ------------------------------------------------------------------ beginning

  #beginReached(): void {
    while (this.#reached.length > 0 && this.#configuration.end === null) {
      const order = this.#withoutDeferred(this.#stillEntered(this.#reached));
      this.#reached = [];
      for (const [i, node] of order.entries()) {
        if (this.#continuesAt(node)) return;
        const ended = beginNode(this.#step, node, this.#env);
        if (ended === null || this.#isReset(node, ended)) continue;
        this.#reached = order.slice(i + 1);
        this.#move(ended);
        break;
      }
    }
  }

  /** Does the execution continue as another one instead of visiting the node? */
  #continuesAt(node: string): boolean {
    if (node !== this.#program.workflow.continuation?.at || this.#step.now.active.get(node) !== undefined) return false;
    const passed = passedLimit(this.#step.now, this.#program.workflow.continuation);
    if (passed === null) return false;
    const { executionId, nowMs } = this.#env;
    const continuedAs = nextSegmentId(executionId, this.#step.now.segment ?? 0, nowMs);
    this.#step.haltWith({ status: 'limit_exceeded', error: passed, continuedAs, at: node });
    this.#leaveIfHalted();
    return true;
  }

  /**
   * Is the end of a node that ended as soon as it began a failure which a later retry has reset? It is logged, and the node waits for that
   * retry.
   */
  #isReset(node: string, ended: MachineEvent): boolean {
    const reset = ended.type === 'fail' ? this.#env.resetWith?.(this.#step.sequence + 1) : null;
    if (ended.type !== 'fail' || reset === null || reset === undefined) return false;
    this.#isEndReset = reset.endsExecution;
    const { activation, attempt } = this.#step.activeOf(node);
    this.#step.addEvent('node_failed', node, failedData(ended, attempt, activation));
    this.#awaitRetry(ended, node);
    return true;
  }

  /** A suspended execution begins nothing but an attempt that was in progress before; the other nodes are deferred. */
  #withoutDeferred(order: readonly string[]): readonly string[] {
    if (this.#step.now.suspension === null) return order;
    this.#defer(order.filter((node) => node !== this.#resumedNode));
    return order.filter((node) => node === this.#resumedNode);
  }

  /** Defers nodes until `resume`. */
  #defer(nodes: readonly string[]): void {
    const { suspension, active } = this.#step.now;
    for (const node of nodes) {
      const known = active.get(node);
      // The items of a list that are in progress go on.
      if (known !== undefined && known.map === undefined) this.#step.setActive(node, visitIn('deferred', known));
    }
    if (suspension !== null)
      this.#step.set({ suspension: { ...suspension, deferred: this.#stillEntered([...suspension.deferred, ...nodes]) } });
  }

  /** Begins nodes at the end of this step whose states were entered earlier, with the timeouts of those that park. */
  #beginAtEnd(nodes: readonly string[], isFork = false): void {
    this.#reached = [...nodes];
    for (const node of nodes) {
      const definition = this.#program.tables.nodeOf(node);
      // Its time goes on.
      if (this.#step.now.active.get(node)?.phase === 'items' && !isFork) continue;
      const timeout = definitionOf(definition.kind).parkTimeout(definition.kind) ?? attemptTimeoutMs(definition);
      if (typeof timeout === 'number') this.#step.timers.set(timerId(timeout, stateId(node)), timeout);
    }
  }

  /** The nodes whose states are still entered, in document order: a first-wins join may have left others. */
  #stillEntered(nodes: readonly string[]): readonly string[] {
    const [only] = nodes;
    if (only === undefined) return [];
    const { walker, tables } = this.#program;
    if (nodes.length === 1) return walker.isAt(this.#configuration, only) ? nodes : [];
    const entered = [...new Set(nodes)].filter((node) => walker.isAt(this.#configuration, node));
    return inDocumentOrder(tables.graph, entered);
  }

  // ------------------------------------------------------------------ ending

  #finish(node: string | null, reason: string | null = null): StepResult {
    this.#pauseOverBudget();
    this.#beginReached();
    const { suspension } = this.#step.now;
    if (suspension !== null) this.#defer([]);
    const status = statusOf(this.#configuration, suspension !== null);
    if (this.#configuration.end !== null) {
      const { type, data } = conclude(this.#step, status, reason);
      // After the finalizer that a cancel ends, with which a replay recognises it.
      if (status === 'completed') strategyCompletes(this.#step);
      this.#step.addEvent(type, null, data);
    }
    return this.#result(status, node);
  }

  #result(status: Status, node: string | null): StepResult {
    const step = this.#step;
    const limited = this.#program.workflow.continuation?.after_bytes;
    if (typeof limited === 'number') step.set({ logChars: (step.now.logChars ?? 0) + logCharsOf(step.events) });
    const context = step.freeze();
    const { evaluation } = step;
    const { ignored } = step.patches;
    evaluation.diagnostics.push(...ignored.map((key) => `state key "${key}" is left out: only the runtime writes it`));
    step.effects.add(step.timers.effects(this.#program.tables, context, this.#env.nowMs));
    return {
      run: {
        snapshot: { configuration: this.#configuration, context },
        seq: step.sequence,
        status,
        steps: context.steps,
        input: context.input,
        error: context.error,
        localWork: context.active.localWork,
        knownSize: null,
      },
      events: step.events,
      effects: step.effects.all(),
      diagnostics: evaluation.diagnostics,
      ignored,
      node,
    };
  }
}
