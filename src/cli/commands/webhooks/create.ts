import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ClientCommand } from '../../connection/connect.ts';
import { EXIT } from '../../failure.ts';
import { namesArgument } from '../../input/arguments.ts';
import { webhookText } from '../../texts/webhook.ts';

export class WebhooksCreateCommand extends ClientCommand {
  static override paths = [['webhooks', 'create']];
  static override usage: Usage = {
    details: 'The URL gets a signed POST for each event. The secret that signs is shown only now.',
    examples: [
      ['Everything that happens', '$0 webhooks create https://example.com/hook'],
      ['How runs end', '$0 webhooks create https://example.com/hook --events WorkflowCompleted,WorkflowFailed'],
      ['Of one workflow', '$0 webhooks create https://example.com/hook --workflow refund-approval --description "to the pager"'],
      ['The secret in a script', 'SECRET=$($0 webhooks create https://example.com/hook --json | jq -r .secret)'],
    ],
  };

  url = Option.String({ name: 'url' });
  events = Option.String('-e,--events', { description: 'Kinds of events, with commas between (default: all).' });
  workflow = Option.String('-w,--workflow', { description: 'Only executions of this workflow.' });
  description = Option.String('--description', { description: 'What it is for.' });
  disabled = Option.Boolean('--disabled', false, { description: 'Send nothing yet.' });

  protected async request(client: JamjetClient): Promise<number> {
    const created = await client.webhooks.create({
      url: this.url,
      enabled: !this.disabled,
      ...(this.events === undefined ? {} : { events: namesArgument('--events', this.events) }),
      ...(this.workflow === undefined ? {} : { workflow_id: this.workflow }),
      ...(this.description === undefined ? {} : { description: this.description }),
    });
    if (this.json) this.printJson(created);
    else {
      this.print(webhookText(created, created.secret, Date.now(), this.paint));
      this.note('The secret is shown only now: keep it.');
    }
    return EXIT.ok;
  }
}
