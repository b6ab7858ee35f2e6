import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { type AgentCall, HANDOFF_PREFIX, isRejected } from '../../../machines/nodes/agent-calls.ts';
import { handoffTool } from '../../../machines/nodes/handoffs.ts';
import type { ModelAgent } from '../../../machines/nodes/model-agent.ts';

/** What an agent keeps in the state from one turn to the next. */
export interface Conversation {
  /** As OpenAI writes them, without the instructions of the agent. */
  readonly messages: readonly Json[];
  /** All calls of the last answer, if it asks for any. Stored once, with the turn. */
  readonly requested: readonly AgentCall[];
  /** Those that the workflow carries out now. */
  readonly calls: readonly AgentCall[];
  /** How many come after them: the last ones of `requested`. */
  readonly waiting: number;
  /** Times that the model was asked for the present task. */
  readonly turns: number;
  /** Calls for the present task. */
  readonly tool_calls: number;
  /** Id of the thread that the conversation continues, for the tools. */
  readonly thread?: string;
}

/** The conversation as the node's mapping gives it; empty before the first turn. */
export function conversationIn(input: JsonObject): Conversation {
  return {
    messages: listIn(input.messages),
    requested: listIn(input.requested) as unknown as readonly AgentCall[],
    calls: listIn(input.calls) as unknown as readonly AgentCall[],
    waiting: numberIn(input.waiting),
    turns: numberIn(input.turns),
    tool_calls: numberIn(input.tool_calls),
  };
}

/** The last messages, from one of the user on: providers ask for that. `most` absent = all. */
export function lastOf(messages: readonly Json[], most = messages.length): readonly Json[] {
  if (messages.length <= most) return messages;
  const first = messages.findIndex((message, i) => i >= messages.length - most && isObject(message) && message.role === 'user');
  return first === -1 ? [] : messages.slice(first);
}

/**
 * The messages that tell the model what came of its calls. `results`: the output of the call, or of the join of several calls. A failure is an object
 * {error, node_id, attempt}; a tool that does not exist has no result at all. After a handoff, the next agent has its call as the only one.
 */
export function resultsOf(kind: ModelAgent, nodeId: string, calls: readonly AgentCall[], results: Json): readonly JsonObject[] {
  const isParallel = kind.parallel_tool_calls > 1;
  const bySource = isParallel && isObject(results) && isObject(results.by_source) ? results.by_source : {};
  return calls.map((call, lane) => {
    const name = nameOf(call);
    if (isRejected(call)) return resultMessage(call, `error: ${call.rejected.problem}`);
    if (isHandoffOf(kind, call)) return resultMessage(call, handoffResult(kind, nodeId, name, results));
    if (!hasTool(kind, name)) return resultMessage(call, `error: there is no tool "${name}"`);
    const node = `${nodeId}.${name}${isParallel ? lane + 1 : ''}`;
    const result = isParallel ? bySource[node] : results;
    const error = errorIn(result, node);
    if (error !== null) return resultMessage(call, `error: ${error}`);
    return resultMessage(call, typeof result === 'string' ? result : JSON.stringify(result ?? null));
  });
}

function resultMessage(call: AgentCall, content: string): JsonObject {
  return { role: 'tool', tool_call_id: call.id, name: nameOf(call), content };
}

/** The message for a call that is not carried out because another one of the same answer, `handoff`, has handed over. */
export function notCalled(call: AgentCall, handoff: string): JsonObject {
  const problem = isRejected(call) ? call.rejected.problem : `not called, because of ${handoff}`;
  return resultMessage(call, `error: ${problem}`);
}

export function nameOf(call: AgentCall): string {
  return isRejected(call) ? call.rejected.name : call.name;
}

function hasTool({ tools }: ModelAgent, name: string): boolean {
  return tools.some((tool) => tool.name === name);
}

/** Does the call hand the conversation over, from this agent or another one? */
export function isHandoffOf(kind: ModelAgent, call: AgentCall): boolean {
  return !isRejected(call) && call.name.startsWith(HANDOFF_PREFIX) && !hasTool(kind, call.name);
}

/** Has another agent handed over to one that has not gone on with the conversation, and which is not this one? */
export function ledElsewhere(kind: ModelAgent, nodeId: string, calls: readonly AgentCall[]): boolean {
  const own = [nodeId, ...(kind.handoff ?? []).map(({ agent }) => agent)].map(handoffTool);
  return calls.some((call) => isHandoffOf(kind, call) && !own.includes(nameOf(call)));
}

/** `results`: the failure of the other agent, if it has led back to this one. */
function handoffResult({ handoff = [] }: ModelAgent, nodeId: string, tool: string, results: Json): string {
  if (tool === handoffTool(nodeId)) return `"${nodeId}" goes on with the conversation`;
  const target = handoff.find(({ agent }) => handoffTool(agent) === tool);
  const error = target === undefined ? null : errorIn(results, target.agent);
  return `error: ${error ?? 'the agent has not gone on with the conversation'}`;
}

/** The error of a call that failed; null = it did not. */
function errorIn(result: Json | undefined, node: string): string | null {
  if (!isObject(result) || result.node_id !== node || typeof result.error !== 'string') return null;
  return Object.keys(result).length === 3 && Object.hasOwn(result, 'attempt') ? result.error : null;
}

function listIn(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function numberIn(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}
