import { calledTool, contentText } from '../../../machines/message-text.ts';
import type { Thread, ThreadMessages } from '../../client/index.ts';
import { ago } from '../../views/time.ts';
import type { Paint } from '../terminal/paint.ts';
import { table } from '../terminal/table.ts';
import { plain } from '../terminal/text.ts';

const COLUMNS = [
  { title: 'THREAD' },
  { title: 'MESSAGES', align: 'right' },
  { title: 'KB', align: 'right' },
  { title: 'CREATED', align: 'right' },
  { title: 'CHANGED', align: 'right' },
] as const;

export function threadTable(threads: readonly Thread[], nowMs: number, paint: Paint): string {
  const rows = threads.map(({ thread_id, messages, bytes, created_at, updated_at }) => [
    plain(thread_id),
    String(messages),
    String(Math.ceil(bytes / 1024)),
    ago(Date.parse(created_at), nowMs),
    ago(Date.parse(updated_at), nowMs),
  ]);
  return table(COLUMNS, rows, paint);
}

/** Like a chat: who says it and when, and below it what is said. */
export function threadMessages(messages: ThreadMessages['messages'], nowMs: number, paint: Paint): string {
  return messages
    .map((message) => {
      const { sequence, role, execution_id, created_at } = message;
      const facts = `#${sequence}  ${ago(Date.parse(created_at), nowMs)}${execution_id === null ? '' : `  ${execution_id}`}`;
      const lines = saidIn(message).split('\n');
      return `${paint.bold(role)}  ${paint.dim(facts)}\n${lines.map((line) => `  ${plain(line)}`).join('\n')}`;
    })
    .join('\n');
}

/** The text of a message; parts that are no text, and calls of tools, in parentheses. */
function saidIn({ content, tool_calls, name }: ThreadMessages['messages'][number]): string {
  const calls = (tool_calls ?? []).map((call) => {
    const { name: tool, args } = calledTool(call);
    return `(calls ${tool} ${args})`;
  });
  return [...(name === undefined || name === null ? [] : [`(${name})`]), contentText(content), ...calls]
    .filter((text) => text !== '')
    .join('\n');
}
