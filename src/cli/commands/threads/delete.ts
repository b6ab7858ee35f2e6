import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { count, plain } from '../../terminal/text.ts';

export const command = requestCommand({
  usage: {
    details: 'Deletes a thread with its messages and its summary. There is no way back.',
    examples: [['Delete a conversation', '$0 threads delete customer-42']],
  },
  options: () => ({ id: Option.String({ name: 'thread' }) }),
  call: (client, { id }) => client.threads.delete(id),
  text: ({ thread_id, deleted }, { paint }) =>
    `${paint.green('✓ deleted')}  thread ${plain(thread_id)} with ${count(deleted, 'message')}`,
});
