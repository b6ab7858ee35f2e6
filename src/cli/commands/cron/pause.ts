import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { plain } from '../../terminal/text.ts';

export const command = requestCommand({
  usage: {
    details: 'Executions that the job started continue. Runs that fall into the pause are not caught up.',
    examples: [['Start nothing until the job is resumed', '$0 cron pause nightly']],
  },
  options: () => ({ name: Option.String({ name: 'name' }) }),
  call: (client, { name }) => client.cron.pause(name),
  text: (_job, { paint }, { name }) => `${paint.green('✓ paused')}  ${plain(name)}`,
});
