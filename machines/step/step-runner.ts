import type { LogEvent } from '../events/index.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Budgets, Child, Done, Enqueue, Fail, Fork, Progress, Usage, Used } from '../messages.ts';
import { definitionOf } from '../nodes/index.ts';
import { BACKOFF, backoffStateId, endStateId, stateId, timerId } from '../program/state-ids.ts';
import { attemptTimeoutMs, parkTimer } from '../program/timers.ts';
import type { Run, Status, StepEnv, StepResult } from '../run.ts';
import { budgetEventData, continueElsewhere, exceededBudget, meter, meterUsage } from './actions/budgets.ts';
import { addApproval, rejection } from './actions/causes.ts';
import { failedData } from './actions/failure-data.ts';
import { reviewData } from './actions/scoring.ts';
import { strategyCompletes, strategyStarts } from './actions/strategy.ts';
import { usageEventData } from './actions/usage.ts';
import { conclude, inDocumentOrder } from './conclusion.ts';
import { type Configuration, positionsOf } from './configuration.ts';
import { type ActiveVisit, visitOf } from './context/active-visits.ts';
import type { Context } from './context/context.ts';
import type { Evaluation } from './context/evaluation.ts';
import { StepContext } from './context/step-context.ts';
import { isTimerEvent, type MachineEvent } from './machine-event.ts';
import type { Program } from './program.ts';
import { resetPositions } from './reset.ts';
import { statusOf } from './status.ts';
import { countAttempt, refuseBeyondLimit, releaseLimit } from './work/autonomy-gate.ts';
import { backoffMs } from './work/backoff.ts';
import { beginNode, renderApproval, timerCreatedData } from './work/begin.ts';
import { approvedJudgement } from './work/judgement.ts';
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
    strategyStarts(step);
    const initial = program.stepper.initial({ step });
    const runner = new StepRunner(program, step, initial, env);
    runner.#absorb(initial);
    return runner.#finish(null);
  }

  /** What the state takes of a patch (`StepContext.admitted`). */
  admitted(patch: Json, writer: string | null): Json {
    return this.#step.patches.admitted(patch, writer);
  }

  get evaluation(): Evaluation {
    return this.#step.evaluation;
  }

  hasTransitionFor(id: string): boolean {
    return this.#program.walker.hears(this.#configuration, id);
  }

  send(event: MachineEvent, node: string): StepResult {
    if (isTimerEvent(event)) this.#step.timers.noteFired(event.type);
    if (event.type === 'requeue') this.#resumedNode = node;
    this.#move(event);
    return this.#finish(node);
  }

  /** Work that waits for an external worker is done in process instead: its work item is withdrawn. */
  reclaim(node: string, active: ActiveVisit): StepResult {
    this.#step.effects.abandon(node, active);
    return this.send({ type: 'requeue', node }, node);
  }

  /** Logs an event of an attempt that goes on, and keeps its data for later attempts of the visit. The machine does not move. */
  logProgress({ node, event, data }: Progress, active: ActiveVisit): StepResult {
    this.#step.addEvent(event, node, { ...data, attempt: active.attempt, activation: active.activation });
    this.#step.setActive(node, { ...active, progress: { ...active.progress, [event]: data } });
    return this.#finish(node);
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
  recordUsage({ node, activation, attempt, usage, childId }: Used, nextId: string | null = null): StepResult {
    const child = childId === undefined ? {} : { child_execution_id: childId };
    this.#step.addEvent('usage_recorded', node, { ...usageEventData(usage), attempt, activation, ...child });
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
    const waiting = this.#step.now.active
      .entries()
      .filter(([, active]) => active.key === key)
      .sort(([, a], [, b]) => (a.since ?? 0) - (b.since ?? 0));
    const [longest] = waiting;
    if (longest !== undefined) {
      this.#move({ type: 'event', node: longest[0], payload, sequence });
      return this.#finish(longest[0]);
    }
    if (this.#program.tables.correlationKeys.has(key)) {
      this.#step.set({ earlyEvents: [...this.#step.now.earlyEvents, { key, payload, sequence }] });
    }
    return this.#finish(null);
  }

  /** The child cannot start yet. The machine does not move, and its node stays busy. */
  childWaitsForCapacity(node: string, active: ActiveVisit): StepResult {
    const { activation, attempt } = active;
    this.#step.addEvent('child_workflow_waiting', node, { reason: 'waiting_for_capacity', attempt, activation });
    this.#step.setActive(node, { ...active, phase: 'queued' });
    return this.#finish(node);
  }

  /** A decision on a node that has no state of its own for that: its tenant's policy holds it, or the tools that it is about to call do. */
  decideHeld(event: MachineEvent & { type: 'decide' }): StepResult {
    const { node, decision } = event;
    const active = this.#step.activeOf(node);
    addApproval(this.#step, event, active.activation);
    if (decision === 'rejected') {
      const failure = rejection(event);
      if (active.held?.limit !== undefined) refuseBeyondLimit(this.#step, node, failure.error);
      return this.send(failure, node);
    }
    if (active.held?.limit !== undefined) releaseLimit(this.#step, node, this.#env.nowMs);
    const { kind } = this.#program.tables.nodeOf(node);
    if (definitionOf(kind).behaviour(kind) === 'judge') return this.send(approvedJudgement(node, active, event), node);
    this.#step.setActive(node, { ...visitOf(active), phase: 'queued', approved: true });
    this.#move({ type: 'requeue', node });
    return this.#finish(node);
  }

  /** The child has ended, and another execution continues it. The node waits for that one. */
  childContinued(
    node: string,
    active: ActiveVisit,
    { childId, childWorkflowId }: Child,
    { nextId, usage }: Child['change'] & { readonly status: 'continued' },
  ): StepResult {
    const data = { child_execution_id: nextId, activation: active.activation, child_workflow_id: childWorkflowId };
    this.#step.addEvent('child_workflow_started', node, { ...data, continues: childId, ...usageEventData(usage) });
    this.#step.setActive(node, { ...active, child: nextId });
    meterUsage(this.#step, node, usage);
    if (!this.#leaveIfHalted() && active.paused === true)
      this.#move({ type: 'child', node, childId: nextId, change: { status: 'running' } });
    return this.#finish(node);
  }

  cancel(reason: string): StepResult {
    this.#move({ type: 'cancel', reason });
    return this.#finish(null, reason);
  }

  /** Ends the execution as failed without asking the machine, which may be broken. */
  abort(error: string): StepResult {
    const { tables, walker } = this.#program;
    const step = this.#step;
    for (const [id, { node }] of tables.timers) if (step.now.active.get(node) !== undefined) step.timers.clear(id);
    step.haltWith({ status: 'failed', error });
    const { data } = conclude(step, 'failed', null);
    step.addEvent('workflow_failed', null, { ...data, corrupt: true });
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
    this.#defer(queued.map(([node]) => node));
  }

  /** Suspends an execution that has exceeded a budget, if its workflow says so. */
  #pauseOverBudget(): void {
    const { workflow } = this.#program.tables;
    const { suspension, ending } = this.#step.now;
    if (workflow.on_budget_exceeded !== 'pause' || this.#configuration.end !== null || suspension !== null || ending !== null)
      return;
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
    for (const { node, activation } of visits) this.#step.setVisits(node, activation);
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
    const { phase, activation, attempt } = this.#step.activeOf(node);
    if (phase !== 'awaiting_approval') countAttempt(this.#step, node, event, 'failed');
    this.#step.setActive(node, { activation, attempt, phase: 'failed', since: this.#step.sequence });
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
    const work: string[] = [];
    const children: string[] = [];
    const failed: string[] = [];
    for (const node of inDocumentOrder(tables.graph, this.#step.now.active.nodes())) {
      const { phase, activation, attempt } = this.#step.activeOf(node);
      // What the origin has begun elsewhere stays its own.
      this.#step.dropProgress(node);
      if (phase === 'queued' || phase === 'running') work.push(node);
      else if (phase === 'child') children.push(node);
      else if (phase === 'backoff') {
        const { retry } = tables.nodeOf(node);
        const delayMs = backoffMs(retry, attempt, `${executionId}\n${node}\n${activation}`);
        this.#step.timers.set(timerId(BACKOFF, backoffStateId(stateId(node))), delayMs);
      } else if (phase !== 'deferred' && !this.#restartWait(node)) failed.push(node);
    }
    this.#beginAtEnd(work);
    for (const node of children) this.#move({ type: 'requeue', node });
    for (const node of failed) if (this.#step.now.active.get(node) !== undefined) this.#move(budgetFailure(this.#step, node));
    return this.#finish(null);
  }

  /**
   * Starts the timeout of a parked node anew; the message of an approval is rendered from the current state. False = the evaluation budget does
   * not suffice for it.
   */
  #restartWait(node: string): boolean {
    const active = this.#step.activeOf(node);
    const { nowMs } = this.#env;
    const { kind } = this.#program.tables.nodeOf(node);
    if (active.phase === 'approval' && active.result !== undefined) {
      const since = this.#step.addEvent(
        'interrupt_raised',
        node,
        reviewData(this.#step, active.description ?? '', active.activation),
      );
      this.#step.setActive(node, { ...active, since, atMs: nowMs });
    } else if (active.phase === 'approval') {
      const rendered = renderApproval(this.#step, node, active.activation, kind, this.#env);
      if (rendered === null) return false;
      const since = this.#step.addEvent('interrupt_raised', node, rendered.data);
      this.#step.setActive(node, { ...active, since, atMs: nowMs, description: rendered.description });
    } else if (active.atMs !== undefined) this.#step.setActive(node, { ...active, atMs: nowMs });
    const timer = active.phase === 'awaiting_approval' ? null : parkTimer(kind, node);
    if (timer === null) return true;
    this.#step.timers.set(timer.id, timer.ms);
    if (active.phase === 'waiting') this.#step.addEvent('timer_created', node, timerCreatedData(nowMs + timer.ms, active));
    return true;
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
        const ended = beginNode(this.#step, node, this.#env);
        if (ended === null || this.#isReset(node, ended)) continue;
        this.#reached = order.slice(i + 1);
        this.#move(ended);
        break;
      }
    }
  }

  /**
   * Is the end of a node that ended as soon as it began a failure which a later retry has reset? It is logged, and the node waits for that
   * retry.
   */
  #isReset(node: string, ended: MachineEvent): boolean {
    if (ended.type !== 'fail' || this.#env.isReset?.(this.#step.sequence + 1) !== true) return false;
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
      if (known !== undefined) this.#step.setActive(node, { ...visitOf(known), phase: 'deferred' });
    }
    if (suspension !== null)
      this.#step.set({ suspension: { ...suspension, deferred: this.#stillEntered([...suspension.deferred, ...nodes]) } });
  }

  /** Begins nodes at the end of this step whose states were entered earlier, with the timeouts of those that park. */
  #beginAtEnd(nodes: readonly string[]): void {
    this.#reached = [...nodes];
    for (const node of nodes) {
      const definition = this.#program.tables.nodeOf(node);
      const { kind } = definition;
      const timeoutMs = definitionOf(kind).parkTimeoutMs(kind) ?? attemptTimeoutMs(definition);
      if (timeoutMs !== null) this.#step.timers.set(timerId(timeoutMs, stateId(node)), timeoutMs);
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
