import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { usageFailure } from '../../failure.ts';
import { namesArgument } from '../../input/arguments.ts';
import { webhookText } from '../../texts/webhook.ts';

export const command = requestCommand({
  usage: {
    details: `Fields that are not given stay unchanged. A disabled webhook gets no new deliveries; pending ones wait.

With --rotate-secret, deliveries are signed with both the old and the new secret for 24 hours.`,
    examples: [
      ['Change the URL', '$0 webhooks update 5c1d2e9a-… --url https://example.com/other'],
      ['Subscribe to all events of all workflows', `$0 webhooks update 5c1d2e9a-… --events '*' --workflow ''`],
      ['Disable it', '$0 webhooks update 5c1d2e9a-… --disable'],
      ['Rotate the secret', '$0 webhooks update 5c1d2e9a-… --rotate-secret'],
    ],
  },
  options: () => ({
    id: Option.String({ name: 'id' }),
    url: Option.String('--url', { description: 'The new URL.' }),
    events: Option.String('-e,--events', { description: "Event kinds, separated by commas; '*' = all." }),
    workflow: Option.String('-w,--workflow', { description: "Only executions of this workflow; '' = of all workflows." }),
    description: Option.String('--description', { description: "A note on its purpose; '' = none." }),
    enabled: Option.Boolean('--enable', { description: 'Enable it.' }),
    disabled: Option.Boolean('--disable', { description: 'Disable it.' }),
    rotateSecret: Option.Boolean('--rotate-secret', false, { description: 'Create a new secret and show it.' }),
  }),
  call: async (client, { id, url, events, workflow, description, enabled, disabled, rotateSecret }) => {
    if (enabled && disabled) throw usageFailure('give --enable or --disable, not both');
    const change = {
      ...(url === undefined ? {} : { url }),
      ...(events === undefined ? {} : { events: namesArgument('--events', events) }),
      ...(workflow === undefined ? {} : { workflow_id: workflow === '' ? null : workflow }),
      ...(description === undefined ? {} : { description: description === '' ? null : description }),
      ...(enabled ? { enabled: true } : {}),
      ...(disabled ? { enabled: false } : {}),
      ...(rotateSecret ? { rotate_secret: true } : {}),
    };
    if (Object.keys(change).length === 0) {
      throw usageFailure(
        'nothing to change: give --url, --events, --workflow, --description, --enable, --disable or --rotate-secret',
      );
    }
    return client.webhooks.update(id, change);
  },
  text: (webhook, { paint, nowMs }) => webhookText(webhook, webhook.secret, nowMs, paint),
});
