import type { Cooperative } from '../../cooperative.ts';
import { at } from '../../graph/at.ts';
import { BitSet } from '../../graph/bit-set.ts';
import { END, type GraphEdge } from '../../graph/edges.ts';
import type { Graph } from '../../graph/graph.ts';
import { type Convergence, convergencesFrom, NO_NODE } from '../../program/convergence.ts';
import type { Alternative, OutcomeRoutes } from '../../program/outcome-routes.ts';
import type { OutputUse } from '../../program/output-use.ts';
import type { Fork, ForkBranch, Plan, SubgraphPlan } from '../../program/plan.ts';
import { stateId } from '../../program/state-ids.ts';
import { branchesAreIndependent } from './branch-independence.ts';
import { CompileBudget, CompileBudgetExceeded } from './compile-budget.ts';
import { containsItsLoops, regionEntry } from './region-boundary.ts';
import { SubgraphFinder } from './subgraph-finder.ts';
import { tooLarge } from './too-large.ts';

/** Nodes at which a subgraph must start, each with the nodes that it must contain. */
type EarlierStarts = Map<number, Set<number>>;

/** Nested forks, at most; a fan-out inside them becomes a subgraph, which is flat. */
const MAX_FORK_DEPTH = 12;
/** Branches of one fork. A step of a branch costs time proportional to their number, entering the fork to its square. */
const MAX_BRANCHES = 1_000;

/** Decides which fan-outs become forks and which become subgraphs. */
export class Planner {
  readonly #graph: Graph;
  readonly #routes: readonly OutcomeRoutes[];
  readonly #use: OutputUse;
  /** False plans every fan-out as a subgraph, with the same behaviour. */
  readonly #forks: boolean;

  readonly #budget = new CompileBudget();
  readonly #subgraphs: SubgraphFinder;

  constructor(graph: Graph, routes: readonly OutcomeRoutes[], use: OutputUse, options: { readonly forks: boolean }) {
    this.#graph = graph;
    this.#routes = routes;
    this.#use = use;
    this.#forks = options.forks;
    this.#subgraphs = new SubgraphFinder(graph, this.#budget);
  }

  /** Throws `InvalidWorkflow` when a step would cost too much. */
  *plan(): Cooperative<Plan> {
    const all = new BitSet(this.#graph.nodes.length);
    for (const node of this.#graph.reachable) all.add(node);
    try {
      const plan = yield* this.#region(all, NO_NODE, [], 'start', 0);
      if (plan !== null) return plan;
    } catch (error) {
      if (!(error instanceof CompileBudgetExceeded)) throw error;
    }
    return singleSubgraphPlan(
      yield* this.#subgraphs.build({ owner: NO_NODE, body: all, join: NO_NODE }, { key: 'start', entries: [] }),
    );
  }

  /** Plans a region that tokens enter by `entries`; null = it cannot be a region of its own. */
  *#region(nodes: BitSet, exit: number, entries: readonly GraphEdge[], key: string, depth: number): Cooperative<Plan | null> {
    const plan = yield* this.#sequential(nodes, exit, depth);
    if (plan !== null) return plan;
    return yield* this.#singleSubgraph(nodes, exit, entries, key);
  }

  *#singleSubgraph(nodes: BitSet, exit: number, entries: readonly GraphEdge[], key: string): Cooperative<Plan | null> {
    const extent = this.#subgraphs.wholeRegion(nodes, exit);
    return extent === null ? null : singleSubgraphPlan(yield* this.#subgraphs.build(extent, { key, entries }));
  }

  /** Plans nodes that a single token visits; null = impossible. */
  *#sequential(nodes: BitSet, exit: number, depth: number): Cooperative<Plan | null> {
    const earlierStarts: EarlierStarts = new Map();
    for (;;) {
      const attempt = yield* this.#tryPlan(nodes, exit, earlierStarts, depth);
      if (attempt !== 'again') return attempt;
    }
  }

