import { passesOn } from '../compile/outputs.ts';
import type { Follow, Skip } from '../compile/parameters.ts';
import { skipOrder, skippedAfter, skippedAround, skippedFrom } from '../compile/skips.ts';
import type { Statics } from '../compile/statics.ts';
import type { EventType } from '../events.ts';
import { type Json, type JsonObject, patchState } from '../json.ts';
import type { Usage } from '../messages.ts';
import { type Active, type Context, type Fed, own } from './context.ts';
import { SectionDraft, unentered } from './section-draft.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * A context in the making: what one action, or the step itself, changes. Shares with its base what it does not change; what it
 * changes it copies once. Read the result with `done`, and use the draft no more.
 */
export class Draft {
  readonly statics: Statics;
  readonly #base: Context;
  #mine: Mutable<Context> | null = null;
  /** Parts that are already copies of our own. */
  #copied: (keyof Context)[] = [];
  #sections: Map<string, SectionDraft> | null = null;

  constructor(statics: Statics, base: Context) {
    this.statics = statics;
    this.#base = base;
  }

  get now(): Context {
    return this.#mine ?? this.#base;
  }

  done(): Context {
    for (const [key, section] of this.#sections ?? []) {
      const state = section.changed();
      if (state !== null && own(this.now.sections, key) !== undefined) this.#record('sections')[key] = state;
    }
    return this.now;
  }

  /** What has been written to the log is a fact no more. */
  settled(): void {
    const { facts, dropped, skips } = this.now;
    if (facts.length === 0 && dropped.length === 0 && skips.length === 0) return;
    this.set({ facts: [], dropped: [], skips: [], last: null });
  }

