import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ClientCommand } from '../../connection/connect.ts';
import { EXIT, usageFailure } from '../../failure.ts';
import { namesArgument } from '../../input/arguments.ts';
import { webhookText } from '../../texts/webhook.ts';

export class WebhooksUpdateCommand extends ClientCommand {
  static override paths = [['webhooks', 'update']];
  static override usage: Usage = {
    details: `What is not named stays as it is. While a webhook is disabled it is told of nothing new; what was still to be delivered waits.

With --rotate-secret the old secret signs beside the new one for 24 hours.`,
    examples: [
      ['Send it somewhere else', '$0 webhooks update 5c1d2e9a-… --url https://example.com/other'],
      ['Everything, of any workflow', `$0 webhooks update 5c1d2e9a-… --events '*' --workflow ''`],
      ['Not for now', '$0 webhooks update 5c1d2e9a-… --disable'],
      ['A new secret', '$0 webhooks update 5c1d2e9a-… --rotate-secret'],
    ],
  };

  id = Option.String({ name: 'id' });
  url = Option.String('--url', { description: 'Where it leads.' });
  events = Option.String('-e,--events', { description: "Kinds of events, with commas between; '*' = all." });
  workflow = Option.String('-w,--workflow', { description: "Only executions of this workflow; '' = of any." });
  description = Option.String('--description', { description: "What it is for; '' = nothing." });
  enabled = Option.Boolean('--enable', { description: 'Send again.' });
  disabled = Option.Boolean('--disable', { description: 'Send nothing for now.' });
  rotateSecret = Option.Boolean('--rotate-secret', false, { description: 'Make a new secret, and show it.' });

  protected async request(client: JamjetClient): Promise<number> {
    if (this.enabled && this.disabled) throw usageFailure('--enable or --disable, not both');
    const change = {
      ...(this.url === undefined ? {} : { url: this.url }),
      ...(this.events === undefined ? {} : { events: namesArgument('--events', this.events) }),
      ...(this.workflow === undefined ? {} : { workflow_id: this.workflow === '' ? null : this.workflow }),
      ...(this.description === undefined ? {} : { description: this.description === '' ? null : this.description }),
      ...(this.enabled ? { enabled: true } : {}),
      ...(this.disabled ? { enabled: false } : {}),
      ...(this.rotateSecret ? { rotate_secret: true } : {}),
    };
    if (Object.keys(change).length === 0) {
      throw usageFailure('change what? --url, --events, --workflow, --description, --enable, --disable or --rotate-secret');
    }
    const updated = await client.webhooks.update(this.id, change);
    if (this.json) this.printJson(updated);
    else this.print(webhookText(updated, updated.secret, Date.now(), this.paint));
    return EXIT.ok;
  }
}
