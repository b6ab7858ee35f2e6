import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ClientCommand } from '../../connection/connect.ts';
import { EXIT } from '../../failure.ts';
import { plain } from '../../terminal/text.ts';

export class CronTriggerCommand extends ClientCommand {
  static override paths = [['cron', 'trigger']];
  static override usage: Usage = {
    details: 'Outside the schedule, also while the job is paused, and whatever its last execution does.',
    examples: [['Do not wait for the night', '$0 cron trigger nightly']],
  };

  name = Option.String({ name: 'name' });

  protected async request(client: JamjetClient): Promise<number> {
    const answer = await client.cron.trigger(this.name);
    if (this.json) this.printJson(answer);
    else this.print(`${this.paint.green('✓ started')}  ${plain(this.name)}  ${this.paint.dim(answer.execution_id)}`);
    return EXIT.ok;
  }
}
