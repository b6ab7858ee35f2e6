import type { BitSet } from '../../graph/bit-set.ts';
import type { GraphEdge } from '../../graph/edges.ts';
import type { Alternative } from '../outcome-routes.ts';

/**
 * How a graph becomes states. While one token travels, nodes are plain states. Where an alternative has several targets whose
 * ways do not touch until they meet, it is a *fork*: a parallel state, one region per way. Any other fan-out is a *section*: a
 * parallel state whose regions are tracks (chains of nodes) with a gate before each node.
 */
export interface Plan {
  readonly forks: ReadonlyMap<Alternative, Fork>;
  /** By the node whose completion enters the section. */
  readonly subgraphs: ReadonlyMap<number, SubgraphPlan>;
  /** The region is one section; nothing else is in the plan then. */
  readonly whole: SubgraphPlan | null;
}

export interface Fork {
  /** Fit for state ids; unique among forks and sections. */
  readonly key: string;
  readonly owner: number;
  /** Where the branches meet; `NONE` = they end. */
  readonly join: number;
  /** Does an edge lead straight to the join? */
  readonly direct: boolean;
  readonly branches: readonly ForkBranch[];
}

export interface ForkBranch {
  readonly key: string;
  readonly nodes: BitSet;
  /** The node it starts with, or a fork inside it; null = its plan is one section. */
  readonly entry: number | Fork | null;
  /** Of the nodes outside that fork. */
  readonly plan: Plan;
}

/** Tracks in which a node could be released while an earlier one of its track still ran. */
export const FIRST_LANE_LAYOUT = 1;
export const LANE_LAYOUT = 2;

export interface SubgraphPlan {
  readonly key: string;
  /** The node whose completion enters it; `NONE` for one that starts with the execution or a branch. */
  readonly owner: number;
  readonly join: number;
  /** Ascending. */
  readonly nodes: readonly number[];
  readonly lanes: readonly (readonly number[])[];
  /** `FIRST_LAYOUT` = the tracks are as the first releases laid them, in which snapshots of theirs stand. */
  readonly layout: number;
  /** Edges whose fate decides inside: those of the section's nodes, and `entries`. */
  readonly edges: readonly GraphEdge[];
  /** The edges that lead into it. */
  readonly entries: readonly GraphEdge[];
}
