import { isObject, type Json } from './json.ts';

/** What a message of a conversation says, given its `content` as OpenAI writes it. Parts that are no text are only named: they may be large. */
export function contentText(content: Json): string {
  if (content === null) return '';
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return JSON.stringify(content);
  return (content as readonly Json[]).map(partText).join('\n');
}

function partText(part: Json): string {
  if (!isObject(part)) return '(part)';
  return typeof part.text === 'string' ? part.text : `(${String(part.type)})`;
}

/** The tool that one of the `tool_calls` of an answer calls, and its arguments as the model wrote them. */
export function calledTool(call: Json): { readonly name: string; readonly args: string } {
  const called = isObject(call) && isObject(call.function) ? call.function : {};
  const { name, arguments: args = null } = called;
  return { name: typeof name === 'string' ? name : 'a tool', args: contentText(args) };
}
