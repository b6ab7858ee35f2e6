import type { ToolConfig } from '../../machines/ir/workflow.ts';
import { hasModel } from '../../machines/nodes/agent.ts';
import { type Kind, type KindName, workKindOf } from '../../machines/nodes/index.ts';
import { remembering } from './a2a/outcomes.ts';
import type { AgentAccess } from './a2a/remote-agents.ts';
import { a2aTaskExecutor } from './a2a-task.ts';
import { agentExecutor } from './agent/index.ts';
import { agentDiscoveryExecutor } from './agent-discovery.ts';
import { agentToolExecutor } from './agent-tool.ts';
import { coordinatorExecutor } from './coordinator/index.ts';
import { type DurableCode, durableExecutor } from './durable/index.ts';
import { evalExecutor } from './eval/index.ts';
import type { Executor, WorkContext } from './executor.ts';
import { functionExecutor } from './function.ts';
import { httpExecutor } from './http.ts';
import { httpToolExecutor } from './http-tool.ts';
import { type McpAccess, mcpToolExecutor } from './mcp-tool.ts';
import { memoryRetrievalExecutor } from './memory-retrieval.ts';
import type { Models } from './model/ask.ts';
import { modelExecutor } from './model/index.ts';
import type { Outbound } from './outbound/index.ts';

/** What executors need from this process. */
export interface ExecutorDeps {
  /** Functions registered by the operator, by `tool_ref`. */
  readonly tools: Readonly<Record<string, (input: never, context: WorkContext) => unknown>>;
  readonly outbound: Outbound;
  /** The variables that the operator has given to the tenant. */
  readonly vars: Readonly<Record<string, string>>;
  readonly models: Models;
  readonly mcp: McpAccess;
  readonly agents: AgentAccess;
  /** Base URL of a coordinator server; undefined = this process selects agents itself. */
  readonly coordinatorUrl: string | undefined;
}

/** The `tools` of a workflow document, by name. */
type DeclaredTools = Readonly<Record<string, ToolConfig>>;

/** Creates the executor of a node of kind `N`; null = external workers do its work. */
type CreateExecutor<N extends KindName> = (
  kind: Extract<Kind, { type: N }>,
  deps: ExecutorDeps,
  declared: DeclaredTools,
) => Executor | null;

/** The kinds with work that this process can do: one line per kind. Work of other kinds is done by external workers. */
const EXECUTORS: { readonly [N in KindName]?: CreateExecutor<N> } = {
  http: (_kind, { outbound, vars }) => httpExecutor(outbound, vars),
  model: (kind, { models }) => modelExecutor(kind, models),
  mcp_tool: (kind, { mcp }) => mcpToolExecutor(kind, mcp),
  a2a_task: (kind, { agents }) => remembering(a2aTaskExecutor(kind, agents), agents),
  memory_retrieval: (kind) => memoryRetrievalExecutor(kind),
  agent: (kind, { models, mcp, agents }, declared) =>
    hasModel(kind) ? agentExecutor(kind, models, { declared, mcp }) : remembering(a2aTaskExecutor(kind, agents), agents),
  agent_tool: (kind, { agents }) => remembering(agentToolExecutor(kind, agents), agents),
  agent_discovery: (_kind, { agents }) => agentDiscoveryExecutor(agents),
  coordinator: (kind, { agents, models, coordinatorUrl }) =>
    coordinatorExecutor(kind, { directory: agents.agents.directory, models, bridgeUrl: coordinatorUrl }),
  tool: toolExecutor,
  eval: (kind, deps, declared) =>
    evalExecutor(kind, { models: deps.models, toolOf: (name) => toolExecutor({ tool_ref: name }, deps, declared) }),
  finalizer: toolExecutor,
  durable_function: ({ function_ref: name }, { tools }) =>
    Object.hasOwn(tools, name) ? durableExecutor(tools[name] as unknown as DurableCode) : null,
};

/** The executor of a node's work in this process; null = external workers do it. */
export function executorFor(kind: Kind, declared: DeclaredTools, deps: ExecutorDeps): Executor | null {
  // The table's keys guarantee that the function takes this kind.
  const work = workKindOf(kind);
  const create = EXECUTORS[work.type] as CreateExecutor<KindName> | undefined;
  return create?.(work, deps, declared) ?? null;
}

/** A function registered by the operator takes precedence over a declared URL. */
function toolExecutor(
  { tool_ref }: { readonly tool_ref: string },
  { tools, outbound }: ExecutorDeps,
  declared: DeclaredTools,
): Executor | null {
  const tool = Object.hasOwn(tools, tool_ref) ? tools[tool_ref] : undefined;
  if (tool !== undefined) return functionExecutor(tool);
  const config = Object.hasOwn(declared, tool_ref) ? declared[tool_ref] : undefined;
  return config?.kind === 'http' ? httpToolExecutor(outbound, config.reference) : null;
}
