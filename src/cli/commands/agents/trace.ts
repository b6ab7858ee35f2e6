import { Option } from 'clipanion';
import { ago } from '../../../views/time.ts';
import { requestCommand } from '../../base/request-command.ts';
import { integerArgument } from '../../input/arguments.ts';
import { table } from '../../terminal/table.ts';
import { plain } from '../../terminal/text.ts';

const COLUMNS = [{ title: 'WHEN', align: 'right' }, { title: 'DIRECTION' }, { title: 'EVENT' }, { title: 'SUMMARY' }] as const;

export const command = requestCommand({
  usage: {
    details: `Newest first. "in" is an action on the agent; "out" is an action of the agent, that is of tokens and workers named agent:ID.
Heartbeats are not recorded.`,
    examples: [
      ['Show the latest twenty records', '$0 agents trace research-agent'],
      [
        'List the executions the agent took part in',
        "$0 agents trace research-agent -n 200 --json | jq -r '.events[].execution_id // empty' | sort -u",
      ],
    ],
  },
  readOnly: true,
  options: () => ({
    id: Option.String({ name: 'id' }),
    limit: Option.String('-n,--limit', '20', { description: 'Maximum number of records, 1 to 200 (default 20).' }),
  }),
  call: (client, { id, limit }) => client.agents.trace(id, { limit: integerArgument('--limit', limit, { min: 1, max: 200 }) }),
  text: ({ events }, { paint, nowMs }) => {
    if (events.length === 0) return null;
    const rows = events.map((event) => [
      ago(Date.parse(event.timestamp), nowMs),
      event.direction === 'inbound' ? paint.cyan('in') : paint.green('out'),
      event.event_type,
      plain(event.summary),
    ]);
    return table(COLUMNS, rows, paint);
  },
  empty: 'no records',
});