  set(change: Partial<Context>): void {
    this.#mine ??= { ...this.#base };
    Object.assign(this.#mine, change);
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

  fact(type: EventType, node: string | null, data: JsonObject): void {
    this.#list('facts').push({ type, node, data });
  }

  indexOf(node: string): number {
    const index = this.statics.graph.indexOf(node);
    if (index === undefined) throw new TypeError(`no node ${node}`);
    return index;
  }

  /** Counts a new visit and answers which one it is. */
  visit(node: string): number {
    const before = own(this.now.visits, node);
    if (before === undefined && this.statics.graph.loopsAround(this.indexOf(node)).length === 0) return 1;
    return this.visited(node, (before ?? 0) + 1);
  }

  /** Notes how often a node was visited, whether or not a loop is around it. */
  visited(node: string, activation: number): number {
    this.#record('visits')[node] = activation;
    return activation;
  }

  activeOf(node: string): Active {
    const active = own(this.now.active, node);
    if (active === undefined) throw new TypeError(`node ${node} is not active`);
    return active;
  }

  activate(node: string, active: Active): void {
    this.#record('active')[node] = active;
  }

  /** The visit is over. */
  retire(node: string): Active {
    const active = this.activeOf(node);
    delete this.#record('active')[node];
    return active;
  }

  /** Ends a visit without a result. */
  cancel(node: string): void {
    const active = this.retire(node);
    this.fact('node_cancelled', node, { activation: active.activation });
    this.#list('dropped').push({ node, active });
  }

  // ------------------------------------------------------------------ state and outputs

  patch(patch: Json | undefined): void {
    const state = patchState(this.now.state, patch);
    if (state !== this.now.state) this.set({ state });
  }

  /** A node completed: counts it, and halts the run when that was one too many. */
  completed(): void {
    this.set({ steps: this.now.steps + 1 });
    this.#checkLimit();
  }

  failureHandled(): void {
    this.set({ handled: this.now.handled + 1 });
    this.#checkLimit();
  }

  #checkLimit(): void {
    const { steps, handled, limit } = this.now;
    if (steps + handled < limit) return;
    this.set({ halt: { status: 'failed', error: `step limit of ${limit} node completions reached` } });
  }

  /** The output that reached a node: that of the predecessor that completed last. */
  received(node: string): Json {
    return own(this.now.fed, node)?.at(-1)?.[1] ?? null;
  }

  /** The node has read what reached it. A join that a loop comes back to merges the same sources again. */
  consume(node: string): void {
    const index = this.indexOf(node);
    const { graph } = this.statics;
    if (graph.node(index).kind.type !== 'join' || graph.backIn(index).length === 0) this.starve(node);
  }

  /** Forgets what reached a fork's or section's join in an earlier round. */
  starveJoin(key: string): void {
    const join = this.statics.joins.get(key);
    if (join !== undefined) this.starve(join);
  }

  starve(node: string): void {
    if (own(this.now.fed, node) !== undefined) delete this.#record('fed')[node];
  }

  /** `adds`: the target waits for several; else what was there is from an earlier round. */
  feed(target: string, source: string, output: Json, adds: boolean): void {
    const index = this.indexOf(target);
    if (this.statics.use.receives[index] !== true) return;
    const { kind } = this.statics.graph.node(index);
    // A node without an output of its own counts as null where outputs are collected; else a loop would nest them ever deeper.
    const collects = kind.type === 'join' && kind.merge_strategy.type !== 'first';
    const value = collects && passesOn(this.statics.graph, this.indexOf(source)) ? null : output;
    const fed: Fed = [source, value];
    const known = adds ? (own(this.now.fed, target) ?? []).filter(([from]) => from !== source) : [];
    this.#record('fed')[target] = [...known, fed];
  }

  /** What came from `source` reaches `target` no more. */
  unfeed(target: string, source: string): void {
    const fed = own(this.now.fed, target);
    if (fed === undefined || !fed.some(([from]) => from === source)) return;
    const left = fed.filter(([from]) => from !== source);
    if (left.length === 0) this.starve(target);
    else this.#record('fed')[target] = left;
  }

  /** Keeps a node's output until its ways have been chosen. */
  keepOutput(node: string, output: Json): void {
    if (this.statics.use.gives[this.indexOf(node)] === true) this.#record('outputs')[node] = output;
  }

  /** Adds up what counts towards the budgets. A usage of nothing leaves no trace, since the log has none either. */
  use(usage: Usage | undefined): void {
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
  follow(node: string | null, follow: Follow | undefined): void {
    if (this.now.halt !== null) return;
    if (node !== null) this.set({ last: node });
    if (follow !== undefined) {
      const output = node === null ? null : (own(this.now.outputs, node) ?? null);
      if (follow.skip !== undefined) this.#pend(follow.skip);
      if (follow.round !== undefined && this.now.skips.length > 0) this.#unpend(this.indexOf(follow.round));
      for (const { fork } of follow.open ?? []) this.starveJoin(fork);
      const adds = follow.arrive !== undefined || follow.open !== undefined;
      if (node !== null) for (const target of follow.feed ?? []) this.feed(target, node, output, adds);
      if (follow.arrive !== undefined) this.#arrive(follow.arrive.fork, ARRIVALS.indexOf(follow.arrive.as));
      for (const key of follow.leave ?? []) this.#leave(key);
      for (const { fork, direct } of follow.open ?? []) {
        this.#record('forks')[fork] = direct === true ? [1, 0, 0] : [0, 0, 0];
      }
      for (const mark of follow.enter ?? []) this.#enterSection(mark.section).enter(node, mark, output);
      if (follow.mark !== undefined && node !== null) {
        const section = this.section(follow.mark.section);
        if (follow.mark.live === null) section.failed(node);
        else section.finished(node, follow.mark, output);
      }
      if (follow.again !== undefined && node !== null) this.section(follow.again.section).again(node, follow.again.to, output);
    }
    if (node !== null && own(this.now.outputs, node) !== undefined) delete this.#record('outputs')[node];
  }

  section(key: string): SectionDraft {
    this.#sections ??= new Map();
    let section = this.#sections.get(key);
    if (section === undefined) {
      const table = this.statics.sections.get(key);
      const state = own(this.now.sections, key);
      if (table === undefined || state === undefined) throw new TypeError(`section ${key} is not entered`);
      section = new SectionDraft(this, key, table, state);
      this.#sections.set(key, section);
    }
    return section;
  }

  #enterSection(key: string): SectionDraft {
    const table = this.statics.sections.get(key);
    if (table === undefined) throw new TypeError(`no section ${key}`);
    this.#sections?.delete(key);
    this.#record('sections')[key] = unentered(table);
    return this.section(key);
  }

  #arrive(fork: string, place: number): void {
    const [joined, ended, failed] = own(this.now.forks, fork) ?? [0, 0, 0];
    const arrived = [joined, ended, failed] as [number, number, number];
    arrived[place] = (arrived[place] ?? 0) + 1;
    this.#record('forks')[fork] = arrived;
  }

