import type { LanguageModelV3FunctionTool, LanguageModelV3Message, LanguageModelV3ToolCallPart } from '@ai-sdk/provider';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { functionOf } from '../../../machines/nodes/model.ts';
import { shortened } from '../../../machines/shortened.ts';
import { invalid, typeOf } from '../http-content.ts';
import { withSchemas } from './parameters.ts';

type UserContent = Extract<LanguageModelV3Message, { role: 'user' }>['content'];

/** Messages as OpenAI writes them (`role`, `content`, `tool_calls`, `tool_call_id`), for any provider. */
export function promptOf(messages: readonly Json[]): LanguageModelV3Message[] {
  const toolNames = new Map<string, string>();
  return messages.map((message, i) => {
    const at = `messages[${i}]`;
    if (!isObject(message)) throw invalid(`${at} must be an object {role, content}, not ${typeOf(message)}`);
    switch (message.role) {
      case 'system':
      case 'developer':
        return { role: 'system', content: textOf(message.content, at) };
      case 'user':
        return { role: 'user', content: userContent(message.content, at) };
      case 'assistant': {
        const text = textOf(message.content, at);
        const calls = toolCalls(message.tool_calls, at);
        for (const { toolCallId, toolName } of calls) toolNames.set(toolCallId, toolName);
        return { role: 'assistant', content: [...(text === '' ? [] : [{ type: 'text' as const, text }]), ...calls] };
      }
      case 'tool':
      case 'function': {
        const toolCallId = requiredText(message.tool_call_id ?? message.name, `${at}.tool_call_id`);
        const named = typeof message.name === 'string' ? message.name : undefined;
        const output = { type: 'text' as const, value: textOf(message.content, at) };
        return {
          role: 'tool',
          content: [{ type: 'tool-result', toolCallId, toolName: toolNames.get(toolCallId) ?? named ?? toolCallId, output }],
        };
      }
      default:
        throw invalid(
          `${at}.role must be system, user, assistant or tool, not ${shortened(JSON.stringify(message.role ?? null), 60)}`,
        );
    }
  });
}

export function toolsOf(tools: readonly JsonObject[]): LanguageModelV3FunctionTool[] {
  return tools.map((tool, i) => {
    const { name, description, parameters } = functionOf(tool);
    return {
      type: 'function',
      name: requiredText(name, `tools[${i}].name`),
      ...(typeof description === 'string' ? { description } : {}),
      inputSchema: (isObject(parameters)
        ? withSchemas(parameters)
        : { type: 'object', properties: {} }) as LanguageModelV3FunctionTool['inputSchema'],
    };
  });
}

function toolCalls(raw: Json | undefined, at: string): LanguageModelV3ToolCallPart[] {
  if (raw === undefined || raw === null) return [];
  if (!Array.isArray(raw)) throw invalid(`${at}.tool_calls must be a list, not ${typeOf(raw)}`);
  return (raw as readonly Json[]).map((call, i) => {
    const where = `${at}.tool_calls[${i}]`;
    if (!isObject(call)) throw invalid(`${where} must be an object, not ${typeOf(call)}`);
    const named = functionOf(call);
    return {
      type: 'tool-call',
      toolCallId: requiredText(call.id, `${where}.id`),
      toolName: requiredText(named.name, `${where}.name`),
      input: argumentsOf(named.arguments, where),
    };
  });
}

/** Arguments as an object, or as its text, which OpenAI writes. */
function argumentsOf(given: Json | undefined, at: string): Json {
  if (typeof given !== 'string') return given ?? {};
  try {
    return given.trim() === '' ? {} : (JSON.parse(given) as Json);
  } catch {
    throw invalid(`${at}.arguments is not JSON`);
  }
}

function textOf(content: Json | undefined, at: string): string {
  if (content === undefined || content === null) return '';
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return JSON.stringify(content);
  const parts = content as readonly Json[];
  const texts = parts.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : null));
  if (texts.includes(null)) throw invalid(`${at}.content must be text, or a list of {type: text, text}`);
  return texts.join('');
}

function userContent(content: Json | undefined, at: string): UserContent {
  if (!Array.isArray(content)) return [{ type: 'text', text: textOf(content, at) }];
  return (content as readonly Json[]).map((part, i) => {
    if (isObject(part) && typeof part.text === 'string') return { type: 'text', text: part.text };
    const url = isObject(part) && isObject(part.image_url) ? part.image_url.url : undefined;
    const data = typeof url === 'string' ? /^data:(image\/[\w.+-]+);base64,(.*)$/s.exec(url) : null;
    if (data?.[1] !== undefined && data[2] !== undefined) return { type: 'file', mediaType: data[1], data: data[2] };
    if (typeof url === 'string' && /^https?:/.test(url) && URL.canParse(url))
      return { type: 'file', mediaType: 'image/*', data: new URL(url) };
    throw invalid(`${at}.content[${i}] must be {type: text, text} or {type: image_url, image_url: {url}}`);
  });
}

function requiredText(value: Json | undefined, at: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw invalid(`${at} must be text, not ${typeOf(value)}`);
}
