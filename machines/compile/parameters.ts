/** What the named guards and actions of a compiled machine are told. Plain JSON: it is part of the machine's export. */

/** What follows from taking a way: who receives the output, what can no longer run, which joins hear of it. */
export interface ContextUpdate {
  /** Nodes that receive the output. */
  readonly feed?: readonly string[];
  /** What was still possible `after` a node and is not from `to`, is skipped; or a join (`from`) and what follows it; or what was possible around a section. */
  readonly skip?: SkipScope;
  /** A branch of the fork is over. */
  readonly arrive?: { readonly fork: string; readonly as: BranchEnd };
  /** Forks and sections that are left. */
  readonly leave?: readonly string[];
  /** Forks that are entered; `direct`: an edge leads straight to the join. */
  readonly open?: readonly { readonly fork: string; readonly direct?: true }[];
  /** Sections that are entered, and the nodes their live entries lead to. */
  readonly enter?: readonly EdgeDecisions[];
  /** A loop goes round again from this head: what was about to be skipped in it no longer is. */
  readonly round?: string;
  /** Inside a section: which of the node's edges are live; null = it failed, so none is ever decided. */
  readonly mark?: EdgeDecisions | { readonly section: string; readonly live: null };
  /** Inside a section: its loop at `to` goes round again. */
  readonly again?: { readonly section: string; readonly to: string };
}

export type SkipScope = { readonly within?: string } & (
  | { readonly after: string; readonly to: readonly string[] }
  | { readonly from: string }
  | { readonly section: string; readonly to: readonly string[] }
);

export interface EdgeDecisions {
  readonly section: string;
  readonly live: readonly string[];
  /** A failure: joins that wait for the node without an edge of its own hear that nothing comes. */
  readonly failed?: true;
}

export type BranchEnd = 'joined' | 'ended' | 'failed';

export interface NodeParams {
  readonly node: string;
}
export interface CompleteParams extends NodeParams {
  readonly follow?: ContextUpdate;
  /** The way is chosen in a state of its own: the output is kept until then. */
  readonly choosing?: true;
}
export interface FailParams extends NodeParams {
  /** A fallback takes over: the run is not failed by it. */
  readonly handled?: true;
  readonly follow?: ContextUpdate;
}
export interface ConditionParams extends NodeParams {
  readonly expr: string;
}
export interface RetryParams extends NodeParams {
  readonly max: number;
  /** Error classes worth a retry; absent = any. */
  readonly on?: readonly string[];
  /** Only for a retry that is not to wait. */
  readonly at_once?: true;
}
export interface DecisionParams extends NodeParams {
  readonly as: 'approved' | 'rejected';
}
export interface ChildParams extends NodeParams {
  readonly status: 'started' | 'running' | 'paused' | 'completed';
}
/** Have all `of` branches arrived, with `as` among them (absent: however)? */
export interface ForkParams {
  readonly fork: string;
  readonly of: number;
  readonly as?: 'joined' | 'failed';
}
export interface SubgraphNodeParams extends NodeParams {
  readonly section: string;
}
export interface SubgraphParams {
  readonly section: string;
  readonly failed?: true;
}
export interface LaneParams {
  readonly section: string;
  readonly track: number;
  /** The loop that goes round. */
  readonly loop?: string;
}
