import type { Json } from '../../../machines/json.ts';
import type { AttemptKeys, Mapping, Names, NodeKeys, OutputSchemaKey, WorkKeys } from './shared.ts';

/** Tools by their names; any name if the workflow declares none. */
export type ToolName<N extends Names> = string extends keyof N['toolInputs'] ? string : keyof N['toolInputs'] & string;

/** A node that calls one of the tools, by `tool` or by its own name. */
type Calls<N extends Names, Id extends string, Keys> = {
  [Name in ToolName<N>]: Calling<N, Keys, Name> & (Id extends Name ? { readonly tool?: Name } : { readonly tool: Name });
}[ToolName<N>];

/** A node that calls a tool, by what the tool is given. */
type Calling<N extends Names, Keys, Name extends string> = Keys & InputKey<N['toolInputs'][Name]>;

/** What a node must be that names a tool in this way. */
type CallsAs<N extends Names, Id extends string, Keys, Given> = string extends keyof N['toolInputs']
  ? Calling<N, Keys, string> & { readonly tool?: string }
  : Given extends { readonly tool: infer Name }
    ? Name extends ToolName<N>
      ? Calling<N, Keys, Name> & { readonly tool: Name }
      : Keys & { readonly tool: ToolName<N>; readonly input?: unknown }
    : Id extends ToolName<N>
      ? Calling<N, Keys, Id> & { readonly tool?: Id }
      : Keys & { readonly tool: ToolName<N>; readonly input?: unknown };

interface InputKey<Input> {
  /** Default: the whole state. */
  readonly input?: Mapping<Input>;
}

/** Calls a tool: a function of this process, else an external worker. Without `tool`, the tool has the name of the node. */
export type ToolNode<N extends Names, Id extends string = string> = Calls<N, Id, ToolKeys<N>>;
export type ToolNodeAs<N extends Names, Id extends string, Given> = CallsAs<N, Id, ToolKeys<N>, Given>;

interface ToolKeys<N extends Names> extends WorkKeys<N>, OutputSchemaKey {
  readonly type?: 'tool';
}

/** Calls a tool when the execution is about to end, however it ends. */
export type FinalizerNode<N extends Names, Id extends string = string> = Calls<N, Id, FinalizerKeys<N>>;
export type FinalizerNodeAs<N extends Names, Id extends string, Given> = CallsAs<N, Id, FinalizerKeys<N>, Given>;

interface FinalizerKeys<N extends Names> extends NodeKeys, AttemptKeys<N> {
  readonly type: 'finalizer';
  /** Default: `always`, also on a cancel. */
  readonly runOn?: 'always' | 'success' | 'failure';
  readonly outputKey?: N['stateKey'];
}

/** An HTTP request that the runtime makes itself. */
export interface HttpNode<N extends Names> extends WorkKeys<N>, OutputSchemaKey {
  readonly type: 'http';
  readonly url: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';
  readonly headers?: Mapping;
  readonly query?: Mapping;
  readonly body?: Json;
}

/** Calls a tool of an MCP server. */
export interface McpToolNode<N extends Names> extends WorkKeys<N>, OutputSchemaKey {
  readonly type: 'mcp_tool';
  /** An entry of `mcpServers`, or one of the operator's. */
  readonly server?: N['mcpServer'];
  /** The URL of a server without an entry. */
  readonly serverUrl?: string;
  readonly tool: string;
  readonly input?: Mapping;
}

/** Searches a memory for texts. */
export interface MemoryRetrievalNode<N extends Names> extends WorkKeys<N>, OutputSchemaKey {
  readonly type: 'memory_retrieval';
  /** A namespace, or a connector: `qdrant`, `qdrant/handbook`. */
  readonly memory: string;
  /** An expression, or a template. */
  readonly query: string;
  readonly limit?: number;
  readonly filter?: Mapping;
}

/** Is called by external workers of queue `python_tool`. */
export interface PythonFnNode<N extends Names> extends WorkKeys<N>, OutputSchemaKey {
  readonly type: 'python_fn';
  readonly module: string;
  readonly function: string;
  readonly input?: Mapping;
}

/** Is called by external workers of queue `java_tool`. */
export interface JavaFnNode<N extends Names> extends WorkKeys<N>, OutputSchemaKey {
  readonly type: 'java_fn';
  readonly className: string;
  readonly method: string;
  readonly input?: Mapping;
}
