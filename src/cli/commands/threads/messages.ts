import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { integerArgument } from '../../input/arguments.ts';
import { threadMessages } from '../../texts/threads.ts';

export const command = requestCommand({
  usage: {
    details: 'Prints the last messages of a thread, the oldest of them first. --all prints the whole thread.',
    examples: [
      ['Read a conversation', '$0 threads messages customer-42'],
      ['Save a thread', '$0 threads messages customer-42 --all --json > thread.json'],
    ],
  },
  readOnly: true,
  options: () => ({
    id: Option.String({ name: 'thread' }),
    limit: Option.String('-n,--limit', '50', { description: 'Number of messages, at most 1000 (default 50).' }),
    all: Option.Boolean('--all', false, { description: 'Print all messages.' }),
  }),
  call: async (client, { id, limit, all }) => {
    if (!all) {
      const last = await client.threads.messages(id, {
        order: 'desc',
        limit: integerArgument('--limit', limit, { min: 1, max: 1_000 }),
      });
      return { ...last, messages: [...last.messages].reverse() };
    }
    const whole = await client.threads.messages(id, { limit: 1_000 });
    const messages = [...whole.messages];
    for (let cursor = whole.next_cursor; cursor !== null; ) {
      const page = await client.threads.messages(id, { limit: 1_000, cursor });
      messages.push(...page.messages);
      cursor = page.next_cursor;
    }
    return { ...whole, messages, next_cursor: null };
  },
  text: ({ messages }, { paint, nowMs }) => (messages.length === 0 ? null : threadMessages(messages, nowMs, paint)),
  note: ({ next_cursor }) => (next_cursor === null ? null : 'there are earlier messages: use --limit or --all'),
  empty: 'no messages',
});
