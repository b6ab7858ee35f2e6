import type { BitSet } from '../graph/bit-set.ts';
import type { GraphEdge } from '../graph/edges.ts';
import type { Alternative } from './outcome-routes.ts';

/**
 * How a graph becomes states. Nodes that a single token visits are plain states. An alternative with several targets whose paths do
 * not touch until they meet is a *fork*: a parallel state with one region per branch. Any other fan-out is a *subgraph*: a parallel
 * state whose regions are lanes (chains of nodes) with a join guard before each node.
 */
export interface Plan {
  readonly forks: ReadonlyMap<Alternative, Fork>;
  /** By the node whose completion enters the subgraph. */
  readonly subgraphs: ReadonlyMap<number, SubgraphPlan>;
  /** The subgraph that the whole region is; the plan has nothing else then. */
  readonly whole: SubgraphPlan | null;
}

export interface Fork {
  /** Valid in state ids; unique among forks and subgraphs. */
  readonly key: string;
  readonly owner: number;
  /** The node at which the branches meet; `NO_NODE` = they end. */
  readonly join: number;
  /** Does an edge lead directly to the join? */
  readonly direct: boolean;
  readonly branches: readonly ForkBranch[];
}

export interface ForkBranch {
  readonly key: string;
  readonly nodes: BitSet;
  /** The node it starts with, or a fork inside it; null = its plan is one subgraph. */
  readonly entry: number | Fork | null;
  /** The plan of its nodes outside that fork. */
  readonly plan: Plan;
}

export interface SubgraphPlan {
  readonly key: string;
  /** The node whose completion enters it; `NO_NODE` when it starts with the execution or a branch. */
  readonly owner: number;
  readonly join: number;
  /** Ascending. */
  readonly nodes: readonly number[];
  readonly lanes: readonly (readonly number[])[];
  /** Edges that decide nodes of the subgraph: those of its nodes, and `entries`. */
  readonly edges: readonly GraphEdge[];
  /** Edges that lead into it. */
  readonly entries: readonly GraphEdge[];
}
