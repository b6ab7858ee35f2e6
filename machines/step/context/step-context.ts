import { pathOf } from '../../appended-lists.ts';
import type { EventType, LogEvent } from '../../events/index.ts';
import type { BitSet } from '../../graph/bit-set.ts';
import { END } from '../../graph/edges.ts';
import { isObject, type Json, type JsonObject, patchState } from '../../json.ts';
import { LazyMap } from '../../lazy-map.ts';
import type { Budgets, Usage } from '../../messages.ts';
import { definitionOf, outputKeyOf } from '../../nodes/index.ts';
import { skipOrder, skippedAfter, skippedAround, skippedFrom } from '../../program/dead-paths.ts';
import { admittedPatch } from '../../program/internal-state.ts';
import type { NodeOutcome } from '../../program/outcome-routes.ts';
import { forwardsInput } from '../../program/output-use.ts';
import type { ContextUpdate, SkipScope } from '../../program/parameters.ts';
import type { ProgramTables } from '../../program/tables.ts';
import type { StepEnv } from '../../run.ts';
import type { MachineEvent } from '../machine-event.ts';
import type { ActiveVisit } from './active-visits.ts';
import {
  type Context,
  type Ending,
  type Halt,
  lastInputOf,
  type Measure,
  mergeBudgets,
  own,
  type PendingInput,
} from './context.ts';
import { Evaluation } from './evaluation.ts';
import { InputAllowance } from './input-allowance.ts';
import { lastInputKeyOf } from './input-key.ts';
import { StepEffects } from './step-effects.ts';
import { StepTimers } from './step-timers.ts';
import { emptySubgraphState, SubgraphContext } from './subgraph-context.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

type StepContextEnv = Pick<StepEnv, 'executionId' | 'nowMs' | 'vars' | 'work' | 'recordInputs'>;

/** What XState has as the machine's context while a step runs; between steps a snapshot has the frozen `Context`. */
export interface MachineContext {
  readonly step: StepContext;
}

/**
 * The mutable context of one step: guards read it, actions and the step itself change it in place. It shares with the stored context what it does
 * not change, and copies once what it does. `freeze` gives the next stored context. A step that throws drops its context, and nothing has
 * changed.
 */
export class StepContext {
  readonly tables: ProgramTables;
  readonly evaluation: Evaluation;
  readonly effects = new StepEffects();
  readonly timers = new StepTimers();
  /** Null = the context is not one of a step that is taken: it is read, or a failure is reset in it. */
  readonly env: StepContextEnv | null;
  readonly inputAllowance: InputAllowance;
  readonly #sequenceBefore: number;
  readonly #stored: Context;
  readonly #now: Mutable<Context>;
  readonly #events: LogEvent[] = [];
  readonly #subgraphs = new LazyMap<string, SubgraphContext>();
  /** Outputs that conditions are about to read. */
  readonly #outputs = new LazyMap<string, { readonly output: Json; readonly key: string | null }>();
  /** Visits that have ended, until their transition is followed. `taken` is part of the event. */
  readonly #ended = new LazyMap<
    string,
    { readonly outcome: NodeOutcome; readonly taken: string[]; readonly data: Record<string, Json> }
  >();
  #pendingSkips: number[] = [];
  /** The node that was left last. */
  #lastLeft: string | null = null;
  #reached: string[] = [];
  #halt: Halt | null = null;
  #laneRewound = false;
  #ignored: Set<string> | null = null;

  constructor(tables: ProgramTables, stored: Context, sequenceBefore: number, env: StepContextEnv | null) {
    this.tables = tables;
    this.env = env;
    this.evaluation = new Evaluation(env?.work);
    this.inputAllowance = new InputAllowance(env?.work);
    this.#sequenceBefore = sequenceBefore;
    this.#stored = stored;
    this.#now = { ...stored };
  }

  get now(): Context {
    return this.#now;
  }

