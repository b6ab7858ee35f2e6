import { type Static, Type } from 'typebox';
import type { Json } from '../json.ts';
import type { Kind } from '../nodes/index.ts';

/** Seconds; a retry may start at once (`initial_delay: 0`). */
export const RetryPolicy = Type.Object({
  max_attempts: Type.Integer({ minimum: 1 }),
  backoff: Type.Union([Type.Literal('fixed'), Type.Literal('linear'), Type.Literal('exponential')]),
  initial_delay: Type.Number({ minimum: 0 }),
  max_delay: Type.Number({ minimum: 0 }),
  jitter: Type.Boolean(),
  /** Error classes worth a retry; empty = any. */
  retryable_on: Type.Array(Type.String()),
});
export type RetryPolicy = Static<typeof RetryPolicy>;

/** Seconds; a missing one is not limited, but for `node_timeout`: one attempt of work takes at most 300 then. */
export const Timeouts = Type.Object({
  node_timeout: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  workflow_timeout: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  approval_timeout: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  heartbeat_interval: Type.Number({ exclusiveMinimum: 0 }),
});
export type Timeouts = Static<typeof Timeouts>;

/** Globs (`*`, `?`, full match) over the policy names of a node. */
export const PolicySet = Type.Object({
  blocked_tools: Type.Array(Type.String()),
  require_approval_for: Type.Array(Type.String()),
  model_allowlist: Type.Array(Type.String()),
});
export type PolicySet = Static<typeof PolicySet>;

export const TokenBudget = Type.Object({
  input_tokens: Type.Optional(Type.Integer({ minimum: 0 })),
  output_tokens: Type.Optional(Type.Integer({ minimum: 0 })),
  total_tokens: Type.Optional(Type.Integer({ minimum: 0 })),
});
export type TokenBudget = Static<typeof TokenBudget>;

export const ToolConfig = Type.Object({
  kind: Type.String(),
  reference: Type.String(),
});
export type ToolConfig = Static<typeof ToolConfig>;

export const Edge = Type.Object({
  from: Type.String(),
  to: Type.String(),
  condition: Type.Union([Type.String(), Type.Null()]),
});
export type Edge = Static<typeof Edge>;

/** A node in normal form. `kind` holds every key that its kind reads, wherever the author wrote it. */
export interface Node {
  readonly id: string;
  readonly kind: Kind;
  /** Resolved: named policies, built-ins and an inline `retry` all end here. */
  readonly retry: RetryPolicy;
  /** For one attempt of work: the node's own, else the workflow's, else 300. Null = not limited: what parks, and child executions unless the node says. */
  readonly timeout_secs: number | null;
  readonly description: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly policy: PolicySet | null;
}

/**
 * The one form of a workflow inside the runtime: made by `normalise` from any accepted spelling.
 * `source` is the document as it was given (unknown keys included); the revision is the hash of its canonical JSON.
 */
export interface Workflow {
  readonly workflow_id: string;
  readonly version: string;
  readonly name: string | null;
  readonly description: string | null;
  /** JSON schema of the state when known, else null (a dotted class name or "" is not a schema). */
  readonly state_schema: { readonly [key: string]: Json } | null;
  readonly start_node: string;
  /** In the order the author wrote them; that order decides ties. */
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
  readonly timeouts: Timeouts;
  readonly tools: Readonly<Record<string, ToolConfig>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly policy: PolicySet | null;
  readonly token_budget: TokenBudget | null;
  readonly cost_budget_usd: number | null;
  /** `pause`: an operator may let it go on with new totals. */
  readonly on_budget_exceeded: 'fail' | 'pause';
  readonly source: { readonly [key: string]: Json };
}
