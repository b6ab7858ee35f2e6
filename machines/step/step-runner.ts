import type { AnyMachineSnapshot } from 'xstate';
import type { Program } from '../compile/index.ts';
import { BACKOFF, backoffStateId, endStateId, stateId, timerId } from '../compile/state-ids.ts';
import type { EventType, LogEvent } from '../events.ts';
import { LANGUAGE } from '../expression/syntax-tree.ts';
import { type Json, type JsonObject, patchState } from '../json.ts';
import type { Budgets, Done, Enqueue, Fail, Fork } from '../messages.ts';
import { definitionOf } from '../nodes/index.ts';
import type { Run, Status, StepEnv, StepResult } from '../run.ts';
import { usageEventData } from './actions.ts';
import { backoffMs } from './backoff.ts';
import { beginNode, budgetFailure, renderApproval, timerCreatedData } from './begin.ts';
import { budgetEventData, exceededBudget, mergeBudgets } from './budgets.ts';
import { conclude, inDocumentOrder } from './conclusion.ts';
import { type ActiveVisit, type Context, languageOf, localWorkOf, own } from './context.ts';
import { isTimerEvent, type MachineEvent } from './machine-event.ts';
import { resetPositions } from './reset.ts';
import { statusOf } from './status.ts';
import { StepContext } from './step-context.ts';
import { StepEffects } from './step-effects.ts';
import { PHASE_OF_TIMER, StepTimers } from './step-timers.ts';
import { type MachineStep, positionsOf } from './stepper.ts';

type ActionParams = { readonly node?: string; readonly id?: string; readonly delay?: number; readonly sendId?: string };

/**
 * One step in the making. The machine settles first (control nodes, skips, joins), then nodes that were reached begin, in the order
 * they were written; one that ends at once (an early event, a blocked tool) moves the machine again.
 */
export class StepRunner {
  readonly #program: Program;
  readonly #env: StepEnv;
  readonly #input: Json;
  readonly #sequenceBefore: number;
  #snapshot: AnyMachineSnapshot;
  /** What the step itself changes between two moves of the machine. */
  #step: StepContext;
  readonly #events: LogEvent[] = [];
  readonly #effects = new StepEffects();
  readonly #timers = new StepTimers();
  /** Nodes that were reached and have yet to begin. */
  #reached: string[] = [];
  #fresh = false;
  /** Its attempt was under way before: beginning it again is nothing new, which a hold would keep. */
  #resumedNode: string | null = null;

  constructor(program: Program, run: Run, env: StepEnv) {
    this.#program = program;
    this.#env = env;
    this.#input = run.input;
    this.#sequenceBefore = run.seq;
    this.#snapshot = run.snapshot;
    this.#step = new StepContext(program.tables, this.#context);
  }

  static start(program: Program, context: Context, env: StepEnv): StepRunner {
    const moved = program.stepper.initial(context);
    const run = { snapshot: moved.snapshot, seq: 0, input: context.input } as Run;
    const runner = new StepRunner(program, run, env);
    runner.#initialStep = moved;
    return runner;
  }

  #initialStep: MachineStep | null = null;

