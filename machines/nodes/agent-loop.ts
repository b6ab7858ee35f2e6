import type { JsonObject } from '../json.ts';
import type { AgentTool } from './agent-tools.ts';
import { type HandingOver, handoffEdges, routerNodes } from './handoffs.ts';
import type { Expansion, ModelCall } from './kind.ts';

/**
 * What follows a failed attempt at a tool: one more, if that may help. The model is told of every other failure, and may try another way. An attempt
 * whose runtime was lost has no class, and is made again in any case.
 */
const RETRY: JsonObject = {
  max_attempts: 2,
  backoff: 'fixed',
  initial_delay: 1,
  max_delay: 1,
  retryable_on: ['rate_limit', 'connection_reset'],
};

/** What of an agent its nodes depend on. */
interface AgentLoop extends HandingOver {
  readonly tools: readonly AgentTool[];
  readonly parallel_tool_calls: number;
}

/**
 * The nodes that carry out the tool calls of an agent, and lead back to it:
 *
 *     agent → agent.call → agent.TOOL → agent                          one call at a time
 *     agent → agent.calls → agent.call1 → agent.TOOL1 ┐
 *                         → agent.call2 → agent.TOOL2 ┴ agent.results → agent
 *
 * A handoff is a call that leads to another agent, which goes on with the conversation:
 *
 *     agent → other                                                    or, among several agents, agent → first.handoffs → other
 *
 * Whatever comes of a call reaches the agent as `output`: also a failure, a rejection or a block by policy, which the model is told. Executions depend
 * on these nodes: another shape needs a key of the document that asks for it.
 */
export function expandAgent(agent: AgentLoop, id: string): Expansion {
  const { tools, conversation_key: key, parallel_tool_calls: lanes } = agent;
  const nodes: (readonly [string, JsonObject])[] = [...routerNodes(agent)];
  const edges: JsonObject[] = [];
  const calls: [string, ModelCall][] = [];
  const handoffs = handoffEdges(agent).map(({ to, condition }) => ({ from: id, to, condition }));
  if (tools.length === 0) return { nodes, edges, first: handoffs };
  const isParallel = lanes > 1;
  const back = isParallel ? `${id}.results` : id;
  for (let lane = 0; lane < lanes; lane += 1) {
    const suffix = isParallel ? String(lane + 1) : '';
    const call = `state.${key}.calls[${lane}]`;
    const branches = tools.map(({ name }) => ({ condition: `${call}.name == '${name}'`, target: `${id}.${name}${suffix}` }));
    const kind = { type: 'condition', branches: [...branches, { condition: null, target: back }] };
    nodes.push([`${id}.call${suffix}`, { kind, description: `Tool calls of ${id}` }]);
    for (const { name, node } of tools) {
      const own = node.kind as JsonObject;
      const toolKind = { ...own, input_mapping: `{{ ${call}.arguments }}`, discard_output: true, fallback_node: back };
      const hasRetry = node.retry !== undefined || node.retry_policy !== undefined;
      nodes.push([`${id}.${name}${suffix}`, { ...(hasRetry ? {} : { retry: RETRY }), ...node, kind: toolKind }]);
      edges.push({ from: `${id}.${name}${suffix}`, to: back });
      calls.push([`${id}.${name}${suffix}`, { key, position: lane }]);
    }
  }
  if (isParallel) {
    const starts = Array.from({ length: lanes }, (_, lane) => `${id}.call${lane + 1}`);
    const sources = starts.flatMap((_, lane) => tools.map(({ name }) => `${id}.${name}${lane + 1}`));
    nodes.push([`${id}.calls`, { kind: { type: 'parallel', branches: starts } }]);
    nodes.push([`${id}.results`, { kind: { type: 'join', wait_for: sources } }]);
    edges.push({ from: back, to: id });
  }
  const first = { from: id, to: isParallel ? `${id}.calls` : `${id}.call`, condition: `len(state.${key}.calls) > 0` };
  return { nodes, edges, first: [...handoffs, first], calls };
}
