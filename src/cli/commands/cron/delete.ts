import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { plain } from '../../terminal/text.ts';

export const command = requestCommand({
  usage: {
    details: 'Executions that the job started continue.',
    examples: [['Stop starting executions', '$0 cron delete nightly']],
  },
  options: () => ({ name: Option.String({ name: 'name' }) }),
  call: (client, { name }) => client.cron.delete(name),
  text: (_job, { paint }, { name }) => `${paint.green('✓ deleted')}  ${plain(name)}`,
});
