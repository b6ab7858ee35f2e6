import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { integerArgument } from '../../input/arguments.ts';
import { threadTable } from '../../texts/threads.ts';

export const command = requestCommand({
  usage: {
    details: 'Lists the threads of the tenant, the last changed first.',
    examples: [
      ['List threads', '$0 threads list'],
      ['The ids of the last ten', "$0 threads list -n 10 --json | jq -r '.threads[].thread_id'"],
    ],
  },
  readOnly: true,
  options: () => ({
    limit: Option.String('-n,--limit', '100', { description: 'Number of threads, at most 1000 (default 100).' }),
  }),
  call: (client, { limit }) => client.threads.list({ limit: integerArgument('--limit', limit, { min: 1, max: 1_000 }) }),
  text: ({ threads }, { paint, nowMs }) => (threads.length === 0 ? null : threadTable(threads, nowMs, paint)),
  note: ({ next_cursor }) => (next_cursor === null ? null : 'there are more: use --limit'),
  empty: 'no threads',
});
