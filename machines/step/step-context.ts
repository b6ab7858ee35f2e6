import { skipOrder, skippedAfter, skippedAround, skippedFrom } from '../compile/dead-paths.ts';
import { forwardsInput } from '../compile/output-use.ts';
import type { ContextUpdate, SkipScope } from '../compile/parameters.ts';
import type { ProgramTables } from '../compile/tables.ts';
import type { EventType } from '../events.ts';
import { type Json, type JsonObject, patchState } from '../json.ts';
import type { Usage } from '../messages.ts';
import { type ActiveVisit, type Context, own, type PendingInput } from './context.ts';
import { emptySubgraphState, SubgraphContext } from './subgraph-context.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * A context in the making: what one action, or the step itself, changes. Shares with its base what it does not change; what it
 * changes it copies once. Read the result with `done`, and use the draft no more.
 */
export class StepContext {
  readonly statics: ProgramTables;
  readonly #base: Context;
  #changes: Mutable<Context> | null = null;
  /** Parts that are already copies of our own. */
  #copied: (keyof Context)[] = [];
  #subgraphs: Map<string, SubgraphContext> | null = null;

  constructor(statics: ProgramTables, base: Context) {
    this.statics = statics;
    this.#base = base;
  }

  get now(): Context {
    return this.#changes ?? this.#base;
  }

  freeze(): Context {
    for (const [key, section] of this.#subgraphs ?? []) {
      const state = section.changedState();
      if (state !== null && own(this.now.sections, key) !== undefined) this.#record('sections')[key] = state;
    }
    return this.now;
  }

  /** What has been written to the log is a fact no more. */
  clearPendingEvents(): void {
    const { facts, dropped, skips } = this.now;
    if (facts.length === 0 && dropped.length === 0 && skips.length === 0) return;
    this.set({ facts: [], dropped: [], skips: [], last: null });
  }

  set(change: Partial<Context>): void {
    this.#changes ??= { ...this.#base };
    Object.assign(this.#changes, change);
  }

  #list<K extends 'facts' | 'dropped' | 'failures' | 'skips'>(key: K): Context[K][number][] {
    if (!this.#copied.includes(key)) {
      this.set({ [key]: [...this.now[key]] });
      this.#copied.push(key);
    }
    return this.now[key] as Context[K][number][];
  }

