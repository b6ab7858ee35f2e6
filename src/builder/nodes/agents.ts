import type { Json, JsonObject } from '../../../machines/json.ts';
import type { AttemptKeys, Duration, Mapping, Names, OutputSchemaKey, PolicyLists, WorkKeys } from './shared.ts';
import type { ToolName } from './work.ts';

/** Asks a language model. */
export interface ModelNode<N extends Names> extends WorkKeys<N>, OutputSchemaKey {
  readonly type: 'model';
  readonly model: string;
  /** May hold templates. Default: the messages in `state.messages`. */
  readonly prompt?: string;
  readonly systemPrompt?: string;
  readonly temperature?: number;
  readonly maxTokens?: number;
  /** Functions that the model may ask for, as OpenAI describes them. The workflow calls them. */
  readonly tools?: readonly { readonly name: string; readonly description?: string; readonly parameters?: JsonObject }[];
  /** Tool calls of one answer, at most: 1,024 or fewer. Default: 128. */
  readonly maxCallsPerAnswer?: number;
}

/** A language model that calls tools until it has an answer. Without a `model`: a task for a registered agent. */
export interface AgentNode<N extends Names> extends WorkKeys<N>, OutputSchemaKey, RemoteTaskKeys<N> {
  readonly type: 'agent';
  readonly model?: string;
  /** What the agent is and does. */
  readonly instructions?: string;
  /** The task. Default: `input` as JSON text, else the messages `state.messages`. */
  readonly prompt?: string;
  readonly input?: Mapping;
  readonly tools?: readonly (AgentToolName<N> | AgentToolEntry<N>)[];
  /** Times that the model is asked, at most. Default: 10. */
  readonly maxTurns?: number;
  /** Calls of one answer that run at the same time, at most. Default: 1. */
  readonly parallelToolCalls?: number;
  /** Tool calls of one answer, at most: 1,024 or fewer. Default: 128. */
  readonly maxCallsPerAnswer?: number;
  readonly conversationKey?: N['stateKey'];
  readonly temperature?: number;
  readonly maxTokens?: number;
  /** Without a model: the id of a registered agent, an entry of `remoteAgents`, or a URL. Default: the node id. */
  readonly agentRef?: string;
  readonly skill?: string;
}

/** A tool of the workflow, of an MCP server, or a workflow. What the model is told of a typed tool comes from its schemas. */
type AgentToolName<N extends Names> = ToolName<N> | `mcp:${string}.${string}` | `workflow:${string}`;

/** A tool with what the model is told of it. */
export type AgentToolEntry<N extends Names> = {
  /** As the model calls it. */
  readonly name?: string;
  readonly description?: string;
  /** JSON Schema of the arguments. */
  readonly parameters?: JsonObject;
  readonly retryPolicy?: N['retryPolicy'];
  readonly retry?: AttemptKeys<N>['retry'];
  readonly timeout?: Duration;
  readonly policy?: PolicyLists;
} & (
  | { readonly tool: ToolName<N> }
  | { readonly name: ToolName<N>; readonly tool?: never }
  | { readonly name?: string; readonly server: N['mcpServer']; readonly tool: string }
  | { readonly name: string; readonly workflow: string }
  | { readonly name: string; readonly kind: { readonly type: string; readonly [key: string]: Json } }
);

interface RemoteTaskKeys<N extends Names> {
  /** Shows the texts of an agent that streams. */
  readonly stream?: boolean;
  /** A task that the message continues, usually a template. */
  readonly taskId?: string;
  readonly contextId?: string;
  readonly onInputRequired?: N['target'];
}

/** Gives a task to a remote agent over A2A, and waits for its result. */
export interface A2aTaskNode<N extends Names> extends WorkKeys<N>, OutputSchemaKey, RemoteTaskKeys<N> {
  readonly type: 'a2a_task';
  /** An entry of `remoteAgents`, the id of a registered agent, or a URL. */
  readonly remoteAgent: string;
  readonly skill?: string;
  readonly input?: Mapping;
}

/** Finds an agent. */
export interface AgentDiscoveryNode<N extends Names> extends WorkKeys<N> {
  readonly type: 'agent_discovery';
  readonly skill?: string;
  readonly protocol?: string;
  /** Reads the card of the agent at this URL instead. */
  readonly agentUrl?: string;
}

/** Selects one of the registered agents for a task. */
export interface CoordinatorNode<N extends Names> extends WorkKeys<N> {
  readonly type: 'coordinator';
  readonly task: string;
  readonly requiredSkills?: readonly string[];
  readonly preferredSkills?: readonly string[];
  readonly trustDomain?: string;
  readonly budget?: { readonly maxCostUsd?: number; readonly maxLatencyMs?: number };
  readonly tiebreaker?: { readonly model: string; readonly threshold?: number; readonly maxCandidates?: number };
  readonly strategy?: string;
  readonly weights?: {
    readonly capabilityFit?: number;
    readonly costFit?: number;
    readonly latencyFit?: number;
    readonly trustCompatibility?: number;
    readonly historicalPerformance?: number;
  };
  readonly input?: Mapping;
}

/** Calls a remote agent as a tool. */
export interface AgentToolNode<N extends Names> extends WorkKeys<N> {
  readonly type: 'agent_tool';
  /** A URL, an entry of `remoteAgents`, the id of a registered agent, or `auto`: the one that a coordinator has chosen. */
  readonly agent: string;
  readonly mode?: 'sync' | 'streaming' | 'conversational';
  readonly maxTurns?: number;
  readonly maxTokensPerTurn?: number;
  readonly input?: Mapping;
  readonly timeoutMs?: number;
  readonly budget?: { readonly maxCostUsd?: number; readonly maxTokens?: number };
}
