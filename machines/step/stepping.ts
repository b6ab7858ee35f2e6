import type { AnyMachineSnapshot } from 'xstate';
import { BACKOFF, ends, retryOf, stateId, timerId } from '../compile/names.ts';
import { parkedForMs } from '../compile/timers.ts';
import type { Program } from '../compile.ts';
import type { EventType, LogEvent } from '../events.ts';
import { LANGUAGE } from '../expression/tree.ts';
import { type Json, type JsonObject, patchState } from '../json.ts';
import type { Budgets, Done, Enqueue, Fail, Fork } from '../messages.ts';
import type { Run, Status, StepEnv, Stepped } from '../run.ts';
import { backoffMs } from './backoff.ts';
import { beginNode, interrupt, overBudget, timerData } from './begin.ts';
import { budgetsData, exceededBudget, withBudgets } from './budgets.ts';
import { asWritten, conclude } from './conclusion.ts';
import { type Active, type Context, languageOf, localWorkOf, own } from './context.ts';
import { Draft } from './draft.ts';
import { usageData } from './endings.ts';
import { atTheirEntry } from './forgiveness.ts';
import { statusOf } from './status.ts';
import { StepEffects } from './step-effects.ts';
import { type Moved, positionsOf } from './stepper.ts';
import { isTimer, type Stimulus } from './stimulus.ts';
import { ARMED_IN, Timers } from './timers.ts';

type ActionParams = { readonly node?: string; readonly id?: string; readonly delay?: number; readonly sendId?: string };

/**
 * One step in the making. The machine settles first (control nodes, skips, joins), then nodes that were reached begin, in the order
 * they were written; one that ends at once (an early event, a blocked tool) moves the machine again.
 */
export class Stepping {
  readonly #program: Program;
  readonly #env: StepEnv;
  readonly #input: Json;
  readonly #before: number;
  #snapshot: AnyMachineSnapshot;
  /** What the step itself changes between two moves of the machine. */
  #draft: Draft;
  readonly #events: LogEvent[] = [];
  readonly #effects = new StepEffects();
  readonly #timers = new Timers();
  /** Nodes that were reached and have yet to begin. */
  #begins: string[] = [];
  #fresh = false;
  /** Its attempt was under way before: beginning it again is nothing new, which a hold would keep. */
  #again: string | null = null;

  constructor(program: Program, run: Run, env: StepEnv) {
    this.#program = program;
    this.#env = env;
    this.#input = run.input;
    this.#before = run.seq;
    this.#snapshot = run.snapshot;
    this.#draft = new Draft(program.statics, this.#context);
  }

  static start(program: Program, context: Context, env: StepEnv): Stepping {
    const moved = program.stepper.initial(context);
    const run = { snapshot: moved.snapshot, seq: 0, input: context.input } as Run;
    const stepping = new Stepping(program, run, env);
    stepping.#first = moved;
    return stepping;
  }

  #first: Moved | null = null;

