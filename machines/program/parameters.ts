import type { ResultRole } from '../graph/edges.ts';

/** Parameters of the guards and actions of a compiled machine. Plain JSON: they are part of the exported config. */

/** How taking a transition changes the execution's context. */
export interface ContextUpdate {
  /** Nodes that receive the output. */
  readonly deliver?: readonly string[];
  /** Nodes that can no longer run and are skipped. */
  readonly skip?: SkipScope;
  /** A branch of the fork has ended. */
  readonly arrive?: { readonly fork: string; readonly as: BranchEnd };
  /** Forks and subgraphs that are left. */
  readonly leave?: readonly string[];
  /** Forks that are entered; `direct`: an edge leads straight to the join. */
  readonly open?: readonly { readonly fork: string; readonly direct?: true }[];
  /** Subgraphs that are entered, and the nodes their live entries lead to. */
  readonly enter?: readonly EdgeDecisions[];
  /** The head of a loop that iterates again: pending skips inside the loop are withdrawn. */
  readonly restart?: string;
  /** Inside a subgraph: which of the node's edges are live; null = it failed, so its edges stay undecided. */
  readonly decide?: EdgeDecisions | { readonly subgraph: string; readonly live: null };
  /** Inside a subgraph: its loop with this head iterates again. */
  readonly iterate?: { readonly subgraph: string; readonly head: string };
}

/**
 * - `after`: nodes that were reachable from this node and are not from `to`;
 * - `from`: this join, and the nodes that only it leads to;
 * - `subgraph`: nodes that loops around this subgraph could have reached and `to` does not reach.
 *
 * `within` limits them to a branch.
 */
export type SkipScope = { readonly within?: string } & (
  | { readonly after: string; readonly to: readonly string[] }
  | { readonly from: string }
  | { readonly subgraph: string; readonly to: readonly string[] }
);

export interface EdgeDecisions {
  readonly subgraph: string;
  readonly live: readonly string[];
  /** The node failed: joins that wait for it without an edge are told that its result is dead. */
  readonly failed?: true;
}

export type BranchEnd = 'joined' | 'ended' | 'failed';

export interface NodeParams {
  readonly node: string;
}
export interface CompleteParams extends NodeParams {
  readonly update?: ContextUpdate;
  /** A later state chooses the transition; the output is kept until then. */
  readonly choosing?: true;
}
export interface FailParams extends NodeParams {
  /** A fallback handles the failure, so that it does not fail the execution. */
  readonly handled?: true;
  readonly update?: ContextUpdate;
}
/** The node at which an execution over its budget continues. */
export interface RerouteParams extends NodeParams {
  /** The node reads what reaches it. */
  readonly deliver?: true;
}
export interface ConditionParams extends NodeParams {
  readonly expr: string;
}
export interface RetryParams extends NodeParams {
  readonly max: number;
  /** Error classes that are retried; absent = all. */
  readonly on?: readonly string[];
  /** Only for a retry without a delay. */
  readonly at_once?: true;
}
export interface DecisionParams extends NodeParams {
  readonly as: 'approved' | 'rejected';
}
export interface ResultParams extends NodeParams {
  readonly as: ResultRole;
}
/** Is the result of the node one that does not pass? `max`: and is its work still sent back? */
export interface ScoringParams extends NodeParams {
  readonly max?: number;
}
export interface ChildParams extends NodeParams {
  readonly status: 'started' | 'running' | 'paused' | 'completed';
}
/** Have all `of` branches ended, at least one of them by `as` if given? */
export interface ForkParams {
  readonly fork: string;
  readonly of: number;
  readonly as?: 'joined' | 'failed';
}
export interface SubgraphNodeParams extends NodeParams {
  readonly subgraph: string;
}
export interface SubgraphParams {
  readonly subgraph: string;
  readonly failed?: true;
}
export interface LaneParams {
  readonly subgraph: string;
  readonly lane: number;
  /** The loop that iterates again. */
  readonly loop?: string;
}
/** How an execution ends. */
export type EndStatus = 'completed' | 'failed' | 'cancelled' | 'limit_exceeded';
export interface EndParams {
  readonly as: EndStatus;
}
