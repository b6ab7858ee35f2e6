import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { plain } from '../../terminal/text.ts';

export const command = requestCommand({
  usage: {
    details: 'Pending deliveries are deleted as well. `webhooks update --disable` keeps the webhook and its deliveries.',
    examples: [['Delete a webhook', '$0 webhooks delete 5c1d2e9a-…']],
  },
  options: () => ({ id: Option.String({ name: 'id' }) }),
  call: (client, { id }) => client.webhooks.delete(id),
  text: (_deleted, { paint }, { id }) => `${paint.green('✓ deleted')}  ${plain(id)}`,
});
