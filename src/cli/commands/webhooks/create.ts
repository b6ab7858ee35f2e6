import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { namesArgument } from '../../input/arguments.ts';
import { webhookText } from '../../texts/webhook.ts';

export const command = requestCommand({
  usage: {
    details: 'The URL receives a signed POST for each event. The signing secret is shown only once.',
    examples: [
      ['All events', '$0 webhooks create https://example.com/hook'],
      ['Only how executions end', '$0 webhooks create https://example.com/hook --events WorkflowCompleted,WorkflowFailed'],
      [
        'Only events of one workflow',
        '$0 webhooks create https://example.com/hook --workflow refund-approval --description "to the pager"',
      ],
      ['Read the secret in a script', 'SECRET=$($0 webhooks create https://example.com/hook --json | jq -r .secret)'],
    ],
  },
  options: () => ({
    url: Option.String({ name: 'url' }),
    events: Option.String('-e,--events', { description: 'Event kinds, separated by commas (default: all).' }),
    workflow: Option.String('-w,--workflow', { description: 'Only executions of this workflow.' }),
    description: Option.String('--description', { description: 'A note on its purpose.' }),
    disabled: Option.Boolean('--disabled', false, { description: 'Create it disabled: nothing is sent yet.' }),
  }),
  call: (client, { url, events, workflow, description, disabled }) =>
    client.webhooks.create({
      url,
      enabled: !disabled,
      ...(events === undefined ? {} : { events: namesArgument('--events', events) }),
      ...(workflow === undefined ? {} : { workflow_id: workflow }),
      ...(description === undefined ? {} : { description }),
    }),
  text: (webhook, { paint, nowMs }) => webhookText(webhook, webhook.secret, nowMs, paint),
  note: () => 'The secret is shown only once: store it now.',
});
