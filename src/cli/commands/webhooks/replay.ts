import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ClientCommand } from '../../connection/connect.ts';
import { EXIT } from '../../failure.ts';
import { plain } from '../../terminal/text.ts';

export class WebhooksReplayCommand extends ClientCommand {
  static override paths = [['webhooks', 'replay']];
  static override usage: Usage = {
    details: 'Without a delivery, everything that has failed. A delivery may also be one that was delivered.',
    examples: [
      ['All that has failed', '$0 webhooks replay 5c1d2e9a-…'],
      ['One delivery', '$0 webhooks replay 5c1d2e9a-… 0199a3b4-…'],
    ],
  };

  id = Option.String({ name: 'id' });
  delivery = Option.String({ name: 'delivery', required: false });

  protected async request(client: JamjetClient): Promise<number> {
    if (this.delivery === undefined) {
      const answer = await client.webhooks.replay(this.id);
      if (this.json) this.printJson(answer);
      else if (answer.replayed === 0) this.note('nothing has failed');
      else this.print(`${this.paint.green('✓ put back')}  ${answer.replayed}`);
      return EXIT.ok;
    }
    const delivery = await client.webhooks.replayDelivery(this.id, this.delivery);
    if (this.json) this.printJson(delivery);
    else this.print(`${this.paint.green('✓ put back')}  ${plain(delivery.kind)} of ${delivery.execution_id}`);
    return EXIT.ok;
  }
}
