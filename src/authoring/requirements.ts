import type { Node, Workflow } from '../../machines/ir/workflow.ts';
import { definitionOf } from '../../machines/nodes/index.ts';
import { keyVariableOf, modelNameOf } from '../../machines/nodes/model-names.ts';
import { variablesOf } from './variables.ts';

/** Something that a workflow needs from outside to run. */
export interface Requirement {
  readonly type: 'model' | 'mcp_server' | 'agent' | 'function' | 'worker' | 'workflow' | 'variable';
  /** `claude-sonnet-4-6`, `github`, `charge_card`, `python_tool app.tools:double`, `shipping`, `API_KEY`. */
  readonly name: string;
  /** Nodes that need it; none for a variable. */
  readonly nodes: readonly string[];
  /** How it is provided. */
  readonly hint: string;
}

/** What the rest of the file provides. */
export interface Provided {
  /** Names of the functions that the file names. */
  readonly functions: ReadonlySet<string>;
  /** Ids of the workflows of the file. */
  readonly workflows: ReadonlySet<string>;
}

type Need = Omit<Requirement, 'nodes'>;

/** What a workflow needs from outside, each once, in the order of its nodes; variables come last. */
export function requirementsOf(workflow: Workflow, provided: Provided): readonly Requirement[] {
  const found = new Map<string, Need & { readonly nodes: string[] }>();
  for (const node of workflow.nodes) {
    for (const need of needsOf(node, workflow, provided)) {
      const key = `${need.type} ${need.name}`;
      const known = found.get(key) ?? { ...need, nodes: [] };
      if (!known.nodes.includes(node.id)) known.nodes.push(node.id);
      found.set(key, known);
    }
  }
  const variables = variablesOf(workflow.source).map(
    (name): Requirement => ({ type: 'variable', name, nodes: [], hint: 'JAMJET_WORKFLOW_ENV of the server' }),
  );
  return [...found.values(), ...variables];
}

function needsOf({ kind }: Node, workflow: Workflow, { functions, workflows }: Provided): readonly Need[] {
  const definition = definitionOf(kind);
  const needs: Need[] = [];
  for (const names of [definition.models(kind), ...definition.furtherModels(kind)]) {
    const model = names.at(-1);
    if (model !== undefined) needs.push({ type: 'model', name: model, hint: modelHint(model) });
  }
  const server = definition.mcpServer(kind);
  if (server !== null) needs.push({ type: 'mcp_server', name: server, hint: serverHint(server, workflow) });
  const agent = definition.remoteAgent(kind);
  if (agent !== null) needs.push({ type: 'agent', name: agent, hint: agentHint(agent, workflow) });
  const child = definition.childWorkflow(kind);
  const called = definition.functionScope(kind).calls ?? [];
  for (const name of child === null ? called : [child.ref])
    if (!workflows.has(name)) needs.push({ type: 'workflow', name, hint: 'register it on the same server' });
  const tool = definition.catalogTool(kind);
  const queue = definition.queue(kind);
  if (queue === 'python_tool' || queue === 'java_tool') {
    const name = `${queue} ${definition.policyNames(kind)[0] ?? kind.type}`;
    needs.push({ type: 'worker', name, hint: `a worker of queue ${queue}` });
  } else if (tool !== null && !functions.has(tool) && workflow.tools[tool]?.kind !== 'http') {
    needs.push({ type: 'function', name: tool, hint: '--tools MODULE, "tools:" in the file, or a worker of queue tool' });
  }
  for (const { name } of definition.furtherTools(kind)) {
    if (functions.has(name) || workflow.tools[name]?.kind === 'http') continue;
    needs.push({ type: 'function', name, hint: '--tools MODULE, "tools:" in the file, or an entry of "tools" with kind http' });
  }
  return needs;
}

function modelHint(model: string): string {
  const provider = modelNameOf(model)?.provider;
  const variable = provider === undefined ? null : keyVariableOf(provider);
  if (variable !== null) return variable;
  return provider === 'ollama' ? 'Ollama, at OLLAMA_BASE_URL' : 'an entry of JAMJET_MODELS';
}

function serverHint(name: string, { mcp_servers: declared }: Workflow): string {
  const server = declared[name];
  const byOperator = `[mcp.servers.${name}] in jamjet.toml`;
  if (server?.url !== undefined) return `the server at ${server.url}`;
  return server?.command === undefined ? byOperator : `${byOperator}, or a run without a server, which starts ${server.command}`;
}

function agentHint(name: string, { remote_agents: declared }: Workflow): string {
  const url = declared[name]?.url;
  if (url !== undefined) return `the agent at ${url}`;
  return /^https?:|\{\{/i.test(name) ? 'an agent that speaks A2A at this address' : 'an agent registered under this id';
}