  /** Forgets a fork or section, all forks and sections inside, and what was on its way to their nodes. */
  #leave(key: string): void {
    if (own(this.now.sections, key) !== undefined) this.section(key).settleJoin();
    for (const inner of this.statics.nested.get(key) ?? [key]) {
      if (own(this.now.forks, inner) !== undefined) delete this.#record('forks')[inner];
      if (own(this.now.sections, inner) !== undefined) delete this.#record('sections')[inner];
      this.#sections?.delete(inner);
    }
    const inside = this.statics.insides.get(key);
    for (const node of Object.keys(this.now.fed)) if (inside?.has(this.indexOf(node)) === true) this.starve(node);
  }

  // ------------------------------------------------------------------ skips

  #pend(skip: Skip): void {
    const { graph, bodies } = this.statics;
    const within = skip.within === undefined ? null : (bodies.get(skip.within) ?? null);
    const indices = (nodes: readonly string[]): number[] => nodes.map((node) => this.indexOf(node));
    const lost =
      'from' in skip
        ? skippedFrom(graph, this.indexOf(skip.from), within)
        : 'after' in skip
          ? skippedAfter(graph, this.indexOf(skip.after), indices(skip.to), within)
          : skippedAround(graph, this.section(skip.section).plan, indices(skip.to), within);
    if ('section' in skip) lost.removeAll(this.section(skip.section).skippedMeanwhile());
    this.skipLater(lost);
  }

  skipLater(nodes: Iterable<number>): void {
    const skips = this.#list('skips');
    for (const node of nodes) skips.push(node);
  }

  #unpend(head: number): void {
    const body = this.statics.graph.loops.find((loop) => loop.head === head)?.body;
    this.set({ skips: this.now.skips.filter((index) => body?.has(index) !== true) });
  }

  /** Skips what comes before the turn of a control node (null: all there is). */
  settleSkips(control: number | null): void {
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
    this.starve(node);
    this.fact('node_skipped', node, { reason: 'branch not taken', activation: this.visit(node) });
  }

  /**
   * A first-wins join has run: what leads to it alone is cancelled or never begins, and failures among it or its sources are
   * contained.
   */
  closeRegion(join: number): void {
    const { graph } = this.statics;
    const region = graph.region(join);
    const sources = new Set(graph.sources(join));
    const closed: number[] = [];
    for (const index of graph.reachable) {
      const node = graph.idOf(index);
      if (this.now.failures.includes(node) && (region.has(index) || sources.has(index))) {
        this.set({ failures: this.now.failures.filter((failed) => failed !== node) });
        closed.push(index);
      } else if (region.has(index)) {
        if (own(this.now.active, node) !== undefined) this.cancel(node);
        closed.push(index);
      }
    }
    if (this.now.skips.length > 0) this.set({ skips: this.now.skips.filter((index) => !region.has(index)) });
    for (const key of Object.keys(this.now.sections)) this.section(key).close(closed);
    for (const index of closed) this.consume(graph.idOf(index));
  }
}

const ARRIVALS = ['joined', 'ended', 'failed'];
