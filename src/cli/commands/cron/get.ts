import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { cronDetails } from '../../texts/cron.ts';

export const command = requestCommand({
  usage: {
    examples: [
      ['Show the schedule and the last run', '$0 cron get nightly'],
      ['Inspect the last execution', '$0 inspect $($0 cron get nightly --json | jq -r .last_execution_id)'],
    ],
  },
  readOnly: true,
  options: () => ({ name: Option.String({ name: 'name' }) }),
  call: (client, { name }) => client.cron.get(name),
  text: (job, { paint, nowMs }) => cronDetails(job, nowMs, paint),
});
