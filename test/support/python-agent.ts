import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '../../machines/json.ts';
import { canonicalJson } from '../../machines/json.ts';

/** What JamJet's Python SDK knows of a tool: `@tool` describes a `str` parameter by the word `string`. */
export interface PythonTool {
  readonly name: string;
  readonly description: string;
  readonly input_schema: JsonObject;
  /** `module:qualname`. */
  readonly handler: string;
}

export interface PythonAgent {
  readonly name: string;
  readonly model: string;
  readonly instructions: string;
  readonly tools: readonly PythonTool[];
  readonly timeoutSeconds?: number;
  readonly costUsd?: number;
  readonly tokens?: number;
  readonly policy?: JsonObject;
}

const TOOL_CALLS = 'state.last_model_finish_reason == "tool_calls"';
const DATA_POLICY: JsonObject = {
  pii_fields: [],
  pii_detectors: ['email', 'ssn', 'credit_card', 'phone', 'ip_address'],
  redaction_mode: 'mask',
  retain_prompts: false,
  retain_outputs: true,
};

/** The document that `Agent.run_durable` of JamJet's Python SDK registers: the loop of the agent, unrolled. */
export function compiledAgent(agent: PythonAgent, maxTurns = 8): JsonObject & { readonly workflow_id: string } {
  const tools = toolsMap(agent);
  const schemas = agent.tools.map(({ name, description, input_schema }) => ({
    type: 'function',
    function: { name, description, parameters: input_schema },
  }));
  const nodes: Record<string, Json> = {};
  const edges: Json[] = [];
  for (let turn = 0; turn < maxTurns; turn += 1) {
    const [modelId, gateId, toolsId] = [`__model_${turn}__`, `__tool_gate_${turn}__`, `__tools_${turn}__`];
    const labels = (loop: string) => ({ 'jamjet.agent.loop': loop, 'jamjet.agent.turn': String(turn) });
    nodes[modelId] = node(modelId, modelKind(agent, schemas), 'llm_default', `agent turn ${turn} — model call`, labels('model'));
    edges.push(edge(modelId, gateId));
    const branches = [
      { condition: TOOL_CALLS, target: toolsId },
      { condition: null, target: 'end' },
    ];
    const gate = { type: 'condition', branches, expression: TOOL_CALLS };
    nodes[gateId] = node(gateId, gate, null, `agent turn ${turn} — tool-call gate`, labels('gate'));
    edges.push(edge(gateId, toolsId, TOOL_CALLS), edge(gateId, 'end'));
    const dispatch = {
      type: 'python_fn',
      module: 'jamjet.agents.tool_runtime',
      function: 'dispatch_tool_calls',
      output_schema: '',
      input: {
        messages: '$state.messages',
        assistant_content: '$state.last_model_output',
        tool_calls: '$state.last_model_tool_calls',
        tools,
      },
    };
    nodes[toolsId] = node(toolsId, dispatch, 'no_retry', `agent turn ${turn} — dispatch tool calls`, labels('tools'));
    edges.push(edge(toolsId, `__model_${turn + 1}__`));
  }
  const finalId = `__model_${maxTurns}__`;
  nodes[finalId] = node(finalId, modelKind(agent, []), 'llm_default', `agent turn ${maxTurns} — final answer (no tools)`, {
    'jamjet.agent.loop': 'model',
    'jamjet.agent.turn': String(maxTurns),
    'jamjet.agent.final': 'true',
  });
  edges.push(edge(finalId, 'end'));
  const ir = {
    workflow_id: agent.name,
    name: agent.name,
    description: agent.instructions,
    state_schema: '',
    start_node: '__model_0__',
    nodes,
    edges,
    retry_policies: {},
    timeouts: { workflow_timeout: agent.timeoutSeconds ?? 300, heartbeat_interval: 30 },
    models: {},
    tools: {},
    mcp_servers: {},
    remote_agents: {},
    labels: { 'jamjet.agent.id': agent.name, 'jamjet.agent.loop': 'true', 'jamjet.agent.max_turns': String(maxTurns) },
    ...(agent.costUsd === undefined ? {} : { cost_budget_usd: agent.costUsd }),
    ...(agent.tokens === undefined ? {} : { token_budget: { total_tokens: agent.tokens } }),
    ...(agent.policy === undefined ? {} : { policy: agent.policy }),
    data_policy: DATA_POLICY,
  };
  const digest = createHash('sha256').update(canonicalJson(ir)).digest('hex').slice(0, 12);
  return { ...ir, version: `0.1.0+${digest}` };
}

/** The input with which `Agent.run_durable` starts it. */
export function initialState(agent: PythonAgent, prompt: string): JsonObject {
  const messages = [
    { role: 'system', content: agent.instructions },
    { role: 'user', content: prompt },
  ];
  return { messages, tools: toolsMap(agent) };
}

/** `jamjet.agents.tool_runtime:dispatch_tool_calls`: calls the tools that the model asked for, and returns the messages with what was said. */
export function dispatchToolCalls(state: JsonObject, call: (handler: string, args: JsonObject) => string): JsonObject {
  const tools = state.tools as Readonly<Record<string, string>>;
  const calls = state.last_model_tool_calls as readonly { id: string; name: string; arguments: JsonObject }[];
  const asked = {
    role: 'assistant',
    content: state.last_model_output ?? null,
    tool_calls: calls.map(({ id, name, arguments: args }) => ({
      id,
      type: 'function',
      function: { name, arguments: JSON.stringify(args) },
    })),
  };
  const results = calls.map(({ id, name, arguments: args }) => ({
    role: 'tool',
    tool_call_id: id,
    name,
    content: call(tools[name] ?? '', args),
  }));
  return { messages: [...(state.messages as readonly Json[]), asked, ...results] };
}

function toolsMap({ tools }: PythonAgent): JsonObject {
  return Object.fromEntries(tools.map(({ name, handler }) => [name, handler]));
}

function modelKind({ model, instructions }: PythonAgent, tools: readonly JsonObject[]): JsonObject {
  return { type: 'model', model_ref: model, prompt_ref: '', output_schema: '', system_prompt: instructions, tools };
}

function node(id: string, kind: JsonObject, retry_policy: string | null, description: string, labels: JsonObject): JsonObject {
  return { id, kind, retry_policy, node_timeout_secs: null, description, labels };
}

function edge(from: string, to: string, condition: string | null = null): JsonObject {
  return { from, to, condition };
}
