import type { Json } from '../../machines/json.ts';

/** The names that a workflow declares: what its nodes may refer to. */
export interface Names {
  /** Ids of its nodes. */
  readonly node: string;
  /** Ids of its nodes, and `end`. */
  readonly target: string;
  readonly stateKey: string;
  readonly event: string;
  readonly retryPolicy: string;
  readonly policy: string;
  readonly mcpServer: string;
  /** What tools are given, by their names. */
  readonly toolInputs: { readonly [name: string]: unknown };
}

/** Seconds, or a number with a unit: `250ms`, `30s`, `1.5m`, `2h`, `1d`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** A text with `{{ templates }}`, or a bare path: a mapping takes the value that it gives. */
export type Template =
  | `${string}{{${string}}}${string}`
  | `${'state' | 'output' | 'input' | 'env'}${'.' | '['}${string}`
  | 'state'
  | 'output'
  | 'input';

/** A value, or templates for it or for parts of it. */
export type Rendered<Value> =
  | Template
  | (unknown extends Value
      ? Json | undefined
      : Value extends readonly (infer Item)[]
        ? readonly Rendered<Item>[]
        : Value extends object
          ? { readonly [Key in keyof Value]: Rendered<Value[Key]> }
          : Value);

/** A map of values and templates, or one template for the whole value. */
export type Mapping<Value = unknown> =
  | Template
  | (unknown extends Value
      ? { readonly [key: string]: Rendered<unknown> }
      : Value extends object
        ? { readonly [Key in keyof Value]: Rendered<Value[Key]> }
        : Rendered<Value>);

/** A route out of a node: `when` is a condition, `else` is taken when no condition holds. */
export type Route<N extends Names> = { readonly when: string; readonly to: N['target'] } | { readonly else: N['target'] };

/** A node, `end`, several nodes (all of them are started), or routes (the first whose condition holds). */
export type Next<N extends Names> = N['target'] | readonly N['target'][] | readonly Route<N>[];

/** How often failed work is tried again, and when. */
export interface Retry {
  /** Attempts in all, the first included. */
  readonly maxAttempts?: number;
  readonly backoff?: 'fixed' | 'linear' | 'exponential';
  /** Before the first retry; 0 = at once. */
  readonly initialDelay?: Duration;
  readonly maxDelay?: Duration;
  readonly delayMs?: number;
  /** Shortens each delay by up to half, by chance. */
  readonly jitter?: boolean;
  /** Error classes, HTTP statuses, and `{ custom }` for a class of your own tools. Default: all that are retryable. */
  readonly retryableOn?: readonly (string | number | { readonly custom: string })[];
}

/** What a policy says. */
export type PolicyRule = 'blockedTools' | 'requireApprovalFor' | 'modelAllowlist';

/** Globs (`*`, `?`) of policy names. */
export type PolicyLists = { readonly [Rule in PolicyRule]?: readonly string[] };

/** The same; a single one needs no list. */
export type PolicyRules = { readonly [Rule in PolicyRule]?: string | readonly string[] };

/** What is kept of personal data. */
export interface DataPolicy {
  /** Paths such as `$.patient.ssn`. */
  readonly piiFields?: readonly string[];
  readonly piiDetectors?: readonly ('email' | 'ssn' | 'credit_card' | 'phone' | 'ip_address')[];
  readonly redactionMode?: 'mask' | 'hash' | 'remove';
  readonly retainPrompts?: boolean;
  readonly retainOutputs?: boolean;
  readonly retentionDays?: number;
}

type AutonomyLevel = 'deterministic' | 'guided' | 'bounded_autonomous' | 'fully_autonomous';

export type Autonomy =
  | AutonomyLevel
  | {
      readonly level?: AutonomyLevel;
      readonly constraints?: {
        readonly maxIterations?: number;
        readonly maxToolCalls?: number;
        readonly tokenBudget?: number;
        readonly costBudgetUsd?: number;
        readonly timeBudgetSecs?: number;
        readonly allowedTools?: readonly string[];
        readonly blockedTools?: readonly string[];
        readonly requireApprovalFor?: readonly string[];
      };
    };

/** Keys of every node. */
export interface NodeKeys {
  readonly description?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** For this node only; comes before the policy of the workflow. */
  readonly policy?: PolicyRules;
  readonly dataPolicy?: DataPolicy;
  readonly autonomy?: Autonomy;
  /** Failed attempts in a row after which a person decides whether another may begin. */
  readonly circuitBreakerThreshold?: number;
  /** Scopes of the access token that its work gets, by `oauth` of the workflow. */
  readonly oauthScopes?: readonly string[];
}

/** Keys of a node that other nodes follow. Default of `next`: `end`. */
export interface NextKey<N extends Names> {
  readonly next?: Next<N>;
}

/** Keys of a node whose work has attempts. */
export interface AttemptKeys<N extends Names> {
  /** Of one attempt. */
  readonly timeout?: Duration;
  readonly retryPolicy?: N['retryPolicy'];
  readonly retry?: Retry;
}
