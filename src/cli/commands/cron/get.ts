import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ReadOnlyCommand } from '../../connection/connect.ts';
import { EXIT } from '../../failure.ts';
import { cronDetails } from '../../texts/cron.ts';

export class CronGetCommand extends ReadOnlyCommand {
  static override paths = [['cron', 'get']];
  static override usage: Usage = {
    examples: [
      ['When it runs, and how it went', '$0 cron get nightly'],
      ['What its last run came to', '$0 inspect $($0 cron get nightly --json | jq -r .last_execution_id)'],
    ],
  };

  name = Option.String({ name: 'name' });

  protected async request(client: JamjetClient): Promise<number> {
    const job = await client.cron.get(this.name);
    if (this.json) this.printJson(job);
    else this.print(cronDetails(job, Date.now(), this.paint));
    return EXIT.ok;
  }
}
