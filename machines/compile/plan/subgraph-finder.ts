import type { Cooperative } from '../../cooperative.ts';
import { at } from '../../graph/at.ts';
import type { BitSet } from '../../graph/bit-set.ts';
import { END, type GraphEdge } from '../../graph/edges.ts';
import type { Graph } from '../../graph/graph.ts';
import { convergencesFrom, NO_NODE } from '../../program/convergence.ts';
import type { SubgraphPlan } from '../../program/plan.ts';
import { stateId } from '../../program/state-ids.ts';
import type { CompileBudget } from './compile-budget.ts';
import { layOutLanes } from './lanes.ts';
import { regionEntry } from './region-boundary.ts';

/** The nodes of a possible subgraph, between the node that enters it and its join. */
export interface SubgraphExtent {
  readonly owner: number;
  readonly body: BitSet;
  readonly join: number;
}

export class SubgraphFinder {
  readonly #graph: Graph;
  readonly #budget: CompileBudget;

  constructor(graph: Graph, budget: CompileBudget) {
    this.#graph = graph;
    this.#budget = budget;
  }

  /** The smallest subgraph that `owner` enters and that contains the `required` nodes; null = none. */
  *smallestAfter(owner: number, required: ReadonlySet<number>, exit: number): Cooperative<SubgraphExtent | null> {
    const graph = this.#graph;
    const forward = graph.forwardOut(owner).flatMap((edge) => (edge.to === END ? [] : [edge.to]));
    const targets = [...new Set(forward)];
    if (targets.every((target) => target === exit)) return null;
    let overtaken = false;
    for (const { join, body, nodes } of convergencesFrom(graph, targets, exit)) {
      yield;
      this.#budget.spend(nodes.length);
      if (overtaken && join !== NO_NODE) continue;
      if (![...required].every((node) => body.has(node))) continue;
      const entry = regionEntry(graph, body, owner, null);
      if (entry === 'never') return null;
      if (entry === 'not yet') continue;
      if (join !== NO_NODE && graph.isFirstJoin(join) && !body.isSubsetOf(graph.cancellationRegion(join))) continue;
      overtaken ||= join !== NO_NODE && this.#canBeOvertaken(body);
      if (!overtaken || join === NO_NODE) return { owner, body, join };
    }
    return null;
  }

  /** All nodes of a region as one subgraph; null = its join could run while other nodes of it still do. */
  wholeRegion(body: BitSet, join: number): SubgraphExtent | null {
    const closes = join === NO_NODE || !this.#graph.isFirstJoin(join) || body.isSubsetOf(this.#graph.cancellationRegion(join));
    return closes && (join === NO_NODE || !this.#canBeOvertaken(body)) ? { owner: NO_NODE, body, join } : null;
  }

  /**
   * Can a first-wins join inside the body run before nodes that it does not cancel? Then its successors, and the join of the subgraph, could be
   * decided while those nodes still run. A larger body does not change that.
   */
  #canBeOvertaken(body: BitSet): boolean {
    const graph = this.#graph;
    for (const first of body) {
      if (!graph.isFirstJoin(first)) continue;
      const region = graph.cancellationRegion(first);
      for (const node of body) if (graph.descendants(node).has(first) && !region.has(node)) return true;
      this.#budget.spend(at(graph.rank, first));
    }
    return false;
  }

  /** Throws `InvalidWorkflow` when it needs too many lanes. */
  *build(
    { owner, body, join }: SubgraphExtent,
    given?: { readonly key: string; readonly entries: readonly GraphEdge[] },
  ): Cooperative<SubgraphPlan> {
    const graph = this.#graph;
    const nodes = [...body];
    const entries = given?.entries ?? graph.outWithWaits(owner).filter((edge) => edge.to !== END);
    const inside = nodes.flatMap((node) => graph.outWithWaits(node).filter((edge) => edge.to !== END));
    const key = given?.key ?? stateId(graph.idOf(owner));
    return { key, owner, join, nodes, ...(yield* layOutLanes(graph, body)), edges: [...entries, ...inside], entries };
  }
}
