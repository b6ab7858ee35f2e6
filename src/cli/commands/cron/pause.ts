import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ClientCommand } from '../../connection/connect.ts';
import { EXIT } from '../../failure.ts';
import { plain } from '../../terminal/text.ts';

export class CronPauseCommand extends ClientCommand {
  static override paths = [['cron', 'pause']];
  static override usage: Usage = {
    details: 'Executions that it started go on. Times that pass meanwhile are not made up for.',
    examples: [['It starts nothing until it is resumed', '$0 cron pause nightly']],
  };

  name = Option.String({ name: 'name' });

  protected async request(client: JamjetClient): Promise<number> {
    const answer = await client.cron.pause(this.name);
    if (this.json) this.printJson(answer);
    else this.print(`${this.paint.green('✓ paused')}  ${plain(this.name)}`);
    return EXIT.ok;
  }
}