  #record<K extends 'active' | 'visits' | 'forks' | 'sections' | 'fed' | 'outputs'>(key: K): Record<string, Context[K][string]> {
    if (!this.#copied.includes(key)) {
      this.set({ [key]: { ...this.now[key] } });
      this.#copied.push(key);
    }
    return this.now[key] as Record<string, Context[K][string]>;
  }

  // ------------------------------------------------------------------ facts and visits

  addEvent(type: EventType, node: string | null, data: JsonObject): void {
    this.#list('facts').push({ type, node, data });
  }

  indexOf(node: string): number {
    const index = this.statics.graph.indexOf(node);
    if (index === undefined) throw new TypeError(`no node ${node}`);
    return index;
  }

  /** Counts a new visit and answers which one it is. */
  countVisit(node: string): number {
    const before = own(this.now.visits, node);
    if (before === undefined && this.statics.graph.enclosingLoops(this.indexOf(node)).length === 0) return 1;
    return this.setVisits(node, (before ?? 0) + 1);
  }

  /** Notes how often a node was visited, whether or not a loop is around it. */
  setVisits(node: string, activation: number): number {
    this.#record('visits')[node] = activation;
    return activation;
  }

  activeOf(node: string): ActiveVisit {
    const active = own(this.now.active, node);
    if (active === undefined) throw new TypeError(`node ${node} is not active`);
    return active;
  }

  setActive(node: string, active: ActiveVisit): void {
    this.#record('active')[node] = active;
  }

  /** The visit is over. */
  endVisit(node: string): ActiveVisit {
    const active = this.activeOf(node);
    delete this.#record('active')[node];
    return active;
  }

  /** Ends a visit without a result. */
  cancelVisit(node: string): void {
    const active = this.endVisit(node);
    this.addEvent('node_cancelled', node, { activation: active.activation });
    this.#list('dropped').push({ node, active });
  }

  // ------------------------------------------------------------------ state and outputs

  patchState(patch: Json | undefined): void {
    const state = patchState(this.now.state, patch);
    if (state !== this.now.state) this.set({ state });
  }

  /** A node completed: counts it, and halts the run when that was one too many. */
  countCompletion(): void {
    this.set({ steps: this.now.steps + 1 });
    this.#checkStepLimit();
  }

  countHandledFailure(): void {
    this.set({ handled: this.now.handled + 1 });
    this.#checkStepLimit();
  }

  #checkStepLimit(): void {
    const { steps, handled, limit } = this.now;
    if (steps + handled < limit) return;
    this.set({ halt: { status: 'failed', error: `step limit of ${limit} node completions reached` } });
  }

  /** The output that reached a node: that of the predecessor that completed last. */
  lastInput(node: string): Json {
    return own(this.now.fed, node)?.at(-1)?.[1] ?? null;
  }

  /** The node has read what reached it. A join that a loop comes back to merges the same sources again. */
  inputsRead(node: string): void {
    const index = this.indexOf(node);
    const { graph } = this.statics;
    if (graph.node(index).kind.type !== 'join' || graph.backIn(index).length === 0) this.clearInputs(node);
  }

  /** Forgets what reached a fork's or section's join in an earlier round. */
  clearJoinInputs(key: string): void {
    const join = this.statics.joins.get(key);
    if (join !== undefined) this.clearInputs(join);
  }

  clearInputs(node: string): void {
    if (own(this.now.fed, node) !== undefined) delete this.#record('fed')[node];
  }

  /** `adds`: the target waits for several; else what was there is from an earlier round. */
  deliverInput(target: string, source: string, output: Json, appends: boolean): void {
    const index = this.indexOf(target);
    if (this.statics.outputUse.readsInput[index] !== true) return;
    const { kind } = this.statics.graph.node(index);
    // A node without an output of its own counts as null where outputs are collected; else a loop would nest them ever deeper.
    const collects = kind.type === 'join' && kind.merge_strategy.type !== 'first';
    const value = collects && forwardsInput(this.statics.graph, this.indexOf(source)) ? null : output;
    const fed: PendingInput = [source, value];
    const known = appends ? (own(this.now.fed, target) ?? []).filter(([from]) => from !== source) : [];
    this.#record('fed')[target] = [...known, fed];
  }

  /** What came from `source` reaches `target` no more. */
  withdrawInput(target: string, source: string): void {
    const fed = own(this.now.fed, target);
    if (fed === undefined || !fed.some(([from]) => from === source)) return;
    const left = fed.filter(([from]) => from !== source);
    if (left.length === 0) this.clearInputs(target);
    else this.#record('fed')[target] = left;
  }

  /** Keeps a node's output until its ways have been chosen. */
  rememberOutput(node: string, output: Json): void {
    if (this.statics.outputUse.outputIsRead[this.indexOf(node)] === true) this.#record('outputs')[node] = output;
  }

  /** Adds up what counts towards the budgets. A usage of nothing leaves no trace, since the log has none either. */
  addUsage(usage: Usage | undefined): void {
    const { input_tokens = 0, output_tokens = 0, cost_usd = 0 } = usage ?? {};
    if (input_tokens === 0 && output_tokens === 0 && cost_usd === 0) return;
    const used = this.now.used ?? { input_tokens: 0, output_tokens: 0, cost_usd: 0 };
    this.set({
      used: {
        input_tokens: used.input_tokens + input_tokens,
        output_tokens: used.output_tokens + output_tokens,
        cost_usd: used.cost_usd + cost_usd,
      },
    });
  }

  // ------------------------------------------------------------------ ways

  /** Takes a way out of `node` (null: out of a fork or section). */
  followTransition(node: string | null, follow: ContextUpdate | undefined): void {
    if (this.now.halt !== null) return;
    if (node !== null) this.set({ last: node });
    if (follow !== undefined) {
      const output = node === null ? null : (own(this.now.outputs, node) ?? null);
      if (follow.skip !== undefined) this.#queueSkips(follow.skip);
      if (follow.round !== undefined && this.now.skips.length > 0) this.#unqueueSkips(this.indexOf(follow.round));
      for (const { fork } of follow.open ?? []) this.clearJoinInputs(fork);
      const appends = follow.arrive !== undefined || follow.open !== undefined;
      if (node !== null) for (const target of follow.feed ?? []) this.deliverInput(target, node, output, appends);
      if (follow.arrive !== undefined) this.#arrive(follow.arrive.fork, ARRIVALS.indexOf(follow.arrive.as));
      for (const key of follow.leave ?? []) this.#leave(key);
      for (const { fork, direct } of follow.open ?? []) {
        this.#record('forks')[fork] = direct === true ? [1, 0, 0] : [0, 0, 0];
      }
      for (const mark of follow.enter ?? []) this.#enterSubgraph(mark.section).enter(node, mark, output);
      if (follow.mark !== undefined && node !== null) {
        const section = this.subgraph(follow.mark.section);
        if (follow.mark.live === null) section.nodeFailed(node);
        else section.nodeFinished(node, follow.mark, output);
      }
      if (follow.again !== undefined && node !== null) this.subgraph(follow.again.section).iterate(node, follow.again.to, output);
    }
    if (node !== null && own(this.now.outputs, node) !== undefined) delete this.#record('outputs')[node];
  }

  subgraph(key: string): SubgraphContext {
    this.#subgraphs ??= new Map();
    let section = this.#subgraphs.get(key);
    if (section === undefined) {
      const table = this.statics.subgraphs.get(key);
      const state = own(this.now.sections, key);
      if (table === undefined || state === undefined) throw new TypeError(`section ${key} is not entered`);
      section = new SubgraphContext(this, key, table, state);
      this.#subgraphs.set(key, section);
    }
    return section;
  }

  #enterSubgraph(key: string): SubgraphContext {
    const table = this.statics.subgraphs.get(key);
    if (table === undefined) throw new TypeError(`no section ${key}`);
    this.#subgraphs?.delete(key);
    this.#record('sections')[key] = emptySubgraphState(table);
    return this.subgraph(key);
  }

  #arrive(fork: string, index: number): void {
    const [joined, ended, failed] = own(this.now.forks, fork) ?? [0, 0, 0];
    const arrived = [joined, ended, failed] as [number, number, number];
    arrived[index] = (arrived[index] ?? 0) + 1;
    this.#record('forks')[fork] = arrived;
  }

  /** Forgets a fork or section, all forks and sections inside, and what was on its way to their nodes. */
  #leave(key: string): void {
    if (own(this.now.sections, key) !== undefined) this.subgraph(key).withdrawDeadInputs();
    for (const inner of this.statics.nestedKeys.get(key) ?? [key]) {
      if (own(this.now.forks, inner) !== undefined) delete this.#record('forks')[inner];
      if (own(this.now.sections, inner) !== undefined) delete this.#record('sections')[inner];
      this.#subgraphs?.delete(inner);
    }
    const inside = this.statics.containedNodes.get(key);
    for (const node of Object.keys(this.now.fed)) if (inside?.has(this.indexOf(node)) === true) this.clearInputs(node);
  }

  // ------------------------------------------------------------------ skips

  #queueSkips(skip: SkipScope): void {
    const { graph, branchNodes: bodies } = this.statics;
    const within = skip.within === undefined ? null : (bodies.get(skip.within) ?? null);
    const indices = (nodes: readonly string[]): number[] => nodes.map((node) => this.indexOf(node));
    const unreachable =
      'from' in skip
        ? skippedFrom(graph, this.indexOf(skip.from), within)
        : 'after' in skip
          ? skippedAfter(graph, this.indexOf(skip.after), indices(skip.to), within)
          : skippedAround(graph, this.subgraph(skip.section).plan, indices(skip.to), within);
    if ('section' in skip) unreachable.removeAll(this.subgraph(skip.section).skippedSinceEntry());
    this.queueSkips(unreachable);
  }

  queueSkips(nodes: Iterable<number>): void {
    const skips = this.#list('skips');
    for (const node of nodes) skips.push(node);
  }

  #unqueueSkips(head: number): void {
    const body = this.statics.graph.loops.find((loop) => loop.head === head)?.body;
    this.set({ skips: this.now.skips.filter((index) => body?.has(index) !== true) });
  }

  /** Skips what comes before the turn of a control node (null: all there is). */
  flushSkips(control: number | null): void {
    if (this.now.skips.length === 0 || this.now.halt !== null) return;
    const pending = new Set(this.now.skips);
    const { last } = this.now;
    const turn = control === null ? null : { node: control, from: last === null ? null : this.indexOf(last) };
    for (const node of [...skipOrder(this.statics.graph, pending, turn)]) {
      pending.delete(node);
      this.skip(node);
    }
    this.set({ skips: [...pending] });
  }

  skip(index: number): void {
    const node = this.statics.graph.idOf(index);
    this.clearInputs(node);
    this.addEvent('node_skipped', node, { reason: 'branch not taken', activation: this.countVisit(node) });
  }

  /**
   * A first-wins join has run: what leads to it alone is cancelled or never begins, and failures among it or its sources are
   * contained.
   */
  closeJoinRegion(join: number): void {
    const { graph } = this.statics;
    const region = graph.cancellationRegion(join);
    const sources = new Set(graph.sources(join));
    const closed: number[] = [];
    for (const index of graph.reachable) {
      const node = graph.idOf(index);
      if (this.now.failures.includes(node) && (region.has(index) || sources.has(index))) {
        this.set({ failures: this.now.failures.filter((failed) => failed !== node) });
        closed.push(index);
      } else if (region.has(index)) {
        if (own(this.now.active, node) !== undefined) this.cancelVisit(node);
        closed.push(index);
      }
    }
    if (this.now.skips.length > 0) this.set({ skips: this.now.skips.filter((index) => !region.has(index)) });
    for (const key of Object.keys(this.now.sections)) this.subgraph(key).closeNodes(closed);
    for (const index of closed) this.inputsRead(graph.idOf(index));
  }
}

const ARRIVALS = ['joined', 'ended', 'failed'];
