import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { plain } from '../../terminal/text.ts';
import { threadTable } from '../../texts/threads.ts';

export const command = requestCommand({
  usage: {
    details: 'Shows a thread: how many messages it has, when it was changed, and the summary of its first messages.',
    examples: [['Show a thread', '$0 threads show customer-42']],
  },
  readOnly: true,
  options: () => ({ id: Option.String({ name: 'thread' }) }),
  call: (client, { id }) => client.threads.get(id),
  text: (thread, { paint, nowMs }) => {
    const { summary, summarised_sequence } = thread;
    const rows = threadTable([thread], nowMs, paint);
    if (summary === null) return rows;
    return `${rows}\n\n${paint.bold(`Summary of the messages up to #${summarised_sequence}`)}\n${plain(summary, { lines: true })}`;
  },
});
