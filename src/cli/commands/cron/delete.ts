import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ClientCommand } from '../../connection/connect.ts';
import { EXIT } from '../../failure.ts';
import { plain } from '../../terminal/text.ts';

export class CronDeleteCommand extends ClientCommand {
  static override paths = [['cron', 'delete']];
  static override usage: Usage = {
    details: 'Executions that it started go on.',
    examples: [['It starts nothing any more', '$0 cron delete nightly']],
  };

  name = Option.String({ name: 'name' });

  protected async request(client: JamjetClient): Promise<number> {
    const answer = await client.cron.delete(this.name);
    if (this.json) this.printJson(answer);
    else this.print(`${this.paint.green('✓ deleted')}  ${plain(this.name)}`);
    return EXIT.ok;
  }
}
