import type { AnyMachineSnapshot } from 'xstate';
import type { Program } from '../compile/index.ts';
import { BACKOFF, backoffStateId, endStateId, stateId, timerId } from '../compile/state-ids.ts';
import { LANGUAGE } from '../expression/syntax-tree.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Budgets, Done, Enqueue, Fail, Fork } from '../messages.ts';
import { definitionOf } from '../nodes/index.ts';
import type { Run, Status, StepEnv, StepResult } from '../run.ts';
import { backoffMs } from './backoff.ts';
import { beginNode, budgetFailure, renderApproval, timerCreatedData } from './begin.ts';
import { budgetEventData, exceededBudget, mergeBudgets } from './budgets.ts';
import { conclude, inDocumentOrder } from './conclusion.ts';
import { type ActiveVisit, type Context, languageOf, localWorkOf, own } from './context.ts';
import type { Evaluation } from './evaluation.ts';
import { isTimerEvent, type MachineEvent } from './machine-event.ts';
import { resetPositions } from './reset.ts';
import { statusOf } from './status.ts';
import { type MachineContext, StepContext } from './step-context.ts';
import { PHASE_OF_TIMER } from './step-timers.ts';
import { type MachineStep, positionsOf } from './stepper.ts';
import { usageEventData } from './usage.ts';

/**
 * Takes one step. The machine settles first (control nodes, skips, joins), then nodes that were reached begin, in document order; a node
 * that ends as soon as it begins (a buffered event, a blocked tool) moves the machine again.
 */
export class StepRunner {
  readonly #program: Program;
  readonly #env: StepEnv;
  readonly #step: StepContext;
  #snapshot: AnyMachineSnapshot;
  /** Nodes that were entered and have yet to begin. */
  #reached: readonly string[] = [];
  /** The node whose attempt was under way before the step: a suspended execution goes on with it. */
  #resumedNode: string | null = null;

