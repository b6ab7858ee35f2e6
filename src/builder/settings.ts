import type { Tool } from '../runtime/types/work.ts';
import type { DataPolicy, Duration, PolicyLists, PolicyRules, Retry } from './node-keys.ts';
import type { InferInput, Schema } from './schema.ts';

/** A tool that is not a function of this process. */
export type ToolDeclaration = ToolAddress & {
  /** For people and for models that may call the tool. */
  readonly description?: string;
  /** What it is given. Types the nodes that call it. */
  readonly input?: Schema;
};

/** Where a tool is that is no function of this process. */
export type ToolAddress =
  /** A POST of the input to a URL. */
  | { readonly kind: 'http'; readonly reference: string }
  /** `module:function`, called by workers of queue `python_tool`. */
  | { readonly kind: 'python'; readonly reference: string }
  /** `Class#method`, called by workers of queue `java_tool`. */
  | { readonly kind: 'java'; readonly reference: string }
  /** Called by its name by workers of queue `tool`. */
  | { readonly kind: 'worker' };

/** Tools by the names that nodes call them by. */
export interface ToolMap {
  readonly [name: string]: Tool | ToolDeclaration;
}

/** What a tool is given. */
export type ToolInput<T> = T extends (input: infer Input, ...rest: never) => unknown
  ? Input
  : T extends { readonly input: infer S extends Schema }
    ? InferInput<S>
    : unknown;

/** What a tool returns; unknown if it is no function of this process. */
export type ToolOutput<T> = T extends (...given: never) => infer Output ? Awaited<Output> : unknown;

/** What events that the workflow waits for carry, by their keys: a schema, or `true` for anything. */
export interface EventMap {
  readonly [key: string]: Schema | true;
}

/** The payloads of events by their keys. */
export type EventPayloads<E> = { readonly [Key in keyof E & string]: E[Key] extends true ? unknown : InferInput<E[Key]> };

/** How a server is told who calls: by a token, or a key, in a variable of the environment. */
export type ServerAuth =
  | { readonly type: 'bearer'; readonly tokenEnv: string }
  | { readonly type: 'api_key'; readonly header?: string; readonly keyEnv: string };

/** Where an MCP server is. */
export interface McpServerSettings {
  readonly url?: string;
  readonly transport?: 'stdio' | 'streamable_http' | 'http_sse';
  readonly auth?: ServerAuth;
  /** Started only by a runtime in a process of yours. */
  readonly command?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Where an agent of another server is. */
export interface RemoteAgentSettings {
  readonly url: string;
  readonly agentCardPath?: string;
  readonly auth?:
    | ServerAuth
    | {
        readonly type: 'oauth2';
        readonly clientIdEnv: string;
        readonly clientSecretEnv: string;
        readonly tokenUrl: string;
        readonly scope?: string;
      };
}

/** A model that nodes of the workflow name. */
export interface ModelSettingsOfWorkflow {
  readonly provider: string;
  readonly model: string;
  readonly temperature?: number;
  readonly maxTokens?: number;
  readonly timeoutSecs?: number;
  readonly retryPolicy?: string;
}

/** When executions are started: `jamjet deploy` makes it a cron job. */
export interface ScheduleSettings<Input> {
  /** Five fields: `0 8 * * *`. */
  readonly cron: string;
  /** Default: `UTC`. */
  readonly timezone?: string;
  readonly input?: Input;
  /** Default: true. */
  readonly enabled?: boolean;
}

/** Settings that hold for a whole workflow. */
export interface WorkflowSettings<R, P> {
  readonly labels?: Readonly<Record<string, string>>;
  readonly timeouts?: {
    /** Of one attempt. Default: 300 seconds. */
    readonly nodeTimeout?: Duration;
    /** Of the whole execution, pauses included. */
    readonly workflowTimeout?: Duration;
    readonly approvalTimeout?: Duration;
    readonly heartbeatInterval?: Duration;
  };
  /** Retry policies by name. */
  readonly retryPolicies?: R;
  readonly policy?: PolicyRules;
  /** Policies that `policy` nodes ask, by name. */
  readonly policies?: P;
  readonly models?: Readonly<Record<string, ModelSettingsOfWorkflow>>;
  readonly mcpServers?: Readonly<Record<string, McpServerSettings>>;
  readonly remoteAgents?: Readonly<Record<string, RemoteAgentSettings>>;
  /** Checks the input of an execution against the schema of the state. Default: false. */
  readonly strictInput?: boolean;
  readonly dataPolicy?: DataPolicy;
  readonly tokenBudget?: { readonly inputTokens?: number; readonly outputTokens?: number; readonly totalTokens?: number };
  readonly costBudgetUsd?: number;
  /**
   * `true`: an execution over its budget ends, and another one begins with its state. With limits: it also does so, whatever its budgets, when it
   * comes to the node `at` after one of them.
   */
  readonly continueAsNew?: boolean | { readonly at: string; readonly afterSteps?: number; readonly afterBytes?: number };
  /** Node completions after which an execution fails, up to 1,000,000. Default: what the runtime says, 10,000. */
  readonly maxSteps?: number;
  readonly oauth?: {
    readonly tokenEndpoint: string;
    readonly clientId: string;
    readonly clientSecret?: string;
    readonly requestedScopes?: readonly string[];
    readonly audience?: string;
    readonly resource?: string;
  };
  /** Where the workflow appears under its own name. */
  readonly publish?: boolean | readonly ('mcp' | 'a2a')[];
}

/** Retry policies by their names. */
export interface RetryPolicies {
  readonly [name: string]: Retry;
}

/** Policies of tools and models by their names. */
export interface Policies {
  readonly [name: string]: PolicyLists;
}
