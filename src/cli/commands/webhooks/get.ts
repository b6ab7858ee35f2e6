import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ReadOnlyCommand } from '../../connection/connect.ts';
import { EXIT } from '../../failure.ts';
import { webhookText } from '../../texts/webhook.ts';

export class WebhooksGetCommand extends ReadOnlyCommand {
  static override paths = [['webhooks', 'get']];
  static override usage: Usage = {
    examples: [['Where it leads, and how it goes', '$0 webhooks get 5c1d2e9a-…']],
  };

  id = Option.String({ name: 'id' });

  protected async request(client: JamjetClient): Promise<number> {
    const webhook = await client.webhooks.get(this.id);
    if (this.json) this.printJson(webhook);
    else this.print(webhookText(webhook, undefined, Date.now(), this.paint));
    return EXIT.ok;
  }
}
