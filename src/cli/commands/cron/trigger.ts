import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { plain } from '../../terminal/text.ts';

export const command = requestCommand({
  usage: {
    details: 'Runs outside the schedule, also while the job is paused or its last execution is still running.',
    examples: [['Run now instead of tonight', '$0 cron trigger nightly']],
  },
  options: () => ({ name: Option.String({ name: 'name' }) }),
  call: (client, { name }) => client.cron.trigger(name),
  text: ({ execution_id }, { paint }, { name }) => `${paint.green('✓ started')}  ${plain(name)}  ${paint.dim(execution_id)}`,
});
