import { Option } from 'clipanion';
import { ago } from '../../views/time.ts';
import { requestCommand } from '../base/request-command.ts';
import { unservedText } from '../following/unserved-tools.ts';
import { integerArgument } from '../input/arguments.ts';
import { table } from '../terminal/table.ts';
import { plain } from '../terminal/text.ts';

const COLUMNS = [
  { title: 'WORKER' },
  { title: 'KIND' },
  { title: 'STATUS' },
  { title: 'QUEUES' },
  { title: 'TOOLS' },
  { title: 'IN FLIGHT', align: 'right' },
  { title: 'CLAIMED', align: 'right' },
  { title: 'SEEN', align: 'right' },
] as const;

const WAITING = [
  { title: 'QUEUE' },
  { title: 'TOOL' },
  { title: 'WAITING', align: 'right' },
  { title: 'OLDEST', align: 'right' },
  { title: 'WHY' },
] as const;

/** So many tools of a worker are named. */
const MAX_NAMED = 6;

function listed(tools: readonly string[]): string {
  const more = tools.length > MAX_NAMED ? `, +${tools.length - MAX_NAMED}` : '';
  return tools.slice(0, MAX_NAMED).join(', ') + more;
}

export const command = requestCommand({
  usage: {
    examples: [
      ['List workers and runtimes', '$0 workers'],
      ['Print JSON', '$0 workers --json'],
    ],
  },
  options: () => ({
    limit: Option.String('--limit', '1000', { description: 'Maximum number of workers, 1 to 1000 (default 1000).' }),
    cursor: Option.String('--cursor', { description: 'Start after an earlier page: its next_cursor.' }),
  }),
  call: (client, { limit, cursor }) =>
    client.workers({
      limit: integerArgument('--limit', limit, { min: 1, max: 1000 }),
      ...(cursor === undefined ? {} : { cursor }),
    }),
  text: (list, { paint, nowMs }) => {
    const { workers, unserved } = list;
    if (workers.length === 0 && unserved.length === 0) return null;
    const rows = workers.map((worker) => [
      plain(worker.id),
      worker.kind,
      worker.status === 'active' ? paint.green(worker.status) : paint.dim(worker.status),
      plain(worker.queue_types.join(', ')),
      worker.tools === null ? paint.dim('any') : plain(listed(worker.tools)),
      String(worker.in_flight),
      String(worker.claimed_total),
      ago(Date.parse(worker.last_seen_at), nowMs),
    ]);
    const waiting = unserved.map(({ queue, tool, waiting: items, oldest_at }) => [
      plain(queue),
      plain(tool),
      String(items),
      ago(Date.parse(oldest_at), nowMs),
      plain(unservedText(tool, list)),
    ]);
    const parts = [
      ...(rows.length === 0 ? [] : [table(COLUMNS, rows, paint)]),
      ...(waiting.length === 0
        ? []
        : [`${paint.yellow('Work that waits, and that no process does')}\n${table(WAITING, waiting, paint)}`]),
    ];
    return parts.join('\n\n');
  },
  empty: 'no workers',
  note: ({ next_cursor }) => (next_cursor === null ? null : `more workers: add --cursor ${next_cursor}`),
});
