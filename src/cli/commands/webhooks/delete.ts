import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ClientCommand } from '../../connection/connect.ts';
import { EXIT } from '../../failure.ts';
import { plain } from '../../terminal/text.ts';

export class WebhooksDeleteCommand extends ClientCommand {
  static override paths = [['webhooks', 'delete']];
  static override usage: Usage = {
    details: 'What was still to be delivered to it goes as well. `webhooks update --disable` keeps both.',
    examples: [['It is sent nothing any more', '$0 webhooks delete 5c1d2e9a-…']],
  };

  id = Option.String({ name: 'id' });

  protected async request(client: JamjetClient): Promise<number> {
    const answer = await client.webhooks.delete(this.id);
    if (this.json) this.printJson(answer);
    else this.print(`${this.paint.green('✓ deleted')}  ${plain(this.id)}`);
    return EXIT.ok;
  }
}