  /** A plan; `again`: a subgraph must start earlier, as `earlierStarts` now says; null = only the whole region could be one subgraph. */
  *#tryPlan(nodes: BitSet, exit: number, earlierStarts: EarlierStarts, depth: number): Cooperative<Plan | 'again' | null> {
    const forks = new Map<Alternative, Fork>();
    const subgraphs = new Map<number, SubgraphPlan>();
    const covered = new BitSet(this.#graph.nodes.length);
    for (const node of this.#graph.inOrder(nodes)) {
      yield;
      if (covered.has(node)) continue;
      const fanOuts = this.#fanOutsOf(node);
      const waitedFor = this.#graph.outWithWaits(node).some((edge) => edge.role === 'wait');
      const required = earlierStarts.get(node);
      if (fanOuts.length === 0 && !waitedFor && required === undefined) continue;
      if (this.#forks && !waitedFor && required === undefined) {
        const split = yield* this.#forksAt(node, fanOuts, exit, depth);
        if (split !== null) {
          for (const [alternative, fork] of split) {
            forks.set(alternative, fork);
            for (const branch of fork.branches) covered.addAll(branch.nodes);
          }
          continue;
        }
      }
      const extent = yield* this.#subgraphs.smallestAfter(node, required ?? new Set(), exit);
      if (extent === null) return (yield* this.#startEarlier(node, nodes, exit, earlierStarts)) ? 'again' : null;
      subgraphs.set(node, yield* this.#subgraphs.build(extent));
      covered.addAll(extent.body);
    }
    return { forks, subgraphs, whole: null };
  }

  /** Makes the subgraph that must contain `node` start at an earlier node. False = no node is possible. */
  *#startEarlier(node: number, region: BitSet, exit: number, earlierStarts: EarlierStarts): Cooperative<boolean> {
    const { idom } = this.#graph.dominators;
    for (let from = at(idom, node); from !== -1 && region.has(from); from = at(idom, from)) {
      const required = new Set([...(earlierStarts.get(from) ?? []), ...(earlierStarts.get(node) ?? []), node]);
      const known = earlierStarts.get(from);
      if (known !== undefined && [...required].every((must) => known.has(must))) continue;
      if ((yield* this.#subgraphs.smallestAfter(from, required, exit)) === null) continue;
      earlierStarts.set(from, required);
      return true;
    }
    return false;
  }

  #fanOutsOf(node: number): Alternative[] {
    const all = Object.values(at(this.#routes, node)).flatMap((alternatives) => alternatives ?? []);
    return [...new Set(all)].filter((alternative) => alternative.targets.length > 1);
  }

  *#forksAt(
    owner: number,
    fanOuts: readonly Alternative[],
    exit: number,
    depth: number,
  ): Cooperative<Map<Alternative, Fork> | null> {
    const forks = new Map<Alternative, Fork>();
    for (const [i, alternative] of fanOuts.entries()) {
      const key = `${stateId(this.#graph.idOf(owner))}${fanOuts.length > 1 ? `:${i + 1}` : ''}`;
      const fork = yield* this.#forkAt(owner, alternative.live, exit, key, depth);
      if (fork === null) return null;
      forks.set(alternative, fork);
    }
    return forks;
  }

  /** The fork of the `live` edges of `owner`, if their branches do not touch; else null. */
  *#forkAt(owner: number, live: readonly GraphEdge[], exit: number, key: string, depth: number): Cooperative<Fork | null> {
    if (depth >= MAX_FORK_DEPTH) return null;
    const targets = [...new Set(live.flatMap((edge) => (edge.to === END ? [] : [edge.to])))];
    for (const convergence of convergencesFrom(this.#graph, targets, exit)) {
      yield;
      const direct = targets.includes(convergence.join);
      if (convergence.components + (direct ? 1 : 0) < 2) return null;
      this.#budget.spend(convergence.nodes.length);
      if (regionEntry(this.#graph, convergence.body, owner, live) !== 'well' || !containsItsLoops(this.#graph, convergence.body))
        continue;
      if (!branchesAreIndependent(this.#graph, this.#use, convergence, targets, direct)) continue;
      const branches = yield* this.#branches(owner, live, convergence, key, depth);
      if (branches !== null) return { key, owner, join: convergence.join, direct, branches };
    }
    return null;
  }

  *#branches(
    owner: number,
    live: readonly GraphEdge[],
    convergence: Convergence,
    key: string,
    depth: number,
  ): Cooperative<ForkBranch[] | null> {
    const components = new Map<number, BitSet>();
    for (const node of convergence.nodes) {
      const component = components.get(convergence.componentOf(node)) ?? new BitSet(this.#graph.nodes.length);
      component.add(node);
      components.set(convergence.componentOf(node), component);
    }
    if (components.size > MAX_BRANCHES)
      throw tooLarge(this.#graph, owner, `starts ${components.size} branches; at most ${MAX_BRANCHES} are allowed`);
    const branches: ForkBranch[] = [];
    for (const nodes of components.values()) {
      const entries = live.filter((edge) => edge.to !== END && nodes.has(edge.to));
      const branch = yield* this.#branch(owner, nodes, convergence.join, entries, key, depth);
      if (branch === null) return null;
      branches.push(branch);
    }
    return branches;
  }

  *#branch(
    owner: number,
    nodes: BitSet,
    join: number,
    entries: readonly GraphEdge[],
    forkKey: string,
    depth: number,
  ): Cooperative<ForkBranch | null> {
    const [first, ...others] = [...new Set(entries.map((edge) => edge.to))];
    if (first === undefined) throw new TypeError('internal error: a component of a fork has no entry');
    const key = `${forkKey}:${stateId(this.#graph.idOf(first))}`;
    if (others.length === 0) {
      const plan = yield* this.#region(nodes, join, entries, key, depth + 1);
      return plan === null ? null : { key, nodes, entry: plan.whole === null ? first : null, plan };
    }
    const fork = yield* this.#forkAt(owner, entries, join, key, depth + 1);
    if (fork !== null) {
      const rest = nodes.copy();
      for (const inner of fork.branches) rest.removeAll(inner.nodes);
      const plan = yield* this.#sequential(rest, join, depth + 1);
      if (plan !== null) return { key, nodes, entry: fork, plan };
    }
    const plan = yield* this.#singleSubgraph(nodes, join, entries, key);
    return plan === null ? null : { key, nodes, entry: null, plan };
  }
}

function singleSubgraphPlan(whole: SubgraphPlan): Plan {
  return { forks: new Map(), subgraphs: new Map(), whole };
}
