import { a2aTask } from './a2a-task.ts';
import { agent } from './agent.ts';
import { agentDiscovery } from './agent-discovery.ts';
import { agentTool } from './agent-tool.ts';
import { condition } from './condition.ts';
import { coordinator } from './coordinator.ts';
import { evaluation } from './eval.ts';
import { finalizer } from './finalizer.ts';
import { http } from './http.ts';
import { humanApproval } from './human-approval.ts';
import { javaFn } from './java-fn.ts';
import { join } from './join.ts';
import type { KindDefinition } from './kind.ts';
import { limitExceeded } from './limit-exceeded.ts';
import { mcpTool } from './mcp-tool.ts';
import { memoryRetrieval } from './memory-retrieval.ts';
import { model } from './model.ts';
import { parallel } from './parallel.ts';
import { policy } from './policy.ts';
import { pythonFn } from './python-fn.ts';
import { subgraph } from './subgraph.ts';
import { tool } from './tool.ts';
import { wait } from './wait.ts';

/** The registry of node kinds: the only list of them. */
export const KINDS = {
  tool,
  http,
  model,
  mcp_tool: mcpTool,
  a2a_task: a2aTask,
  agent,
  memory_retrieval: memoryRetrieval,
  agent_tool: agentTool,
  agent_discovery: agentDiscovery,
  coordinator,
  python_fn: pythonFn,
  java_fn: javaFn,
  condition,
  parallel,
  join,
  human_approval: humanApproval,
  wait,
  subgraph,
  eval: evaluation,
  limit_exceeded: limitExceeded,
  finalizer,
  policy,
} as const;

export type KindName = keyof typeof KINDS;

/** A node's kind in normal form. */
export type Kind = ReturnType<(typeof KINDS)[KindName]['normalise']>;

export const KIND_NAMES = Object.keys(KINDS) as readonly KindName[];

/** Other names for kinds. */
export const KIND_ALIASES: Readonly<Record<string, KindName>> = { branch: 'condition' };

export function definitionOf(kind: Kind): KindDefinition<Kind> {
  return definitionNamed(kind.type);
}

export function definitionNamed(name: KindName): KindDefinition<Kind> {
  return KINDS[name];
}

/** The state key that the author named for a node's output; null = none. */
export function outputKeyOf(kind: Kind): string | null {
  return 'output_key' in kind && kind.output_key !== undefined ? kind.output_key : null;
}

/** The fields of a node's output with the state keys that receive them; null = none are named. */
export function outputFieldsOf(kind: Kind): readonly (readonly [field: string, key: string])[] | null {
  return 'output_to_state' in kind && kind.output_to_state !== undefined ? Object.entries(kind.output_to_state) : null;
}

/** Does a child execution do the node's work? */
export function runsChild(kind: Kind): boolean {
  return definitionOf(kind).behaviour(kind) === 'child';
}