  get #context(): Context {
    return this.#snapshot.context as Context;
  }

  log(type: EventType, node: string | null, data: JsonObject): number {
    const sequence = this.#sequenceBefore + this.#events.length + 1;
    this.#events.push({ sequence, type, node_id: node, data });
    return sequence;
  }

  begin(): StepResult {
    if (this.#initialStep !== null) this.#absorb(this.#initialStep);
    return this.#finish(null);
  }

  hasTransitionFor(id: string): boolean {
    return this.#snapshot._nodes.some((node) => node.transitions.has(id));
  }

  send(event: MachineEvent, node: string): StepResult {
    if (isTimerEvent(event)) this.#timers.noteFired(event.type);
    if (event.type === 'requeue') this.#resumedNode = node;
    this.#move(event);
    return this.#finish(node);
  }

  /** Work that waits for an external worker is done in process instead: its item is not to be had any more. */
  reclaim(node: string, active: ActiveVisit): StepResult {
    this.#effects.abandon(node, active);
    return this.send({ type: 'requeue', node }, node);
  }

  // Work beside the graph: part of the log and of the state, but no node of the machine moves.

  enqueue({ node, queue }: Enqueue): StepResult {
    this.log('node_scheduled', node, { queue_type: queue, attempt: 0, activation: 0 });
    return this.#finish(node);
  }

  completeDetached({ node, output, patch, durationMs, usage }: Done): StepResult {
    const data = { output, state_patch: patch ?? {}, duration_ms: durationMs, ...usageEventData(usage), activation: 0 };
    this.log('node_completed', node, data);
    const draft = this.#step;
    draft.set({ state: patchState(draft.now.state, patch), steps: draft.now.steps + 1 });
    draft.addUsage(usage);
    return this.#finish(node);
  }

  failDetached({ node, error }: Fail): StepResult {
    this.log('node_failed', node, { error, attempt: 0, retryable: false, activation: 0 });
    return this.#finish(node);
  }

  /** An external event: for the node that has waited longest for it, else kept for one that may come. */
  receive(key: string, payload: Json): StepResult {
    const sequence = this.log('external_event_received', null, { correlation_key: key, payload });
    const waiting = Object.entries(this.#context.active)
      .filter(([, active]) => active.key === key)
      .sort(([, a], [, b]) => (a.since ?? 0) - (b.since ?? 0));
    const [longest] = waiting;
    if (longest !== undefined) {
      this.#move({ type: 'event', node: longest[0], payload, sequence });
      return this.#finish(longest[0]);
    }
    if (this.#program.tables.correlationKeys.has(key)) {
      this.#step.set({ early: [...this.#context.early, { key, payload, sequence }] });
    }
    return this.#finish(null);
  }

  /** A child that cannot start yet. The machine does not move: its node stays busy. */
  childWaitsForCapacity(node: string, active: ActiveVisit): StepResult {
    const { activation, attempt } = active;
    this.log('child_workflow_waiting', node, { reason: 'waiting_for_capacity', attempt, activation });
    this.#step.setActive(node, { ...active, phase: 'queued' });
    return this.#finish(node);
  }

  cancel(reason: string): StepResult {
    this.#move({ type: 'cancel' });
    return this.#finish(null, reason);
  }

  /** Ends the run as failed without asking the machine, which may be what is broken. */
  abort(error: string): StepResult {
    const { tables: statics, stepper } = this.#program;
    const { active } = this.#context;
    for (const [id, { node, kind }] of statics.timers)
      if (own(active, node)?.phase === PHASE_OF_TIMER[kind]) this.#timers.clear(id);
    this.#step.set({ halt: { status: 'failed', error } });
    const { data } = conclude(this.#step, 'failed', null);
    this.#flushEvents();
    this.log('workflow_failed', null, { ...data, corrupt: true });
    this.#storeContext();
    this.#snapshot = stepper.resume([endStateId('failed')], this.#context);
    return this.#result('failed', null);
  }

  // An operator's hold, and what follows it.

  /** Work that nobody has claimed is kept too: its item is not to be had until `resume`. */
  pause(reason: string | null): StepResult {
    this.#suspend(reason);
    return this.#finish(null);
  }

  #suspend(reason: string | null): void {
    this.log('workflow_paused', null, { reason });
    this.#step.set({ hold: { reason, kept: [] } });
    const queued = Object.entries(this.#step.now.active).filter(([, active]) => active.phase === 'queued');
    for (const [node, active] of queued) this.#effects.abandon(node, active);
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
    this.log('workflow_resumed', null, budgets === null ? {} : budgetEventData(budgets));
    this.#beginAtEnd(this.#context.hold?.kept ?? []);
    this.#step.set({ hold: null, ...(budgets === null ? {} : { budgets: mergeBudgets(this.#context.budgets, budgets) }) });
    return this.#finish(null);
  }

  /** A retry's backoff is over while an operator holds the execution: the attempt is kept, and the log says so. */
  deferRetry(id: `xstate.after.${string}`, node: string): StepResult {
    this.log('timer_fired', node, { activation: this.#step.activeOf(node).activation });
    return this.send({ type: id, node }, node);
  }

  /** Nodes whose failure has been forgiven are visited anew; nothing holds them any more. */
  retry(failed: readonly string[]): StepResult {
    const { tables: statics, stepper } = this.#program;
    const nodes = inDocumentOrder(statics.graph, failed);
    const visits = nodes.map((node) => ({ node, ...this.#step.endVisit(node) }));
    const resetFailures = visits.map(({ since }) => since ?? 0).sort((a, b) => a - b);
    this.log('workflow_retried', null, { nodes: [...nodes], forgiven: resetFailures });
    for (const { node, activation } of visits) this.#step.setVisits(node, activation);
    this.#step.set({ hold: null });
    this.#storeContext();
    this.#snapshot = stepper.resume(resetPositions(this.#snapshot, new Set(nodes), statics), this.#context);
    this.#fresh = true;
    this.#beginAtEnd(nodes);
    return this.#finish(null);
  }

  /** Everything that another execution had under way is begun by this one, under the same attempts; whoever was asked is asked again. */
  fork({ origin, patch, decisions, keepDecisions }: Fork): StepResult {
    const { executionId, sequence } = origin;
    const { tables: statics } = this.#program;
    // What comes from here on is read as an execution that starts now would read it.
    const language = Math.min(this.#env.language ?? LANGUAGE, statics.language);
    const recordedLanguage = language > languageOf(this.#context) ? { language } : {};
    this.log('workflow_forked', null, {
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
    for (const node of inDocumentOrder(statics.graph, Object.keys(this.#context.active))) {
      const { phase, activation, attempt } = this.#step.activeOf(node);
      if (phase === 'queued' || phase === 'running') work.push(node);
      else if (phase === 'child') children.push(node);
      else if (phase === 'backoff') {
        const { retry } = statics.nodeOf(node);
        const delayMs = backoffMs(retry, attempt, `${executionId}\n${node}\n${activation}`);
        this.#timers.set(timerId(BACKOFF, backoffStateId(stateId(node))), delayMs);
      } else if (phase !== 'kept' && !this.#restartWait(node, decisions !== undefined)) failed.push(node);
    }
    this.#beginAtEnd(work);
    for (const node of children) this.#move({ type: 'requeue', node });
    for (const node of failed) if (own(this.#context.active, node) !== undefined) this.#move(budgetFailure(this.#step, node));
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
      const since = this.log('interrupt_raised', node, rendered.data);
      this.#step.setActive(node, { ...active, since, atMs: nowMs, description: rendered.description });
    } else if (active.atMs !== undefined) this.#step.setActive(node, { ...active, atMs: nowMs });
    const parkedMs = active.phase === 'held' ? null : definitionOf(kind).parkTimeoutMs(kind);
    if (parkedMs === null) return true;
    this.#timers.set(timerId(parkedMs, stateId(node)), parkedMs);
    if (active.phase === 'waiting') this.log('timer_created', node, timerCreatedData(nowMs + parkedMs, active));
    return true;
  }

  // ------------------------------------------------------------------ moving

  #move(event: MachineEvent): void {
    this.#storeContext();
    const before = this.#snapshot;
    const moved = this.#program.stepper.move(before, event);
    if (moved.snapshot === before && moved.actions.length === 0)
      throw new TypeError(`nothing hears ${event.type} in ${positionsOf(before).join(', ')}`);
    this.#absorb(moved);
  }

  /** Takes over what the machine did: facts become events, requests are noted. */
  #absorb({ snapshot, actions }: MachineStep): void {
    this.#fresh = snapshot !== this.#snapshot;
    this.#snapshot = snapshot;
    for (const { type, params } of actions) {
      const { node, id, delay, sendId } = params as ActionParams;
      if (type === 'begin' && node !== undefined) this.#reached.push(node);
      else if (type === 'xstate.raise' && id !== undefined && delay !== undefined) this.#timers.set(id, delay);
      else if (type === 'xstate.cancel' && sendId !== undefined) this.#timers.clear(sendId);
    }
    this.#step = new StepContext(this.#program.tables, this.#context);
    this.#step.flushSkips(null);
    this.#flushEvents();
    if (this.#context.halt !== null && snapshot.status === 'active') this.#move({ type: 'halt' });
  }

  /** Facts become events; visits that ended without a result are given up. */
  #flushEvents(): void {
    const { facts, dropped } = this.#step.now;
    for (const { type, node, data } of facts) this.log(type, node, data);
    for (const { node, active } of dropped) this.#effects.abandon(node, active);
    this.#step.clearPendingEvents();
  }

  /** Snapshots are immutable for everyone else; one that the machine has just made is ours alone. */
  #storeContext(): void {
    const context = this.#step.freeze();
    if (context === this.#context) return;
    if (!this.#fresh) this.#snapshot = { ...this.#snapshot } as AnyMachineSnapshot;
    this.#fresh = true;
    (this.#snapshot as { context: Context }).context = context;
    this.#step = new StepContext(this.#program.tables, context);
  }

  // ------------------------------------------------------------------ beginning

  #beginReached(): void {
    while (this.#reached.length > 0 && this.#snapshot.status === 'active') {
      const order = this.#withoutDeferred(this.#stillEntered(this.#reached));
      this.#reached = [];
      let ended: MachineEvent | null = null;
      for (const [i, node] of order.entries()) {
        const logged = this.#sequenceBefore + this.#events.length + this.#step.now.facts.length;
        const begun = beginNode(this.#step, node, this.#env, logged);
        this.#effects.add(begun.effects);
        if (begun.event === null) continue;
        ended = begun.event;
        this.#reached = order.slice(i + 1);
        break;
      }
      this.#flushEvents();
      if (ended !== null) this.#move(ended);
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
      const parkedMs = definitionOf(this.#program.tables.nodeOf(node).kind).parkTimeoutMs(this.#program.tables.nodeOf(node).kind);
      if (parkedMs !== null) this.#timers.set(timerId(parkedMs, stateId(node)), parkedMs);
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
      this.#flushEvents();
      this.log(type, null, data);
    }
    this.#storeContext();
    return this.#result(status, node);
  }

  #result(status: Status, node: string | null): StepResult {
    this.#effects.add(this.#timers.effects(this.#program.tables, this.#context, this.#env.nowMs));
    const context = this.#context;
    return {
      run: {
        snapshot: this.#snapshot,
        seq: this.#sequenceBefore + this.#events.length,
        status,
        steps: context.steps,
        input: this.#input,
        error: context.error,
        localWork: localWorkOf(context),
      },
      events: this.#events,
      effects: this.#effects.all(),
      diagnostics: this.#program.tables.evaluation.diagnostics.splice(0),
      node,
    };
  }
}