  constructor(program: Program, run: Run, env: StepEnv) {
    this.#program = program;
    this.#env = env;
    this.#step = new StepContext(program.tables, run.snapshot.context as Context, run.seq, env);
    const context: MachineContext = { step: this.#step };
    // The snapshot of the run is immutable.
    this.#snapshot = { ...run.snapshot, context } as AnyMachineSnapshot;
  }

  /** The first step of an execution. `started`: data of its `workflow_started`. */
  static start(program: Program, context: Context, started: JsonObject, env: StepEnv): StepResult {
    const runner = new StepRunner(program, { snapshot: { context }, seq: 0 } as Run, env);
    runner.#step.addEvent('workflow_started', null, started);
    runner.#absorb(program.stepper.initial({ step: runner.#step }));
    return runner.#finish(null);
  }

  get evaluation(): Evaluation {
    return this.#step.evaluation;
  }

  hasTransitionFor(id: string): boolean {
    return this.#snapshot._nodes.some((node) => node.transitions.has(id));
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

  // Work beside the graph: part of the log and of the state, but no node of the machine moves.

  enqueue({ node, queue }: Enqueue): StepResult {
    this.#step.addEvent('node_scheduled', node, { queue_type: queue, attempt: 0, activation: 0 });
    return this.#finish(node);
  }

  completeDetached({ node, output, patch, durationMs, usage }: Done): StepResult {
    const data = { output, state_patch: patch ?? {}, duration_ms: durationMs, ...usageEventData(usage), activation: 0 };
    this.#step.addEvent('node_completed', node, data);
    this.#step.patchState(patch);
    this.#step.set({ steps: this.#step.now.steps + 1 });
    this.#step.addUsage(usage);
    return this.#finish(node);
  }

  failDetached({ node, error }: Fail): StepResult {
    this.#step.addEvent('node_failed', node, { error, attempt: 0, retryable: false, activation: 0 });
    return this.#finish(node);
  }

  /** An external event: for the node that has waited longest for it, else kept for one that may come. */
  receive(key: string, payload: Json): StepResult {
    const sequence = this.#step.addEvent('external_event_received', null, { correlation_key: key, payload });
    const waiting = Object.entries(this.#step.now.active)
      .filter(([, active]) => active.key === key)
      .sort(([, a], [, b]) => (a.since ?? 0) - (b.since ?? 0));
    const [longest] = waiting;
    if (longest !== undefined) {
      this.#move({ type: 'event', node: longest[0], payload, sequence });
      return this.#finish(longest[0]);
    }
    if (this.#program.tables.correlationKeys.has(key)) {
      this.#step.set({ early: [...this.#step.now.early, { key, payload, sequence }] });
    }
    return this.#finish(null);
  }

  /** A child that cannot start yet. The machine does not move: its node stays busy. */
  childWaitsForCapacity(node: string, active: ActiveVisit): StepResult {
    const { activation, attempt } = active;
    this.#step.addEvent('child_workflow_waiting', node, { reason: 'waiting_for_capacity', attempt, activation });
    this.#step.setActive(node, { ...active, phase: 'queued' });
    return this.#finish(node);
  }

  cancel(reason: string): StepResult {
    this.#move({ type: 'cancel' });
    return this.#finish(null, reason);
  }

  /** Ends the execution as failed without asking the machine, which may be broken. */
  abort(error: string): StepResult {
    const { tables, stepper } = this.#program;
    const step = this.#step;
    for (const [id, { node, kind }] of tables.timers)
      if (own(step.now.active, node)?.phase === PHASE_OF_TIMER[kind]) step.timers.clear(id);
    step.haltWith({ status: 'failed', error });
    const { data } = conclude(step, 'failed', null);
    step.addEvent('workflow_failed', null, { ...data, corrupt: true });
    this.#snapshot = stepper.resume([endStateId('failed')], { step });
    return this.#result('failed', null);
  }

  // An operator's hold, and what follows it.

  /** Work that nobody has claimed is kept too: its item is not to be had until `resume`. */
  pause(reason: string | null): StepResult {
    this.#suspend(reason);
    return this.#finish(null);
  }

  #suspend(reason: string | null): void {
    this.#step.addEvent('workflow_paused', null, { reason });
    this.#step.set({ hold: { reason, kept: [] } });
    const queued = Object.entries(this.#step.now.active).filter(([, active]) => active.phase === 'queued');
    for (const [node, active] of queued) this.#step.effects.abandon(node, active);
    this.#defer(queued.map(([node]) => node));
  }

  /** Nothing more begins of what has used more than it may, if that is what its workflow wants. */
  #pauseOverBudget(): void {
    const { workflow } = this.#program.tables;
    if (workflow.on_budget_exceeded !== 'pause' || this.#snapshot.status !== 'active' || this.#step.now.hold !== null) return;
    const exceeded = exceededBudget(this.#step.now, workflow);
    if (exceeded !== null) this.#suspend(exceeded.error);
  }

  /** New totals hold from now on. */
  resume(budgets: Budgets | null): StepResult {
    this.#step.addEvent('workflow_resumed', null, budgets === null ? {} : budgetEventData(budgets));
    this.#beginAtEnd(this.#step.now.hold?.kept ?? []);
    this.#step.set({ hold: null, ...(budgets === null ? {} : { budgets: mergeBudgets(this.#step.now.budgets, budgets) }) });
    return this.#finish(null);
  }

  /** A retry's backoff is over while an operator holds the execution: the attempt is kept, and the log says so. */
  deferRetry(id: `xstate.after.${string}`, node: string): StepResult {
    this.#step.addEvent('timer_fired', node, { activation: this.#step.activeOf(node).activation });
    return this.send({ type: id, node }, node);
  }

  /** Nodes whose failure has been forgiven are visited anew; nothing holds them any more. */
  retry(failed: readonly string[]): StepResult {
    const { tables, stepper } = this.#program;
    const nodes = inDocumentOrder(tables.graph, failed);
    const visits = nodes.map((node) => ({ node, ...this.#step.endVisit(node) }));
    const resetFailures = visits.map(({ since }) => since ?? 0).sort((a, b) => a - b);
    this.#step.addEvent('workflow_retried', null, { nodes: [...nodes], forgiven: resetFailures });
    for (const { node, activation } of visits) this.#step.setVisits(node, activation);
    this.#step.set({ hold: null });
    this.#snapshot = stepper.resume(resetPositions(this.#snapshot, new Set(nodes), tables), { step: this.#step });
    this.#beginAtEnd(nodes);
    return this.#finish(null);
  }

  /** Everything that another execution had under way is begun by this one, under the same attempts; whoever was asked is asked again. */
  fork({ origin, patch, decisions, keepDecisions }: Fork): StepResult {
    const { executionId, sequence } = origin;
    const { tables } = this.#program;
    // What comes from here on is read as an execution that starts now would read it.
    const language = Math.min(this.#env.language ?? LANGUAGE, tables.language);
    const recordedLanguage = language > languageOf(this.#step.now) ? { language } : {};
    this.#step.addEvent('workflow_forked', null, {
      origin: { execution_id: executionId, sequence },
      state_patch: patch,
      ...(decisions === undefined ? {} : { decisions: [...decisions] }),
      ...(keepDecisions === true ? { keep_decisions: true } : {}),
      ...recordedLanguage,
    });
    this.#step.patchState(patch);
    this.#step.set(recordedLanguage);
    const work: string[] = [];
    const children: string[] = [];
    const failed: string[] = [];
    for (const node of inDocumentOrder(tables.graph, Object.keys(this.#step.now.active))) {
      const { phase, activation, attempt } = this.#step.activeOf(node);
      if (phase === 'queued' || phase === 'running') work.push(node);
      else if (phase === 'child') children.push(node);
      else if (phase === 'backoff') {
        const { retry } = tables.nodeOf(node);
        const delayMs = backoffMs(retry, attempt, `${executionId}\n${node}\n${activation}`);
        this.#step.timers.set(timerId(BACKOFF, backoffStateId(stateId(node))), delayMs);
      } else if (phase !== 'kept' && !this.#restartWait(node, decisions !== undefined)) failed.push(node);
    }
    this.#beginAtEnd(work);
    for (const node of children) this.#move({ type: 'requeue', node });
    for (const node of failed) if (own(this.#step.now.active, node) !== undefined) this.#move(budgetFailure(this.#step, node));
    return this.#finish(null);
  }

  /**
   * What waits for somebody or something waits as long again, from now on; a person is asked with the state as it is now. False when the
   * budget of the step does not suffice to say what.
   */
  #restartWait(node: string, renderAgain: boolean): boolean {
    const active = this.#step.activeOf(node);
    const { nowMs } = this.#env;
    const { kind } = this.#program.tables.nodeOf(node);
    if (active.phase === 'approval' && renderAgain) {
      const rendered = renderApproval(this.#step, node, active.activation, kind, this.#env);
      if (rendered === null) return false;
      const since = this.#step.addEvent('interrupt_raised', node, rendered.data);
      this.#step.setActive(node, { ...active, since, atMs: nowMs, description: rendered.description });
    } else if (active.atMs !== undefined) this.#step.setActive(node, { ...active, atMs: nowMs });
    const parkedMs = active.phase === 'held' ? null : definitionOf(kind).parkTimeoutMs(kind);
    if (parkedMs === null) return true;
    this.#step.timers.set(timerId(parkedMs, stateId(node)), parkedMs);
    if (active.phase === 'waiting') this.#step.addEvent('timer_created', node, timerCreatedData(nowMs + parkedMs, active));
    return true;
  }

  // ------------------------------------------------------------------ moving

  #move(event: MachineEvent): void {
    const moved = this.#program.stepper.move(this.#snapshot, event);
    if (!moved.handled)
      throw new TypeError(`no transition for event "${event.type}" in states ${positionsOf(this.#snapshot).join(', ')}`);
    this.#absorb(moved);
  }

  #absorb({ snapshot }: MachineStep): void {
    this.#snapshot = snapshot;
    this.#step.settle();
    this.#reached = [...this.#reached, ...this.#step.takeReached()];
    if (this.#step.halt !== null && snapshot.status === 'active') this.#move({ type: 'halt' });
  }

  // ------------------------------------------------------------------ beginning

  #beginReached(): void {
    while (this.#reached.length > 0 && this.#snapshot.status === 'active') {
      const order = this.#withoutDeferred(this.#stillEntered(this.#reached));
      this.#reached = [];
      for (const [i, node] of order.entries()) {
        const ended = beginNode(this.#step, node, this.#env);
        if (ended === null) continue;
        this.#reached = order.slice(i + 1);
        this.#move(ended);
        break;
      }
    }
  }

  /** Held, nothing begins but an attempt that was under way before. */
  #withoutDeferred(order: readonly string[]): readonly string[] {
    if (this.#step.now.hold === null) return order;
    this.#defer(order.filter((node) => node !== this.#resumedNode));
    return order.filter((node) => node === this.#resumedNode);
  }

  /** Keeps nodes until `resume`. */
  #defer(nodes: readonly string[]): void {
    const { hold, active } = this.#step.now;
    for (const node of nodes) {
      const known = own(active, node);
      if (known !== undefined)
        this.#step.setActive(node, { activation: known.activation, attempt: known.attempt, phase: 'kept' });
    }
    if (hold !== null) this.#step.set({ hold: { ...hold, kept: this.#stillEntered([...hold.kept, ...nodes]) } });
  }

  /** Nodes whose states were entered in an earlier step, or in none, begin in this one; so do the times that limit how long they park. */
  #beginAtEnd(nodes: readonly string[]): void {
    this.#reached = [...nodes];
    for (const node of nodes) {
      const { kind } = this.#program.tables.nodeOf(node);
      const parkedMs = definitionOf(kind).parkTimeoutMs(kind);
      if (parkedMs !== null) this.#step.timers.set(timerId(parkedMs, stateId(node)), parkedMs);
    }
  }

  /** Only what is still entered begins: a first-wins join may have left it meanwhile. */
  #stillEntered(nodes: readonly string[]): readonly string[] {
    const [only] = nodes;
    if (only === undefined) return [];
    if (nodes.length === 1) return this.#snapshot._nodes.some((state) => state.meta?.node === only) ? nodes : [];
    const entered = new Set(this.#snapshot._nodes.map((state) => state.meta?.node as string | undefined));
    return inDocumentOrder(
      this.#program.tables.graph,
      [...new Set(nodes)].filter((node) => entered.has(node)),
    );
  }

  // ------------------------------------------------------------------ ending

  #finish(node: string | null, reason: string | null = null): StepResult {
    this.#pauseOverBudget();
    this.#beginReached();
    const { hold } = this.#step.now;
    if (hold !== null) this.#defer([]);
    const status = statusOf(this.#snapshot, hold !== null);
    if (this.#snapshot.status === 'done') {
      const { type, data } = conclude(this.#step, status, reason);
      this.#step.addEvent(type, null, data);
    }
    return this.#result(status, node);
  }

  #result(status: Status, node: string | null): StepResult {
    const step = this.#step;
    const context = step.freeze();
    step.effects.add(step.timers.effects(this.#program.tables, context, this.#env.nowMs));
    return {
      run: {
        snapshot: { ...this.#snapshot, context } as AnyMachineSnapshot,
        seq: step.sequence,
        status,
        steps: context.steps,
        input: context.input,
        error: context.error,
        localWork: localWorkOf(context),
      },
      events: step.events,
      effects: step.effects.all(),
      diagnostics: step.evaluation.diagnostics,
      budgetExceeded: step.evaluation.isExceeded,
      node,
    };
  }
}
