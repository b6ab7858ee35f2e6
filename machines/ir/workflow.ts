import type { Static } from 'typebox';
import type { Autonomy } from '../autonomy.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Kind } from '../nodes/index.ts';
import { Type } from '../type.ts';
import type { DataPolicy } from './data-policy.ts';
import type { McpServer } from './mcp-servers.ts';
import type { OAuth } from './oauth.ts';
import type { Channel } from './publish.ts';
import type { RemoteAgent } from './remote-agents.ts';
import type { Strategy } from './strategy.ts';

const seconds = (description: string) => Type.Number({ exclusiveMinimum: 0, description });
const tokens = (description: string) => Type.Integer({ minimum: 0, description });
const globs = (description: string) => Type.Array(Type.String(), { description });

/** In normal form; delays are seconds. */
export const RetryPolicy = Type.Object(
  {
    max_attempts: Type.Integer({ minimum: 1, description: 'Attempts in all, the first included.' }),
    backoff: Type.Union([Type.Literal('fixed'), Type.Literal('linear'), Type.Literal('exponential')], {
      description: 'How the delay grows from one retry to the next.',
    }),
    initial_delay: Type.Number({ minimum: 0, description: 'Seconds before the first retry; 0: at once.' }),
    max_delay: Type.Number({ minimum: 0, description: 'Seconds before a retry, at most.' }),
    jitter: Type.Boolean({ description: 'Whether each delay is shortened by up to half, by chance.' }),
    retryable_on: Type.Array(Type.String(), {
      description: 'Error classes and HTTP statuses that are retried; empty: all that are retryable.',
    }),
  },
  { description: 'When a failed attempt is followed by another.' },
);
export type RetryPolicy = Static<typeof RetryPolicy>;

export const Timeouts = Type.Object(
  {
    node_timeout: Type.Optional(seconds('Seconds for one attempt of work. Default: 300.')),
    workflow_timeout: Type.Optional(seconds('Seconds for the whole execution, pauses included. Default: no limit.')),
    approval_timeout: Type.Optional(seconds('Seconds for an approval that has no limit of its own. Default: no limit.')),
    heartbeat_interval: seconds('Seconds between two heartbeats of an external worker. Default: 30.'),
  },
  { description: 'Time limits of a workflow.' },
);
export type Timeouts = Static<typeof Timeouts>;

export const PolicySet = Type.Object(
  {
    blocked_tools: globs('Nodes whose policy names match fail instead of running.'),
    require_approval_for: globs('Nodes whose policy names match wait for an approval before they run.'),
    model_allowlist: globs('Models that nodes may use.'),
  },
  { description: 'Globs (`*`, `?`) that must match the whole of a policy name of a node.' },
);
export type PolicySet = Static<typeof PolicySet>;

export const TokenBudget = Type.Object(
  {
    input_tokens: Type.Optional(tokens('Input tokens, at most. Default: no limit.')),
    output_tokens: Type.Optional(tokens('Output tokens, at most. Default: no limit.')),
    total_tokens: Type.Optional(tokens('Input and output tokens, at most. Default: no limit.')),
  },
  { description: 'Tokens that an execution may use.' },
);
export type TokenBudget = Static<typeof TokenBudget>;

export const ToolConfig = Type.Object(
  {
    kind: Type.String({ description: '`http`, `python`, `java`; other kinds are for clients.' }),
    reference: Type.String({ description: 'The URL, `module:function`, or `Class#method`.' }),
    description: Type.Optional(Type.String({ description: 'What models are told of it.' })),
    input_schema: Type.Optional(
      Type.Unsafe<JsonObject>({ type: 'object', description: 'JSON Schema of its arguments, for models; also as text.' }),
    ),
  },
  { description: 'How the nodes that call a tool by its name reach it.' },
);
export type ToolConfig = Static<typeof ToolConfig>;

export const Edge = Type.Object(
  {
    from: Type.String({ description: 'Node id.' }),
    to: Type.String({ description: 'Node id, or `end`.' }),
    condition: Type.Union([Type.String(), Type.Null()], {
      description: 'An expression. Absent or null: taken when no condition holds.',
    }),
  },
  { description: 'Where an execution continues when a node has completed.' },
);
export type Edge = Static<typeof Edge>;

/** A node in normal form. `kind` holds every key that its kind reads, whether the author wrote it there or beside it. */
export interface Node {
  readonly id: string;
  readonly kind: Kind;
  /** The policy that its name, a built-in or an inline `retry` resolves to. */
  readonly retry: RetryPolicy;
  /**
   * Seconds for one attempt of work: the node's own, else the workflow's, else 300. Null = not limited: nodes that park, and child
   * executions unless the node sets it.
   */
  readonly timeout_secs: number | null;
  readonly description: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** How far it may go without a person; null = as far as it likes. */
  readonly autonomy: Autonomy | null;
  readonly policy: PolicySet | null;
  readonly data_policy: DataPolicy | null;
  /** Scopes of the access token that its work gets; null = it gets none. */
  readonly oauth_scopes: readonly string[] | null;
}

/** The first visit of the node after a limit has been passed ends the execution, and begins the one that continues it. */
export interface Continuation {
  readonly at: string;
  /** Node completions of one execution. */
  readonly after_steps: number | null;
  /** Bytes of one execution's log, without its start. */
  readonly after_bytes: number | null;
}

/**
 * A workflow in normal form: the only form inside the runtime, made by `normalise` from any accepted spelling.
 * `source` is the document as it was given (unknown keys included); the revision is the hash of its canonical JSON.
 */
export interface Workflow {
  readonly workflow_id: string;
  readonly version: string;
  readonly name: string | null;
  readonly description: string | null;
  /** JSON schema of the state when known, else null (a dotted class name or "" is not a schema). */
  readonly state_schema: { readonly [key: string]: Json } | null;
  /** Whether the input of an execution must fit `state_schema`. */
  readonly strict_input: boolean;
  readonly start_node: string;
  /** In the order of the document, which decides ties. */
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
  readonly timeouts: Timeouts;
  readonly tools: Readonly<Record<string, ToolConfig>>;
  /** Those that its nodes call. */
  readonly mcp_servers: Readonly<Record<string, McpServer>>;
  readonly remote_agents: Readonly<Record<string, RemoteAgent>>;
  /** Where it appears under its own name. */
  readonly publish: readonly Channel[];
  readonly labels: Readonly<Record<string, string>>;
  readonly policy: PolicySet | null;
  /** Those that its policy nodes name. */
  readonly policies: Readonly<Record<string, PolicySet>>;
  readonly data_policy: DataPolicy | null;
  readonly token_budget: TokenBudget | null;
  readonly cost_budget_usd: number | null;
  /** `fail`, `pause` (an operator may resume it with new totals), or a node id; null = not given. */
  readonly on_budget_exceeded: string | null;
  /** When a budget is exceeded, the execution ends and another one, with a new budget, continues from its state. */
  readonly continue_as_new: boolean;
  /** When and where the execution ends and another one continues, whatever its budgets; null = never. */
  readonly continuation: Continuation | null;
  /** Node completions after which an execution fails; null = what the runtime says. */
  readonly max_steps: number | null;
  /** The strategy of the agent that was compiled into it; null = none. */
  readonly strategy: Strategy | null;
  readonly oauth: OAuth | null;
  readonly source: { readonly [key: string]: Json };
}

/** Does `on_budget_exceeded` name a node? */
export function isBudgetNode(given: string | null): given is string {
  return given !== null && given !== 'fail' && given !== 'pause';
}
