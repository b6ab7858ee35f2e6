import { ago } from '../../views/time.ts';
import { requestCommand } from '../base/request-command.ts';
import { table } from '../terminal/table.ts';
import { plain } from '../terminal/text.ts';

const COLUMNS = [
  { title: 'WORKER' },
  { title: 'KIND' },
  { title: 'STATUS' },
  { title: 'QUEUES' },
  { title: 'IN FLIGHT', align: 'right' },
  { title: 'CLAIMED', align: 'right' },
  { title: 'SEEN', align: 'right' },
] as const;

export const command = requestCommand({
  usage: {
    examples: [
      ['List workers and runtimes', '$0 workers'],
      ['Print JSON', '$0 workers --json'],
    ],
  },
  options: () => ({}),
  call: (client) => client.workers(),
  text: ({ workers }, { paint, nowMs }) => {
    if (workers.length === 0) return null;
    const rows = workers.map((worker) => [
      plain(worker.id),
      worker.kind,
      worker.status === 'active' ? paint.green(worker.status) : paint.dim(worker.status),
      plain(worker.queue_types.join(', ')),
      String(worker.in_flight),
      String(worker.claimed_total),
      ago(Date.parse(worker.last_seen_at), nowMs),
    ]);
    return table(COLUMNS, rows, paint);
  },
  empty: 'no workers',
});
