import { a2aTask } from './a2a-task.ts';
import { agent } from './agent.ts';
import { agentDiscovery } from './agent-discovery.ts';
import { agentTool } from './agent-tool.ts';
import { coordinator } from './coordinator.ts';
import { http } from './http.ts';
import { javaFn } from './java-fn.ts';
import { mcpTool } from './mcp-tool.ts';
import { memoryRetrieval } from './memory-retrieval.ts';
import { model } from './model.ts';
import { pythonFn } from './python-fn.ts';
import { tool } from './tool.ts';

/** The kinds whose work takes an input and gives a result. A map may do it for every item of a list. */
export const WORK_KINDS = {
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
} as const;
