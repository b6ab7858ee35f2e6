import type { EventType, LogEvent } from '../../events/index.ts';
import type { BitSet } from '../../graph/bit-set.ts';
import { operationTimerId } from '../../journal.ts';
import type { Json, JsonObject } from '../../json.ts';
import { LazyMap } from '../../lazy-map.ts';
import type { Budgets, Usage } from '../../messages.ts';
import { skipOrder, skippedAfter, skippedAround, skippedFrom } from '../../program/dead-paths.ts';
import type { NodeOutcome } from '../../program/outcome-routes.ts';
import type { ContextUpdate, SkipScope } from '../../program/parameters.ts';
import type { ProgramTables } from '../../program/tables.ts';
import { retryTimerId } from '../../program/timers.ts';
import type { StepEnv } from '../../run.ts';
import type { ActiveVisit } from './active-visits.ts';
import { type Context, Draft, type Ending, type Halt, mergeBudgets, own, type PendingInput } from './context.ts';
import { Evaluation, InputAllowance } from './evaluation.ts';
import { OpenItems } from './open-items.ts';
import { PendingInputs } from './pending-inputs.ts';
import { PendingSkips } from './pending-skips.ts';
import { Scores } from './scores.ts';
import { StatePatches } from './state-patches.ts';
import { StepEffects } from './step-effects.ts';
import { StepTimers } from './step-timers.ts';
import { emptySubgraphState, SubgraphContext } from './subgraph-context.ts';
import { VisitEnds } from './visit-ends.ts';

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
  /** What nodes get from others. */
  readonly inputs: PendingInputs;
  readonly patches: StatePatches;
  readonly scores: Scores;
  readonly #sequenceBefore: number;
  readonly #draft: Draft;
  readonly #now: Draft['now'];
  readonly #ends: VisitEnds;
  readonly #skips: PendingSkips;
  readonly #events: LogEvent[] = [];
  readonly #subgraphs = new LazyMap<string, SubgraphContext>();
  #reached: string[] = [];
  #halt: Halt | null = null;
  #laneRewound = false;

  constructor(tables: ProgramTables, stored: Context, sequenceBefore: number, env: StepContextEnv | null) {
    this.tables = tables;
    this.env = env;
    this.evaluation = new Evaluation(env?.work);
    this.inputAllowance = new InputAllowance(env?.work);
    this.#sequenceBefore = sequenceBefore;
    this.#draft = new Draft(stored);
    this.#now = this.#draft.now;
    this.inputs = new PendingInputs(tables, this.#draft);
    this.patches = new StatePatches(tables, this.#draft);
    this.scores = new Scores(tables, this.#draft);
    this.#ends = new VisitEnds(tables, this.evaluation);
    this.#skips = new PendingSkips(tables, (node) => this.skip(node));
  }

  get now(): Context {
    return this.#now;
  }

  /** The context to be stored. The step context must not be used afterwards. */
  freeze(): Context {
    for (const [key, subgraph] of this.#subgraphs.entries()) {
      const state = subgraph.changedState();
      if (state !== null && own(this.#now.subgraphs, key) !== undefined) this.#draft.record('subgraphs')[key] = state;
    }
    return this.#now;
  }

  set(change: Partial<Context>): void {
    this.#draft.set(change);
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

  /** Logs the end of a visit. Its event gets the targets of the transition once that is certain; a halted execution follows none. */
  addVisitEnd(type: 'node_completed' | 'node_failed', node: string, outcome: NodeOutcome, data: Record<string, Json>): void {
    this.addEvent(type, node, data);
    this.#ends.add(node, outcome, data);
  }

  /** The transition out of a node is certain. */
  recordTaken(node: string): void {
    if (this.#halt === null) this.#ends.recordTaken(node);
  }

  /** The execution has not followed an edge of the node, but continues at `target`. */
  recordRerouted(node: string, target: string): void {
    this.#ends.recordRerouted(node, target);
  }

  indexOf(node: string): number {
    return this.tables.graph.existingIndexOf(node);
  }

  /** Counts a new visit and returns its number. */
  countVisit(node: string): number {
    const before = own(this.#now.visits, node);
    if (before === undefined && !this.tables.graph.isRevisited(this.indexOf(node))) return 1;
    return this.setVisits(node, (before ?? 0) + 1);
  }

  /** Records the number of visits, also of a node that is visited once. */
  setVisits(node: string, activation: number): number {
    this.#draft.record('visits')[node] = activation;
    return activation;
  }

  /** With `item`: that of an item of the visit to the node. */
  activeOf(node: string, item?: number): ActiveVisit {
    const active = this.#now.active.get(node, item);
    if (active === undefined) throw new TypeError(`node ${node} is not active`);
    return active;
  }

  /** The progress of a visit stays with it. */
  setActive(node: string, active: ActiveVisit, item?: number): void {
    const visits = this.#now.active;
    this.#now.active = item === undefined ? visits.with(node, active) : visits.withItem(node, item, active);
  }

  dropProgress(node: string, item?: number): void {
    this.#now.active = this.#now.active.withoutProgress(node, item);
  }

  /** What it waits for is of no use any more. */
  endVisit(node: string): ActiveVisit {
    this.abandonCalls(node);
    const active = this.activeOf(node);
    this.#now.active = this.#now.active.without(node);
    for (const { number, fireAtMs } of active.journal?.allOpen() ?? [])
      if (fireAtMs !== undefined) this.timers.clear(operationTimerId(node, number));
    return active;
  }

  /** What a durable function has called is of no use any more. */
  abandonCalls(node: string): void {
    const active = this.activeOf(node);
    const { journal, items } = active;
    if (journal === undefined || items === undefined || items.size === 0) return;
    for (const [number, call] of items.entries()) this.effects.abandon(node, call, number);
    this.setActive(node, Object.assign({}, active, { items: OpenItems.of<ActiveVisit>({}) }));
  }

  endItem(node: string, item: number): ActiveVisit {
    const active = this.activeOf(node, item);
    this.#now.active = this.#now.active.withItem(node, item, undefined);
    return active;
  }

  /** Ends a visit without a result, and with it its items. */
  cancelVisit(node: string): void {
    const { items, journal } = this.activeOf(node);
    if (items !== undefined && journal === undefined) for (const [item] of items.entries()) this.cancelItem(node, item);
    const active = this.endVisit(node);
    this.addEvent('node_cancelled', node, { activation: active.activation });
    this.effects.abandon(node, active);
  }

  cancelItem(node: string, item: number): void {
    const active = this.endItem(node, item);
    this.addEvent('node_cancelled', node, { activation: active.activation, item });
    this.effects.abandon(node, active, item);
    if (active.phase === 'backoff') this.timers.clear(retryTimerId(node, item));
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
    this.#skips.drop();
    this.#reached = [];
    this.#halt = null;
    const { status, error } = ending;
    const why = status === 'cancelled' ? { reason: error } : status === 'failed' ? { error } : {};
    this.addEvent('workflow_finalizing', null, { status, ...why });
    const { graph } = this.tables;
    const active = this.#now.active.nodes().sort((a, b) => (graph.indexOf(a) ?? 0) - (graph.indexOf(b) ?? 0));
    for (const node of active) this.cancelVisit(node);
    const cleared = { earlyEvents: [], forks: {}, subgraphs: {}, pendingInputs: inputs };
    this.set({ ending, ...cleared, ...(status === 'cancelled' ? { suspension: null } : {}) });
  }

  // ------------------------------------------------------------------ totals

  /** Work beside the workflow has completed. The step limit does not stop it. */
  detachedWorkCompletes(patch: Json | undefined): void {
    this.patches.apply(patch);
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

  // ------------------------------------------------------------------ transitions

  /** Applies what follows from a transition out of `node`; null = out of a fork or subgraph. */
  followTransition(node: string | null, update: ContextUpdate | undefined): void {
    if (this.#halt !== null) return;
    if (node !== null) this.#skips.noteLeft(node);
    if (update !== undefined) {
      const output = node === null ? null : this.inputs.keptOutput(node);
      if (update.skip !== undefined) this.#queueSkips(update.skip);
      if (update.restart !== undefined) this.#skips.unqueueLoop(update.restart);
      const head = update.restart ?? update.iterate?.head;
      if (head !== undefined && node !== null && this.#ends.outcomeOf(node) !== 'again') this.scores.resetRetries(head);
      for (const { fork } of update.open ?? []) this.inputs.clearJoin(fork);
      const appends = update.arrive !== undefined || update.open !== undefined;
      if (node !== null) for (const target of update.deliver ?? []) this.inputs.deliver(target, node, output, appends);
      if (update.arrive !== undefined) this.#arrive(update.arrive.fork, ARRIVALS.indexOf(update.arrive.as));
      for (const key of update.leave ?? []) this.#leave(key);
      for (const { fork, direct } of update.open ?? []) {
        this.#draft.record('forks')[fork] = direct === true ? [1, 0, 0] : [0, 0, 0];
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
    this.inputs.dropOutput(node);
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
    this.#draft.record('subgraphs')[key] = emptySubgraphState(table);
    return this.subgraph(key);
  }

  #arrive(fork: string, index: number): void {
    const [joined, ended, failed] = own(this.#now.forks, fork) ?? [0, 0, 0];
    const arrived = [joined, ended, failed] as [number, number, number];
    arrived[index] = (arrived[index] ?? 0) + 1;
    this.#draft.record('forks')[fork] = arrived;
  }

  /** Leaves all forks and subgraphs, and skips what is not reached any more. */
  leaveAll(skipped: BitSet, reason: string): void {
    this.#subgraphs.clear();
    this.set({ forks: {}, subgraphs: {}, pendingInputs: {} });
    this.#skips.drop();
    for (const index of skipOrder(this.tables.graph, new Set(skipped), null)) this.skip(index, reason);
  }

  /** Forgets a fork or subgraph, all forks and subgraphs inside, and the inputs pending for their nodes. */
  #leave(key: string): void {
    this.enteredSubgraph(key)?.withdrawDeadInputs();
    for (const inner of this.tables.nestedKeys.get(key) ?? [key]) {
      if (own(this.#now.forks, inner) !== undefined) delete this.#draft.record('forks')[inner];
      if (own(this.#now.subgraphs, inner) !== undefined) delete this.#draft.record('subgraphs')[inner];
      this.#subgraphs.delete(inner);
    }
    const inside = this.tables.containedNodes.get(key);
    if (inside !== undefined) this.inputs.clearInside(inside);
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
    this.#skips.queue(nodes);
  }

  /** Skips what comes before a control node in the order of skips; null = everything that is left. */
  flushSkips(control: number | null): void {
    if (this.#halt === null) this.#skips.flush(control);
  }

  /** The machine has settled: skips what is left. */
  settle(): void {
    this.flushSkips(null);
    this.#skips.clear();
  }

  skip(index: number, reason = 'branch not taken'): void {
    const node = this.tables.graph.idOf(index);
    this.inputs.clear(node);
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
    this.#skips.unqueue(region);
    for (const key of Object.keys(this.#now.subgraphs)) this.subgraph(key).closeNodes(closed);
    for (const index of closed) this.inputs.clearRead(graph.idOf(index));
  }
}

const UNCHANGED: readonly never[] = [];
const ARRIVALS = ['joined', 'ended', 'failed'];