  /** The context to be stored. The step context must not be used afterwards. */
  freeze(): Context {
    for (const [key, subgraph] of this.#subgraphs.entries()) {
      const state = subgraph.changedState();
      if (state !== null && own(this.#now.subgraphs, key) !== undefined) this.#record('subgraphs')[key] = state;
    }
    return this.#now;
  }

  set(change: Partial<Context>): void {
    Object.assign(this.#now, change);
  }

  #record<K extends 'visits' | 'forks' | 'subgraphs' | 'pendingInputs'>(key: K): Record<string, Context[K][string]> {
    if (this.#now[key] === this.#stored[key]) this.#now[key] = { ...this.#stored[key] };
    return this.#now[key] as Record<string, Context[K][string]>;
  }

  // ------------------------------------------------------------------ events and visits

  get events(): readonly LogEvent[] {
    return this.#events;
  }

  /** Sequence of the last event so far. */
  get sequence(): number {
    return this.#sequenceBefore + this.#events.length;
  }

  /** Appends an event to the log and returns its sequence. */
  addEvent(type: EventType, node: string | null, data: JsonObject): number {
    const sequence = this.sequence + 1;
    this.#events.push({ sequence, type, node_id: node, data });
    return sequence;
  }

  /**
   * Logs the end of a visit, with the conditions that were evaluated for it, in `data`. The targets of its transition (`taken`) are
   * filled in by `recordTaken`: a halted execution follows none.
   */
  addVisitEnd(type: 'node_completed' | 'node_failed', node: string, outcome: NodeOutcome, data: Record<string, Json>): void {
    this.addEvent(type, node, data);
    const taken: string[] = [];
    if (this.tables.graph.out(this.indexOf(node)).length > 0) data.taken = taken;
    else if (this.tables.budgetRoute === null) return;
    const evaluated = this.evaluation.evaluated(node);
    if (evaluated.length > 0) data.evaluated = evaluated;
    this.#ended.set(node, { outcome, taken, data });
  }

  /** The transition out of a node is certain. */
  recordTaken(node: string): void {
    if (this.#halt !== null) return;
    const ended = this.#ended.get(node);
    if (ended === undefined) return;
    this.#ended.delete(node);
    const { graph, routes } = this.tables;
    const alternatives = routes[this.indexOf(node)]?.[ended.outcome] ?? [];
    const chosen = this.evaluation.chosen(node) ?? null;
    const alternative = alternatives.find(({ when }) => when === null || when === chosen);
    const targets = alternative?.live.map(({ to }) => (to === END ? 'end' : graph.idOf(to))) ?? [];
    // Most nodes have one target; several edges may lead to the same one.
    ended.taken.push(...(targets.length === 1 ? targets : new Set(targets)));
  }

  indexOf(node: string): number {
    const index = this.tables.graph.indexOf(node);
    if (index === undefined) throw new TypeError(`no node ${node}`);
    return index;
  }

  /** Counts a new visit and returns its number. */
  countVisit(node: string): number {
    const before = own(this.#now.visits, node);
    if (before === undefined && !this.tables.graph.isRevisited(this.indexOf(node))) return 1;
    return this.setVisits(node, (before ?? 0) + 1);
  }

  /** Records the number of visits, also of a node that is visited once. */
  setVisits(node: string, activation: number): number {
    this.#record('visits')[node] = activation;
    return activation;
  }

  activeOf(node: string): ActiveVisit {
    const active = this.#now.active.get(node);
    if (active === undefined) throw new TypeError(`node ${node} is not active`);
    return active;
  }

  /** The progress of a visit stays with it. */
  setActive(node: string, active: ActiveVisit): void {
    this.#now.active = this.#now.active.with(node, active);
  }

  dropProgress(node: string): void {
    this.#now.active = this.#now.active.withoutProgress(node);
  }

  endVisit(node: string): ActiveVisit {
    const active = this.activeOf(node);
    this.#now.active = this.#now.active.without(node);
    return active;
  }

  /** Ends a visit without a result. */
  cancelVisit(node: string): void {
    const active = this.endVisit(node);
    this.addEvent('node_cancelled', node, { activation: active.activation });
    this.effects.abandon(node, active);
  }

  /** The machine has entered the state of a node, which begins once everything else has settled. */
  reach(node: string): void {
    const { ending } = this.#now;
    if (ending !== null && ending.left[0] === node) this.#now.ending = { ...ending, left: ending.left.slice(1) };
    this.#reached.push(node);
  }

  /** The nodes reached since the last call. */
  takeReached(): readonly string[] {
    const reached = this.#reached;
    this.#reached = [];
    return reached;
  }

  // ------------------------------------------------------------------ halt

  /** Why the execution ends before its graph does. Once set, actions change nothing any more. */
  get halt(): Halt | null {
    return this.#halt;
  }

  haltWith(halt: Halt): void {
    this.#halt = halt;
  }

  /** Ends the halt: the execution continues elsewhere. */
  goOn(): void {
    this.#halt = null;
  }

  /** The execution is about to end: cancels what is in progress, and goes on with the nodes that run before the end. */
  beginEnding(ending: Ending, inputs: Readonly<Record<string, readonly PendingInput[]>>): void {
    this.flushSkips(null);
    this.#pendingSkips = [];
    this.#reached = [];
    this.#halt = null;
    const { status, error } = ending;
    const why = status === 'cancelled' ? { reason: error } : status === 'failed' ? { error } : {};
    this.addEvent('workflow_finalizing', null, { status, ...why });
    const { graph } = this.tables;
    const active = this.#now.active.nodes().sort((a, b) => (graph.indexOf(a) ?? 0) - (graph.indexOf(b) ?? 0));
    for (const node of active) this.cancelVisit(node);
    const cleared = { earlyEvents: [], forks: {}, subgraphs: {}, pendingInputs: inputs };
    this.set({ ...cleared, ending, ...(status === 'cancelled' ? { suspension: null } : {}) });
  }

  // ------------------------------------------------------------------ state and outputs

  /** What the state takes of a patch that is given. `writer`: the node whose result it is; null = a caller gives it. */
  admitted(patch: Json, writer: string | null): Json {
    const { internalState } = this.tables;
    if (internalState.size === 0) return patch;
    this.#ignored ??= new Set();
    return admittedPatch(internalState, patch, writer, this.#ignored);
  }

  noteIgnored(keys: ReadonlySet<string>): void {
    if (keys.size > 0) this.#ignored = new Set(keys);
  }

  /** State keys that were given and that only the runtime writes. */
  get ignored(): readonly string[] {
    return this.#ignored === null ? NONE : [...this.#ignored];
  }

  patchState(patch: Json | undefined): void {
    if (this.#now.lists !== undefined && isObject(patch)) this.#now.lists = listsBesides(this.#now.lists, patch);
    this.#now.state = patchState(this.#now.state, patch);
  }

  /** Remembers which events have lists of the state whole. */
  listsStored(lists: readonly (readonly [pointer: string, since: number])[]): void {
    if (lists.length === 0) return;
    const known = Object.entries(this.#now.lists ?? {});
    this.#now.lists = Object.fromEntries([...known, ...lists].slice(-MAX_LISTS));
  }

  /** Work beside the workflow has completed. The step limit does not stop it. */
  detachedWorkCompletes(patch: Json | undefined): void {
    this.patchState(patch);
    this.#now.steps += 1;
  }

  /** Replaces the totals that are given. */
  raiseBudgets(budgets: Budgets | undefined): void {
    if (budgets !== undefined) this.#now.budgets = mergeBudgets(this.#now.budgets, budgets);
  }

  /** Counts a completed node; halts the execution at the step limit. */
  countCompletion(): void {
    this.#now.steps += 1;
    this.#checkStepLimit();
  }

  /** A node has failed for good, and nothing handles the failure. */
  addFailure(node: string): void {
    this.#now.failures = [...this.#now.failures, node];
  }

  /** The execution continues elsewhere, and does not come back to the nodes that have failed. */
  abandonFailures(): void {
    const { failures, abandoned = [] } = this.#now;
    if (failures.length > 0) this.set({ failures: [], abandoned: [...abandoned, ...failures] });
  }

  countHandledFailure(): void {
    this.#now.handledFailures += 1;
    this.#checkStepLimit();
  }

  #checkStepLimit(): void {
    const { steps, handledFailures: handled, stepLimit: limit, ending } = this.#now;
    if (steps + handled < limit || ending !== null) return;
    this.#halt = { status: 'failed', error: `step limit of ${limit} node completions reached` };
  }

  lastInput(node: string): Json {
    return lastInputOf(this.#now, node);
  }

  /** The state key that the last input was written to as well; null = none. */
  lastInputKey(node: string): string | null {
    return lastInputKeyOf(this.tables, this.#now, node);
  }

  /** Clears what a node has read. A join that is the target of a back edge merges the same sources again. */
  inputsRead(node: string): void {
    const index = this.indexOf(node);
    const { graph } = this.tables;
    const { kind } = graph.node(index);
    if (definitionOf(kind).joins(kind) === null || graph.backIn(index).length === 0) this.clearInputs(node);
  }

  /** Clears what reached the join of a fork or subgraph in an earlier round. */
  clearJoinInputs(key: string): void {
    const join = this.tables.joins.get(key);
    if (join !== undefined) this.clearInputs(join);
  }

  clearInputs(node: string): void {
    if (own(this.#now.pendingInputs, node) !== undefined) delete this.#record('pendingInputs')[node];
  }

  /** `appends`: the target waits for several sources; otherwise earlier inputs are from an earlier round and are replaced. */
  deliverInput(target: string, source: string, output: Json, appends: boolean, key = this.#outputs.get(source)?.key): void {
    const index = this.indexOf(target);
    if (this.tables.outputUse.readsInput[index] !== true) return;
    const { kind } = this.tables.graph.node(index);
    // A node without an output of its own counts as null where outputs are collected; otherwise a loop would nest them ever deeper.
    const collects = definitionOf(kind).joins(kind) === 'all';
    const value = collects && forwardsInput(this.tables.graph, this.indexOf(source)) ? null : output;
    const isNamed = key === undefined || key === outputKeyOf(this.tables.nodeOf(source).kind);
    const input: PendingInput = isNamed ? [source, value] : [source, value, key];
    const known = (appends ? own(this.#now.pendingInputs, target) : undefined) ?? [];
    const others = known.some((other) => other[0] === source) ? known.filter((other) => other[0] !== source) : known;
    this.#record('pendingInputs')[target] = [...others, input];
  }

  withdrawInput(target: string, source: string): void {
    const inputs = own(this.#now.pendingInputs, target);
    if (inputs === undefined || !inputs.some(([from]) => from === source)) return;
    const left = inputs.filter(([from]) => from !== source);
    if (left.length === 0) this.clearInputs(target);
    else this.#record('pendingInputs')[target] = left;
  }

  /** Keeps a node's output until its transition is chosen. `key`: the state key that it was written to as well. */
  rememberOutput(node: string, output: Json, key: string | null): void {
    if (this.tables.outputUse.outputIsRead[this.indexOf(node)] === true) this.#outputs.set(node, { output, key });
  }

  /** The output that a node has given in this step; undefined = none that is read. */
  outputOf(node: string): Json | undefined {
    return this.#outputs.get(node)?.output;
  }

  /** Adds to the totals that budgets limit. A usage of nothing leaves no trace, since the log has none either. */
  addUsage(usage: Usage | undefined): void {
    const { input_tokens = 0, output_tokens = 0, cost_usd = 0 } = usage ?? {};
    if (input_tokens === 0 && output_tokens === 0 && cost_usd === 0) return;
    const used = this.#now.usage ?? { input_tokens: 0, output_tokens: 0, cost_usd: 0 };
    this.#now.usage = {
      input_tokens: used.input_tokens + input_tokens,
      output_tokens: used.output_tokens + output_tokens,
      cost_usd: used.cost_usd + cost_usd,
    };
  }

  // ------------------------------------------------------------------ scoring

  /** How often a node has sent the work before it back. */
  setRetries(node: string, count: number): void {
    const before = this.#now.evalRetries;
    if (count > 0) this.#now.evalRetries = { ...before, [node]: count };
    else if (before !== undefined && own(before, node) !== undefined) this.#now.evalRetries = without(before, [node]);
  }

  /** Another iteration of a loop begins otherwise than by scores: the nodes in it may send their work back anew. */
  #resetRetries(head: string): void {
    const { evalRetries } = this.#now;
    if (evalRetries === undefined) return;
    const index = this.indexOf(head);
    const body = this.tables.graph.loops.find((loop) => loop.head === index)?.body;
    const inside = Object.keys(evalRetries).filter((node) => body?.has(this.indexOf(node)) === true);
    if (inside.length > 0) this.#now.evalRetries = without(evalRetries, inside);
  }

  /** Notes what the work of a node took, for the nodes that score it. */
  measure(node: string, event: MachineEvent): void {
    for (const scoring of this.tables.measured.get(node) ?? []) {
      const { measures } = this.#now;
      const measured = { ...own(measures ?? {}, scoring), [node]: measureOf(event) };
      this.#now.measures = { ...measures, [scoring]: measured };
    }
  }

  clearMeasures(node: string): void {
    const { measures } = this.#now;
    if (measures !== undefined && own(measures, node) !== undefined) this.#now.measures = without(measures, [node]);
  }

  // ------------------------------------------------------------------ transitions

  /** Applies what follows from a transition out of `node`; null = out of a fork or subgraph. */
  followTransition(node: string | null, update: ContextUpdate | undefined): void {
    if (this.#halt !== null) return;
    if (node !== null) this.#lastLeft = node;
    if (update !== undefined) {
      const output = node === null ? null : (this.#outputs.get(node)?.output ?? null);
      if (update.skip !== undefined) this.#queueSkips(update.skip);
      if (update.restart !== undefined && this.#pendingSkips.length > 0) this.#unqueueSkips(this.indexOf(update.restart));
      const head = update.restart ?? update.iterate?.head;
      if (head !== undefined && node !== null && this.#ended.get(node)?.outcome !== 'again') this.#resetRetries(head);
      for (const { fork } of update.open ?? []) this.clearJoinInputs(fork);
      const appends = update.arrive !== undefined || update.open !== undefined;
      if (node !== null) for (const target of update.deliver ?? []) this.deliverInput(target, node, output, appends);
      if (update.arrive !== undefined) this.#arrive(update.arrive.fork, ARRIVALS.indexOf(update.arrive.as));
      for (const key of update.leave ?? []) this.#leave(key);
      for (const { fork, direct } of update.open ?? []) {
        this.#record('forks')[fork] = direct === true ? [1, 0, 0] : [0, 0, 0];
      }
      for (const decisions of update.enter ?? []) this.#enterSubgraph(decisions.subgraph).enter(node, decisions, output);
      if (update.decide !== undefined && node !== null) {
        const subgraph = this.subgraph(update.decide.subgraph);
        if (update.decide.live === null) subgraph.nodeFailed(node);
        else subgraph.nodeFinished(node, update.decide, output);
      }
      if (update.iterate !== undefined && node !== null)
        this.subgraph(update.iterate.subgraph).iterate(node, update.iterate.head, output);
    }
    if (node === null) return;
    this.#outputs.delete(node);
    this.recordTaken(node);
    this.evaluation.forgetChoice(node);
  }

  subgraph(key: string): SubgraphContext {
    const subgraph = this.enteredSubgraph(key);
    if (subgraph === null) throw new TypeError(`subgraph ${key} is not entered`);
    return subgraph;
  }

  /** Null = the subgraph is not entered. */
  enteredSubgraph(key: string): SubgraphContext | null {
    const known = this.#subgraphs.get(key);
    if (known !== undefined) return known;
    const table = this.tables.subgraphs.get(key);
    const state = own(this.#now.subgraphs, key);
    if (table === undefined || state === undefined) return null;
    const subgraph = new SubgraphContext(this, key, table, state);
    this.#subgraphs.set(key, subgraph);
    return subgraph;
  }

  #enterSubgraph(key: string): SubgraphContext {
    const table = this.tables.subgraphs.get(key);
    if (table === undefined) throw new TypeError(`no subgraph ${key}`);
    this.#subgraphs.delete(key);
    this.#record('subgraphs')[key] = emptySubgraphState(table);
    return this.subgraph(key);
  }

  #arrive(fork: string, index: number): void {
    const [joined, ended, failed] = own(this.#now.forks, fork) ?? [0, 0, 0];
    const arrived = [joined, ended, failed] as [number, number, number];
    arrived[index] = (arrived[index] ?? 0) + 1;
    this.#record('forks')[fork] = arrived;
  }

  /** Leaves all forks and subgraphs, and skips what is not reached any more. */
  leaveAll(skipped: BitSet, reason: string): void {
    this.#subgraphs.clear();
    this.set({ forks: {}, subgraphs: {}, pendingInputs: {} });
    this.#pendingSkips = [];
    for (const index of skipOrder(this.tables.graph, new Set(skipped), null)) this.skip(index, reason);
  }

  /** The execution has not followed an edge of the node, but continues at `target`. */
  recordRerouted(node: string, target: string): void {
    const ended = this.#ended.get(node);
    if (ended === undefined) return;
    this.#ended.delete(node);
    ended.data.taken = [target];
  }

  /** Forgets a fork or subgraph, all forks and subgraphs inside, and the inputs pending for their nodes. */
  #leave(key: string): void {
    this.enteredSubgraph(key)?.withdrawDeadInputs();
    for (const inner of this.tables.nestedKeys.get(key) ?? [key]) {
      if (own(this.#now.forks, inner) !== undefined) delete this.#record('forks')[inner];
      if (own(this.#now.subgraphs, inner) !== undefined) delete this.#record('subgraphs')[inner];
      this.#subgraphs.delete(inner);
    }
    const inside = this.tables.containedNodes.get(key);
    for (const node of Object.keys(this.#now.pendingInputs)) if (inside?.has(this.indexOf(node)) === true) this.clearInputs(node);
  }

  /** A lane of a subgraph has gone back to the start of a loop. */
  laneRewound(key: string, lane: number): void {
    this.subgraph(key).laneRewound(lane);
    this.#laneRewound = true;
  }

  /** Has any lane gone back since the last call? */
  takeLaneRewound(): boolean {
    const rewound = this.#laneRewound;
    this.#laneRewound = false;
    return rewound;
  }

  /** The subgraphs that have changed since the last call, with the nodes whose state has. */
  takeChangedSubgraphs(): readonly { readonly key: string; readonly nodes: readonly string[] }[] {
    if (this.#subgraphs.size === 0) return UNCHANGED;
    return [...this.#subgraphs.entries()].flatMap(([key, subgraph]) => {
      const nodes = subgraph.takeChangedNodes();
      return nodes === null ? [] : [{ key, nodes: nodes.map((index) => this.tables.graph.idOf(index)) }];
    });
  }

  // ------------------------------------------------------------------ skips

  #queueSkips(skip: SkipScope): void {
    const { graph, branchNodes } = this.tables;
    const within = skip.within === undefined ? null : (branchNodes.get(skip.within) ?? null);
    const indices = (nodes: readonly string[]): number[] => nodes.map((node) => this.indexOf(node));
    const unreachable =
      'from' in skip
        ? skippedFrom(graph, this.indexOf(skip.from), within)
        : 'after' in skip
          ? skippedAfter(graph, this.indexOf(skip.after), indices(skip.to), within)
          : skippedAround(graph, this.subgraph(skip.subgraph).plan, indices(skip.to), within);
    if ('subgraph' in skip) unreachable.removeAll(this.subgraph(skip.subgraph).skippedSinceEntry());
    this.queueSkips(unreachable);
  }

  queueSkips(nodes: Iterable<number>): void {
    for (const node of nodes) this.#pendingSkips.push(node);
  }

  #unqueueSkips(head: number): void {
    const body = this.tables.graph.loops.find((loop) => loop.head === head)?.body;
    this.#pendingSkips = this.#pendingSkips.filter((index) => body?.has(index) !== true);
  }

  /** Skips what comes before a control node in the order of skips; null = everything that is left. */
  flushSkips(control: number | null): void {
    if (this.#pendingSkips.length === 0 || this.#halt !== null) return;
    const pending = new Set(this.#pendingSkips);
    const turn = control === null ? null : { node: control, from: this.#lastLeft === null ? null : this.indexOf(this.#lastLeft) };
    for (const node of [...skipOrder(this.tables.graph, pending, turn)]) {
      pending.delete(node);
      this.skip(node);
    }
    this.#pendingSkips = [...pending];
  }

  /** The machine has settled: skips what is left, and forgets what only transitions of the same move need. */
  settle(): void {
    this.flushSkips(null);
    this.#pendingSkips = [];
    this.#lastLeft = null;
  }

  skip(index: number, reason = 'branch not taken'): void {
    const node = this.tables.graph.idOf(index);
    this.clearInputs(node);
    this.addEvent('node_skipped', node, { reason, activation: this.countVisit(node) });
  }

  /**
   * A first-wins join has run: nodes that lead to it alone are cancelled or never begin, and failures among them and the join's sources
   * are contained.
   */
  closeJoinRegion(join: number): void {
    const { graph } = this.tables;
    const region = graph.cancellationRegion(join);
    const sources = new Set(graph.sources(join));
    const closed: number[] = [];
    for (const index of graph.reachable) {
      const node = graph.idOf(index);
      if (this.#now.failures.includes(node) && (region.has(index) || sources.has(index))) {
        this.#now.failures = this.#now.failures.filter((failed) => failed !== node);
        closed.push(index);
      } else if (region.has(index)) {
        if (this.#now.active.get(node) !== undefined) this.cancelVisit(node);
        closed.push(index);
      }
    }
    this.#pendingSkips = this.#pendingSkips.filter((index) => !region.has(index));
    for (const key of Object.keys(this.#now.subgraphs)) this.subgraph(key).closeNodes(closed);
    for (const index of closed) this.inputsRead(graph.idOf(index));
  }
}

/** Lists that are remembered; others are stored whole. */
const MAX_LISTS = 64;

/** The lists that a patch does not touch. */
function listsBesides(lists: Readonly<Record<string, number>>, patch: JsonObject): Readonly<Record<string, number>> {
  const kept = Object.entries(lists).filter(([pointer]) => !touches(patch, pathOf(pointer)));
  return kept.length === Object.keys(lists).length ? lists : Object.fromEntries(kept);
}

/** Does a merge patch change the value at a place, or one around it? */
function touches(patch: JsonObject, path: readonly string[]): boolean {
  let part: Json = patch;
  for (const key of path) {
    if (!isObject(part)) return true;
    if (!Object.hasOwn(part, key)) return false;
    part = part[key] ?? null;
  }
  return true;
}

/** The duration and the cost of a result. Work without a usage costs nothing; a usage without a cost is one of unknown cost. */
function measureOf(event: MachineEvent): Measure {
  if (event.type !== 'done') return [null, null];
  const { durationMs, usage } = event;
  return [durationMs, usage === undefined ? 0 : (usage.cost_usd ?? null)];
}

function without<V>(record: Readonly<Record<string, V>>, keys: readonly string[]): Record<string, V> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}

const UNCHANGED: readonly never[] = [];
const NONE: readonly never[] = [];
const ARRIVALS = ['joined', 'ended', 'failed'];
