import type { Json } from '../../../machines/json.ts';
import type { Duration, Mapping, Names, NextKey, NodeKeys, OutputKeys, WorkKeys } from './shared.ts';
import type { ToolName } from './work.ts';

/** Takes its first branch whose condition holds, else `default`. */
export interface ConditionNode<N extends Names> extends NodeKeys {
  readonly type: 'condition';
  readonly branches: readonly { readonly if: string; readonly next: N['target'] }[];
  readonly default?: N['target'];
}

/** Starts all its branches. */
export interface ParallelNode<N extends Names> extends NodeKeys {
  readonly type: 'parallel';
  readonly branches: readonly N['target'][];
  /** Where the first node of a branch leads that has no `next`. */
  readonly join?: N['node'];
}

/** Waits for branches and merges their outputs. */
export interface JoinNode<N extends Names> extends WorkKeys<N> {
  readonly type: 'join';
  /** Nodes to wait for besides those that lead to it. */
  readonly waitFor?: readonly N['node'][];
  /** Default: `collect`. */
  readonly strategy?: 'collect' | 'first' | { readonly custom: { readonly functionRef: `${string}:${string}` } };
}

/** Runs another workflow as a child execution. */
export interface SubgraphNode<N extends Names> extends WorkKeys<N> {
  readonly type: 'subgraph';
  /** Its id, or its definition. */
  readonly workflow: string | { readonly id: string };
  /** Default: the version that was registered last. */
  readonly version?: string;
  readonly input?: Mapping;
  /** State keys and templates over the final state of the child. */
  readonly outputMapping?: { readonly [Key in N['stateKey']]?: Json } | `${string}{{${string}`;
}

/** Parks until a time has passed, an event has come, or either. */
export interface WaitNode<N extends Names> extends NodeKeys, NextKey<N>, OutputKeys<N> {
  readonly type: 'wait';
  readonly event?: N['event'];
  /** With `event`: continues at whichever comes first. */
  readonly duration?: Duration;
  /** Limits the wait for the event. */
  readonly timeout?: Duration;
  readonly onTimeout?: N['target'];
}

/** Waits for a person's decision. */
export interface HumanApprovalNode<N extends Names> extends NodeKeys, NextKey<N>, OutputKeys<N> {
  readonly type: 'human_approval';
  /** What is to be decided; may hold templates. */
  readonly message?: string;
  readonly timeout?: Duration;
  readonly onApproved?: N['target'];
  readonly onRejected?: N['target'];
  /** A target, or the decision that follows. */
  readonly onTimeout?: N['target'] | 'approve' | 'reject';
}

/** Asks a policy whether something is allowed, blocked, or needs an approval. */
export interface PolicyNode<N extends Names> extends NodeKeys, NextKey<N>, OutputKeys<N> {
  readonly type: 'policy';
  /** An entry of `policies`, or `tenant`: the policy of the tenant. */
  readonly policyRef: N['policy'] | 'tenant';
  readonly subject?: string | readonly string[];
  readonly model?: string;
  /** Default: `fail`. */
  readonly onViolation?: 'fail' | 'warn';
  readonly onBlocked?: N['target'];
}

/** Scores the work before it. All scorers must pass. */
export interface EvalNode<N extends Names> extends WorkKeys<N> {
  readonly type: 'eval';
  readonly scorers: readonly Scorer<N>[];
  /** Default: `halt`. */
  readonly onFail?: 'halt' | 'log_and_continue' | 'escalate' | 'retry_with_feedback';
  readonly maxRetries?: number;
  /** What is judged: an expression or a template. Default: the output that reached the node. */
  readonly inputExpr?: string;
  /** Where the work begins that runs again. */
  readonly retryNode?: N['node'];
  readonly onApproved?: N['target'];
  readonly onRejected?: N['target'];
  readonly onTimeout?: N['target'];
  readonly reviewTimeout?: Duration;
}

export type Scorer<N extends Names> =
  | { readonly type: 'llm_judge'; readonly model: string; readonly rubric: string; readonly minScore?: number }
  | { readonly type: 'assertion'; readonly checks: readonly string[] }
  | { readonly type: 'latency'; readonly thresholdMs?: number }
  | { readonly type: 'cost'; readonly thresholdUsd?: number }
  | { readonly type: 'custom'; readonly module: ToolName<N>; readonly kwargs?: { readonly [key: string]: Json } };

/** Ends the execution as `limit_exceeded`. */
export interface LimitExceededNode extends NodeKeys {
  readonly type: 'limit_exceeded';
}

/** Another name for the target `end`. */
export interface EndNode {
  readonly type: 'end';
  readonly description?: string;
  readonly labels?: Readonly<Record<string, string>>;
}
