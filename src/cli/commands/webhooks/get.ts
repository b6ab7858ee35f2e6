import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { webhookText } from '../../texts/webhook.ts';

export const command = requestCommand({
  usage: { examples: [['Show a webhook and its delivery state', '$0 webhooks get 5c1d2e9a-…']] },
  readOnly: true,
  options: () => ({ id: Option.String({ name: 'id' }) }),
  call: (client, { id }) => client.webhooks.get(id),
  text: (webhook, { paint, nowMs }) => webhookText(webhook, undefined, nowMs, paint),
});
