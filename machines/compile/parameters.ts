/** What the named guards and actions of a compiled machine are told. Plain JSON: it is part of the machine's export. */

/** What follows from taking a way: who receives the output, what can no longer run, which joins hear of it. */
export interface Follow {
  /** Nodes that receive the output. */
  readonly feed?: readonly string[];
  /** What was still possible `after` a node and is not from `to`, is skipped; or a join (`from`) and what follows it; or what was possible around a section. */
  readonly skip?: Skip;
  /** A branch of the fork is over. */
  readonly arrive?: { readonly fork: string; readonly as: Arrival };
  /** Forks and sections that are left. */
  readonly leave?: readonly string[];
  /** Forks that are entered; `direct`: an edge leads straight to the join. */
  readonly open?: readonly { readonly fork: string; readonly direct?: true }[];
  /** Sections that are entered, and the nodes their live entries lead to. */
  readonly enter?: readonly Mark[];
  /** A loop goes round again from this head: what was about to be skipped in it no longer is. */
  readonly round?: string;
  /** Inside a section: which of the node's edges are live; null = it failed, so none is ever decided. */
  readonly mark?: Mark | { readonly section: string; readonly live: null };
  /** Inside a section: its loop at `to` goes round again. */
  readonly again?: { readonly section: string; readonly to: string };
}

export type Skip = { readonly within?: string } & (
  | { readonly after: string; readonly to: readonly string[] }
  | { readonly from: string }
  | { readonly section: string; readonly to: readonly string[] }
);

export interface Mark {
  readonly section: string;
  readonly live: readonly string[];
  /** A failure: joins that wait for the node without an edge of its own hear that nothing comes. */
  readonly failed?: true;
}

export type Arrival = 'joined' | 'ended' | 'failed';

export interface At {
  readonly node: string;
}
export interface Completes extends At {
  readonly follow?: Follow;
  /** The way is chosen in a state of its own: the output is kept until then. */
  readonly choosing?: true;
}
export interface Fails extends At {
  /** A fallback takes over: the run is not failed by it. */
  readonly handled?: true;
  readonly follow?: Follow;
}
export interface When extends At {
  readonly expr: string;
}
export interface Retries extends At {
  readonly max: number;
  /** Error classes worth a retry; absent = any. */
  readonly on?: readonly string[];
  /** Only for a retry that is not to wait. */
  readonly at_once?: true;
}
export interface Decided extends At {
  readonly as: 'approved' | 'rejected';
}
export interface ChildIs extends At {
  readonly status: 'started' | 'running' | 'paused' | 'completed';
}
/** Have all `of` branches arrived, with `as` among them (absent: however)? */
export interface Closed {
  readonly fork: string;
  readonly of: number;
  readonly as?: 'joined' | 'failed';
}
export interface InSection extends At {
  readonly section: string;
}
export interface Settled {
  readonly section: string;
  readonly failed?: true;
}
export interface OnTrack {
  readonly section: string;
  readonly track: number;
  /** The loop that goes round. */
  readonly loop?: string;
}
