import { isObject, type Json, type JsonObject } from '../json.ts';
import { type Fields, optional } from '../reading/fields.ts';

/** A tool that an agent may call: what the model is told of it, and the node that carries out a call. */
export type AgentTool = {
  /** As the model calls it. */
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments; absent: that of the catalog, of the MCP server, or any object. */
  readonly parameters?: JsonObject;
  /** The node as a document has it, without its input. */
  readonly node: JsonObject;
};

/** Marks the tools in the types of what authors write. */
export interface WrittenTools {
  readonly '~tools': true;
}

/** Names that all providers take. */
const TOOL_NAME = /^[A-Za-z0-9_-]{1,64}$/;
/** Keys of a tool's entry that belong to its node. */
const NODE_KEYS = ['retry_policy', 'retry', 'node_timeout_secs', 'timeout', 'policy', 'labels'] as const;

/** Reads `tools`: names of tools, and objects that say more. */
export function readAgentTools(fields: Fields, key: string): AgentTool[] {
  const seen = new Set<string>();
  return (fields.list(key) ?? []).flatMap((raw, i) => {
    const tool = readTool(raw, fields, `${key}[${i}]`);
    if (tool === null) return [];
    if (seen.has(tool.name)) {
      fields.error('duplicate_tool', `${key}[${i}]`, `"${tool.name}" is used twice`);
      return [];
    }
    seen.add(tool.name);
    return [tool];
  });
}

function readTool(raw: Json, fields: Fields, at: string): AgentTool | null {
  const entry = typeof raw === 'string' ? { use: raw } : raw;
  if (!isObject(entry)) {
    fields.error('wrong_type', at, 'must be the name of a tool, or an object');
    return null;
  }
  // A function as OpenAI describes it.
  const own = isObject(entry.function) ? { ...entry.function, ...entry, type: null, function: null } : entry;
  const read = fields.inside(at, own);
  const kind = kindOf(read);
  if (kind === null) {
    fields.error(
      'bad_tool',
      at,
      'says no tool',
      'write a name, or {name, description, parameters} with `tool`, `server` and `tool`, `workflow`, `agent` or `kind`',
    );
    return null;
  }
  const name = read.text('name') ?? usualName(kind);
  if (!TOOL_NAME.test(name)) {
    fields.error('bad_name', `${at}.name`, 'must have 1 to 64 letters, digits, "_" and "-", as providers require');
    return null;
  }
  const node: Record<string, Json> = { kind };
  for (const key of NODE_KEYS) {
    const value = read.json(key);
    if (value !== undefined) node[key === 'timeout' ? 'node_timeout_secs' : key] = value;
  }
  return {
    name,
    ...optional('description', read.text('description')),
    ...optional('parameters', read.object('parameters', 'input_schema')),
    node,
  };
}

/** The kind of the node that carries out a call; null = the entry names none. */
function kindOf(read: Fields): JsonObject | null {
  const kind = read.object('kind');
  if (kind !== undefined) return kind;
  const server = read.text('server', 'mcp_server', 'mcp');
  const tool = read.text('tool_ref', 'tool', 'use');
  if (server !== undefined) return { type: 'mcp_tool', server, tool: tool ?? read.text('name') ?? '' };
  const workflow = read.text('workflow_ref', 'workflow');
  const output = read.json('output_mapping', 'output');
  if (workflow !== undefined) return { type: 'subgraph', workflow_ref: workflow, ...optional('output_mapping', output) };
  const agent = read.text('agent');
  if (agent !== undefined) return { ...agentNamed(agent), ...optional('output_mapping', output) };
  const named = tool ?? read.text('name');
  return named === undefined ? null : kindNamed(named);
}

/** An agent with a strategy is a workflow, and its answer is the result. */
function agentNamed(id: string): JsonObject {
  return { type: 'subgraph', workflow_ref: id, output_mapping: '{{ state.result }}' };
}

/** `mcp:server.tool`, `workflow:id`, `agent:id`, `tool:name` or a name. */
function kindNamed(name: string): JsonObject {
  const [, prefix, rest] = /^(mcp|workflow|agent|tool):(.+)$/s.exec(name) ?? [];
  if (prefix === 'workflow' && rest !== undefined) return { type: 'subgraph', workflow_ref: rest };
  if (prefix === 'agent' && rest !== undefined) return agentNamed(rest);
  const dot = rest?.search(/[./]/) ?? -1;
  if (prefix === 'mcp' && rest !== undefined && dot > 0)
    return { type: 'mcp_tool', server: rest.slice(0, dot), tool: rest.slice(dot + 1) };
  return { type: 'tool', tool_ref: rest ?? name };
}

/** The name of the tool, workflow or MCP tool, with characters that all providers take. */
function usualName({ tool_ref, tool, workflow_ref, function: name }: JsonObject): string {
  const named = [tool_ref, tool, workflow_ref, name].find((value) => typeof value === 'string') ?? '';
  return toolName(String(named));
}

/** A name with the characters that all providers take. */
export function toolName(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, 64);
}
