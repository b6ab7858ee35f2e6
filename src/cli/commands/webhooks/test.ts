import { Option } from 'clipanion';
import { duration } from '../../../views/time.ts';
import { requestCommand } from '../../base/request-command.ts';
import { EXIT } from '../../failure.ts';
import { inline } from '../../terminal/text.ts';

export const command = requestCommand({
  usage: {
    details: 'Sends one signed ping, also to a disabled webhook. Exits with 1 if it was not delivered.',
    examples: [['Check that the receiver answers', '$0 webhooks test 5c1d2e9a-…']],
  },
  options: () => ({ id: Option.String({ name: 'id' }) }),
  call: (client, { id }) => client.webhooks.test(id),
  text: ({ delivered, status, error, duration_ms }, { paint }) =>
    delivered
      ? `${paint.green('✓ delivered')}  ${status} in ${duration(duration_ms)}`
      : `${paint.red('✗ not delivered')}  ${inline(error ?? '')}`,
  exitCode: ({ delivered }) => (delivered ? EXIT.ok : EXIT.failed),
});
