import type { Json, JsonObject } from '../../../machines/json.ts';

/** A message of a thread. */
export interface ThreadMessage {
  /** Instructions are none: they belong to the node that asks its model. */
  readonly role: 'user' | 'assistant' | 'tool';
  /** A text, or a list of parts, `{type: 'text', text}` or `{type: 'image_url', image_url: {url}}`; null for an answer that only calls tools. */
  readonly content: Json;
  /** The tools that an answer calls, as OpenAI writes them. */
  readonly toolCalls?: readonly JsonObject[];
  /** The call that a message with role `tool` answers. */
  readonly toolCallId?: string;
  /** The tool that was called. */
  readonly name?: string;
}

/** A message of a thread. */
export interface ThreadMessageView extends ThreadMessage {
  /** 1, 2, 3 … within the thread. */
  readonly sequence: number;
  /** The execution whose turn has appended it; null = a request has. */
  readonly executionId: string | null;
  readonly nodeId: string | null;
  readonly activation: number | null;
  readonly createdAtMs: number;
}

/** The thread that a tool takes part in, to be read. */
export interface ToolThread {
  readonly id: string;
  /**
   * The last messages, the oldest first: those of the turns before, since the present one is not appended yet. `limit`: 1 to 1,000, default 100. Rejects
   * with `WorkError`.
   */
  readonly messages: (options?: { readonly limit?: number }) => Promise<readonly ThreadMessageView[]>;
}

/** As it is stored, and as models are given it. */
export function storedMessage({ role, content, toolCalls, toolCallId, name }: ThreadMessage): JsonObject {
  return {
    role,
    content,
    ...(toolCalls === undefined ? {} : { tool_calls: toolCalls }),
    ...(toolCallId === undefined ? {} : { tool_call_id: toolCallId }),
    ...(name === undefined ? {} : { name }),
  };
}

/** The reverse of `storedMessage`. */
export function messageOf({ role, content = null, tool_calls, tool_call_id, name }: JsonObject): ThreadMessage {
  return {
    role: role as ThreadMessage['role'],
    content,
    ...(Array.isArray(tool_calls) ? { toolCalls: tool_calls as readonly JsonObject[] } : {}),
    ...(typeof tool_call_id === 'string' ? { toolCallId: tool_call_id } : {}),
    ...(typeof name === 'string' ? { name } : {}),
  };
}

/** The summary of earlier messages, as models are given it. It is made of what users have said, so it has no more authority than they. */
export function summaryMessage(summary: string): JsonObject {
  return { role: 'user', content: `Summary of the conversation so far:\n\n${summary}` };
}
