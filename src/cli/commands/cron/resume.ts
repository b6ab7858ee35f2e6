import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { plain } from '../../terminal/text.ts';

export const command = requestCommand({
  usage: {
    details: 'The job continues with the next scheduled time from now.',
    examples: [['Start the workflow on schedule again', '$0 cron resume nightly']],
  },
  options: () => ({ name: Option.String({ name: 'name' }) }),
  call: (client, { name }) => client.cron.resume(name),
  text: ({ next_run_at }, { paint }, { name }) =>
    `${paint.green('✓ resumed')}  ${plain(name)}  ${paint.dim(`next run ${next_run_at ?? 'never'}`)}`,
});
