import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { type AgentCall, isRejected } from '../../../machines/nodes/agent-calls.ts';
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

/**
 * The messages that tell the model what came of its calls. `results`: the output of the call, or of the join of several calls. A failure is an object
 * {error, node_id, attempt}; a tool that does not exist has no result at all.
 */
export function resultsOf(kind: ModelAgent, nodeId: string, calls: readonly AgentCall[], results: Json): readonly JsonObject[] {
  const names = new Set(kind.tools.map(({ name }) => name));
  const isParallel = kind.parallel_tool_calls > 1;
  const bySource = isParallel && isObject(results) && isObject(results.by_source) ? results.by_source : {};
  return calls.map((call, lane) => {
    const name = nameOf(call);
    const message = (content: string): JsonObject => ({ role: 'tool', tool_call_id: call.id, name, content });
    if (isRejected(call)) return message(`error: ${call.rejected.problem}`);
    if (!names.has(name)) return message(`error: there is no tool "${name}"`);
    const node = `${nodeId}.${name}${isParallel ? lane + 1 : ''}`;
    const result = isParallel ? bySource[node] : results;
    const error = errorIn(result, node);
    if (error !== null) return message(`error: ${error}`);
    return message(typeof result === 'string' ? result : JSON.stringify(result ?? null));
  });
}

export function nameOf(call: AgentCall): string {
  return isRejected(call) ? call.rejected.name : call.name;
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