  get #context(): Context {
    return this.#snapshot.context as Context;
  }

  log(type: EventType, node: string | null, data: JsonObject): number {
    const sequence = this.#before + this.#events.length + 1;
    this.#events.push({ sequence, type, node_id: node, data });
    return sequence;
  }

  begin(): Stepped {
    if (this.#first !== null) this.#absorb(this.#first);
    return this.#finish(null);
  }

  hears(id: string): boolean {
    return this.#snapshot._nodes.some((node) => node.transitions.has(id));
  }

  take(stimulus: Stimulus, node: string): Stepped {
    if (isTimer(stimulus)) this.#timers.fired(stimulus.type);
    if (stimulus.type === 'requeue') this.#again = node;
    this.#move(stimulus);
    return this.#finish(node);
  }

  /** Work that waits for an external worker is done in process instead: its item is not to be had any more. */
  reclaim(node: string, active: Active): Stepped {
    this.#effects.giveUp(node, active);
    return this.take({ type: 'requeue', node }, node);
  }

  // Work beside the graph: part of the log and of the state, but no node of the machine moves.

  enqueue({ node, queue }: Enqueue): Stepped {
    this.log('node_scheduled', node, { queue_type: queue, attempt: 0, activation: 0 });
    return this.#finish(node);
  }

  doneBeside({ node, output, patch, durationMs, usage }: Done): Stepped {
    const data = { output, state_patch: patch ?? {}, duration_ms: durationMs, ...usageData(usage), activation: 0 };
    this.log('node_completed', node, data);
    const draft = this.#draft;
    draft.set({ state: patchState(draft.now.state, patch), steps: draft.now.steps + 1 });
    draft.use(usage);
    return this.#finish(node);
  }

  failedBeside({ node, error }: Fail): Stepped {
    this.log('node_failed', node, { error, attempt: 0, retryable: false, activation: 0 });
    return this.#finish(node);
  }

  /** An external event: for the node that has waited longest for it, else kept for one that may come. */
  receive(key: string, payload: Json): Stepped {
    const sequence = this.log('external_event_received', null, { correlation_key: key, payload });
    const waiting = Object.entries(this.#context.active)
      .filter(([, active]) => active.key === key)
      .sort(([, a], [, b]) => (a.since ?? 0) - (b.since ?? 0));
    const [longest] = waiting;
    if (longest !== undefined) {
      this.#move({ type: 'event', node: longest[0], payload, sequence });
      return this.#finish(longest[0]);
    }
    if (this.#program.statics.awaited.has(key)) {
      this.#draft.set({ early: [...this.#context.early, { key, payload, sequence }] });
    }
    return this.#finish(null);
  }

  /** A child that cannot start yet. The machine does not move: its node stays busy. */
  childWaits(node: string, active: Active): Stepped {
    const { activation, attempt } = active;
    this.log('child_workflow_waiting', node, { reason: 'waiting_for_capacity', attempt, activation });
    this.#draft.activate(node, { ...active, phase: 'queued' });
    return this.#finish(node);
  }

  cancel(reason: string): Stepped {
    this.#move({ type: 'cancel' });
    return this.#finish(null, reason);
  }

  /** Ends the run as failed without asking the machine, which may be what is broken. */
  abort(error: string): Stepped {
    const { statics, stepper } = this.#program;
    const { active } = this.#context;
    for (const [id, { node, kind }] of statics.timers) if (own(active, node)?.phase === ARMED_IN[kind]) this.#timers.clear(id);
    this.#draft.set({ halt: { status: 'failed', error } });
    const { data } = conclude(this.#draft, 'failed', null);
    this.#drain();
    this.log('workflow_failed', null, { ...data, corrupt: true });
    this.#keep();
    this.#snapshot = stepper.resume([ends('failed')], this.#context);
    return this.#result('failed', null);
  }

  // An operator's hold, and what follows it.

  /** Work that nobody has claimed is kept too: its item is not to be had until `resume`. */
  pause(reason: string | null): Stepped {
    this.#pause(reason);
    return this.#finish(null);
  }

  #pause(reason: string | null): void {
    this.log('workflow_paused', null, { reason });
    this.#draft.set({ hold: { reason, kept: [] } });
    const queued = Object.entries(this.#draft.now.active).filter(([, active]) => active.phase === 'queued');
    for (const [node, active] of queued) this.#effects.giveUp(node, active);
    this.#hold(queued.map(([node]) => node));
  }

  /** Nothing more begins of what has used more than it may, if that is what its workflow wants. */
  #pauseOverBudget(): void {
    const { workflow } = this.#program.statics;
    if (workflow.on_budget_exceeded !== 'pause' || this.#snapshot.status !== 'active' || this.#draft.now.hold !== null) return;
    const exceeded = exceededBudget(this.#draft.now, workflow);
    if (exceeded !== null) this.#pause(exceeded.error);
  }

  /** New totals hold from now on. */
  resume(budgets: Budgets | null): Stepped {
    this.log('workflow_resumed', null, budgets === null ? {} : budgetsData(budgets));
    this.#beginLater(this.#context.hold?.kept ?? []);
    this.#draft.set({ hold: null, ...(budgets === null ? {} : { budgets: withBudgets(this.#context.budgets, budgets) }) });
    return this.#finish(null);
  }

  /** A retry's backoff is over while an operator holds the execution: the attempt is kept, and the log says so. */
  retryDue(id: `xstate.after.${string}`, node: string): Stepped {
    this.log('timer_fired', node, { activation: this.#draft.activeOf(node).activation });
    return this.take({ type: id, node }, node);
  }

  /** Nodes whose failure has been forgiven are visited anew; nothing holds them any more. */
  retry(failed: readonly string[]): Stepped {
    const { statics, stepper } = this.#program;
    const nodes = asWritten(statics.graph, failed);
    const visits = nodes.map((node) => ({ node, ...this.#draft.retire(node) }));
    const forgiven = visits.map(({ since }) => since ?? 0).sort((a, b) => a - b);
    this.log('workflow_retried', null, { nodes: [...nodes], forgiven });
    for (const { node, activation } of visits) this.#draft.visited(node, activation);
    this.#draft.set({ hold: null });
    this.#keep();
    this.#snapshot = stepper.resume(atTheirEntry(this.#snapshot, new Set(nodes), statics), this.#context);
    this.#fresh = true;
    this.#beginLater(nodes);
    return this.#finish(null);
  }

  /** Everything that another execution had under way is begun by this one, under the same attempts; whoever was asked is asked again. */
  fork({ origin, patch, decisions, keepDecisions }: Fork): Stepped {
    const { executionId, sequence } = origin;
    const { statics } = this.#program;
    // What comes from here on is read as an execution that starts now would read it.
    const language = Math.min(this.#env.language ?? LANGUAGE, statics.language);
    const spoken = language > languageOf(this.#context) ? { language } : {};
    this.log('workflow_forked', null, {
      origin: { execution_id: executionId, sequence },
      state_patch: patch,
      ...(decisions === undefined ? {} : { decisions: [...decisions] }),
      ...(keepDecisions === true ? { keep_decisions: true } : {}),
      ...spoken,
    });
    this.#draft.patch(patch);
    this.#draft.set(spoken);
    const work: string[] = [];
    const children: string[] = [];
    const failed: string[] = [];
    for (const node of asWritten(statics.graph, Object.keys(this.#context.active))) {
      const { phase, activation, attempt } = this.#draft.activeOf(node);
      if (phase === 'queued' || phase === 'running') work.push(node);
      else if (phase === 'child') children.push(node);
      else if (phase === 'backoff') {
        const { retry } = statics.nodeOf(node);
        const delayMs = backoffMs(retry, attempt, `${executionId}\n${node}\n${activation}`);
        this.#timers.set(timerId(BACKOFF, retryOf(stateId(node))), delayMs);
      } else if (phase !== 'kept' && !this.#parkAnew(node, decisions !== undefined)) failed.push(node);
    }
    this.#beginLater(work);
    for (const node of children) this.#move({ type: 'requeue', node });
    for (const node of failed) if (own(this.#context.active, node) !== undefined) this.#move(overBudget(this.#draft, node));
    return this.#finish(null);
  }

  /**
   * What waits for somebody or something waits as long again, from now on; a person is asked with the state as it is now. False when the
   * budget of the step does not suffice to say what.
   */
  #parkAnew(node: string, asksAnew: boolean): boolean {
    const active = this.#draft.activeOf(node);
    const { nowMs } = this.#env;
    const { kind } = this.#program.statics.nodeOf(node);
    if (active.phase === 'approval' && asksAnew) {
      const asked = interrupt(this.#draft, node, active.activation, kind, this.#env);
      if (asked === null) return false;
      const since = this.log('interrupt_raised', node, asked.data);
      this.#draft.activate(node, { ...active, since, atMs: nowMs, description: asked.description });
    } else if (active.atMs !== undefined) this.#draft.activate(node, { ...active, atMs: nowMs });
    const parkedMs = active.phase === 'held' ? null : parkedForMs(kind);
    if (parkedMs === null) return true;
    this.#timers.set(timerId(parkedMs, stateId(node)), parkedMs);
    if (active.phase === 'waiting') this.log('timer_created', node, timerData(nowMs + parkedMs, active));
    return true;
  }

  // ------------------------------------------------------------------ moving

  #move(stimulus: Stimulus): void {
    this.#keep();
    const before = this.#snapshot;
    const moved = this.#program.stepper.move(before, stimulus);
    if (moved.snapshot === before && moved.actions.length === 0)
      throw new TypeError(`nothing hears ${stimulus.type} in ${positionsOf(before).join(', ')}`);
    this.#absorb(moved);
  }

  /** Takes over what the machine did: facts become events, requests are noted. */
  #absorb({ snapshot, actions }: Moved): void {
    this.#fresh = snapshot !== this.#snapshot;
    this.#snapshot = snapshot;
    for (const { type, params } of actions) {
      const { node, id, delay, sendId } = params as ActionParams;
      if (type === 'begin' && node !== undefined) this.#begins.push(node);
      else if (type === 'xstate.raise' && id !== undefined && delay !== undefined) this.#timers.set(id, delay);
      else if (type === 'xstate.cancel' && sendId !== undefined) this.#timers.clear(sendId);
    }
    this.#draft = new Draft(this.#program.statics, this.#context);
    this.#draft.settleSkips(null);
    this.#drain();
    if (this.#context.halt !== null && snapshot.status === 'active') this.#move({ type: 'halt' });
  }

  /** Facts become events; visits that ended without a result are given up. */
  #drain(): void {
    const { facts, dropped } = this.#draft.now;
    for (const { type, node, data } of facts) this.log(type, node, data);
    for (const { node, active } of dropped) this.#effects.giveUp(node, active);
    this.#draft.settled();
  }

  /** Snapshots are immutable for everyone else; one that the machine has just made is ours alone. */
  #keep(): void {
    const context = this.#draft.done();
    if (context === this.#context) return;
    if (!this.#fresh) this.#snapshot = { ...this.#snapshot } as AnyMachineSnapshot;
    this.#fresh = true;
    (this.#snapshot as { context: Context }).context = context;
    this.#draft = new Draft(this.#program.statics, context);
  }

  // ------------------------------------------------------------------ beginning

  #beginAll(): void {
    while (this.#begins.length > 0 && this.#snapshot.status === 'active') {
      const order = this.#letThrough(this.#inOrder(this.#begins));
      this.#begins = [];
      let ended: Stimulus | null = null;
      for (const [i, node] of order.entries()) {
        const logged = this.#before + this.#events.length + this.#draft.now.facts.length;
        const begun = beginNode(this.#draft, node, this.#env, logged);
        this.#effects.add(begun.effects);
        if (begun.stimulus === null) continue;
        ended = begun.stimulus;
        this.#begins = order.slice(i + 1);
        break;
      }
      this.#drain();
      if (ended !== null) this.#move(ended);
    }
  }

  /** Held, nothing begins but an attempt that was under way before. */
  #letThrough(order: readonly string[]): readonly string[] {
    if (this.#draft.now.hold === null) return order;
    this.#hold(order.filter((node) => node !== this.#again));
    return order.filter((node) => node === this.#again);
  }

  /** Keeps nodes until `resume`. */
  #hold(nodes: readonly string[]): void {
    const { hold, active } = this.#draft.now;
    for (const node of nodes) {
      const known = own(active, node);
      if (known !== undefined)
        this.#draft.activate(node, { activation: known.activation, attempt: known.attempt, phase: 'kept' });
    }
    if (hold !== null) this.#draft.set({ hold: { ...hold, kept: this.#inOrder([...hold.kept, ...nodes]) } });
  }

  /** Nodes whose states were entered in an earlier step, or in none, begin in this one; so do the times that limit how long they park. */
  #beginLater(nodes: readonly string[]): void {
    this.#begins = [...nodes];
    for (const node of nodes) {
      const parkedMs = parkedForMs(this.#program.statics.nodeOf(node).kind);
      if (parkedMs !== null) this.#timers.set(timerId(parkedMs, stateId(node)), parkedMs);
    }
  }

  /** Only what is still entered begins: a first-wins join may have left it meanwhile. */
  #inOrder(begins: readonly string[]): readonly string[] {
    const [only] = begins;
    if (only === undefined) return [];
    if (begins.length === 1) return this.#snapshot._nodes.some((state) => state.meta?.node === only) ? begins : [];
    const standing = new Set(this.#snapshot._nodes.map((state) => state.meta?.node as string | undefined));
    return asWritten(
      this.#program.statics.graph,
      [...new Set(begins)].filter((node) => standing.has(node)),
    );
  }

  // ------------------------------------------------------------------ ending

  #finish(node: string | null, reason: string | null = null): Stepped {
    this.#pauseOverBudget();
    this.#beginAll();
    const { hold } = this.#draft.now;
    if (hold !== null) this.#hold([]);
    const status = statusOf(this.#snapshot, hold !== null);
    if (this.#snapshot.status === 'done') {
      const { type, data } = conclude(this.#draft, status, reason);
      this.#drain();
      this.log(type, null, data);
    }
    this.#keep();
    return this.#result(status, node);
  }

  #result(status: Status, node: string | null): Stepped {
    this.#effects.add(this.#timers.effects(this.#program.statics, this.#context, this.#env.nowMs));
    const context = this.#context;
    return {
      run: {
        snapshot: this.#snapshot,
        seq: this.#before + this.#events.length,
        status,
        steps: context.steps,
        input: this.#input,
        error: context.error,
        localWork: localWorkOf(context),
      },
      events: this.#events,
      effects: this.#effects.all(),
      diagnostics: this.#program.statics.evaluation.diagnostics.splice(0),
      node,
    };
  }
}
