import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ClientCommand } from '../../connection/connect.ts';
import { EXIT } from '../../failure.ts';
import { plain } from '../../terminal/text.ts';

export class CronResumeCommand extends ClientCommand {
  static override paths = [['cron', 'resume']];
  static override usage: Usage = {
    details: 'It goes on with the next time from now.',
    examples: [['It starts its workflow again', '$0 cron resume nightly']],
  };

  name = Option.String({ name: 'name' });

  protected async request(client: JamjetClient): Promise<number> {
    const answer = await client.cron.resume(this.name);
    if (this.json) this.printJson(answer);
    else
      this.print(
        `${this.paint.green('✓ resumed')}  ${plain(this.name)}  ${this.paint.dim(`next run ${answer.next_run_at ?? 'never'}`)}`,
      );
    return EXIT.ok;
  }
}
