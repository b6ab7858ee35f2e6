import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import { duration } from '../../../views/time.ts';
import type { Usage } from '../../base/command.ts';
import { ClientCommand } from '../../connection/connect.ts';
import { EXIT } from '../../failure.ts';
import { inline } from '../../terminal/text.ts';

export class WebhooksTestCommand extends ClientCommand {
  static override paths = [['webhooks', 'test']];
  static override usage: Usage = {
    details: 'Sends a signed ping, once, also to a disabled webhook. Ends with 1 when it was not taken.',
    examples: [['Does it answer?', '$0 webhooks test 5c1d2e9a-…']],
  };

  id = Option.String({ name: 'id' });

  protected async request(client: JamjetClient): Promise<number> {
    const answer = await client.webhooks.test(this.id);
    const { delivered, status, error, duration_ms } = answer;
    if (this.json) this.printJson(answer);
    else if (delivered) this.print(`${this.paint.green('✓ delivered')}  ${status} in ${duration(duration_ms)}`);
    else this.print(`${this.paint.red('✗ not delivered')}  ${inline(error ?? '')}`);
    return delivered ? EXIT.ok : EXIT.failed;
  }
}
