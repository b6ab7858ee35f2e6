import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ClientCommand } from '../../connection/connect.ts';
import { EXIT } from '../../failure.ts';
import { doneText } from '../../texts/job.ts';

export class JobsCancelCommand extends ClientCommand {
  static override paths = [['jobs', 'cancel']];
  static override usage: Usage = {
    details: 'What it has done stays done; the executions it has not come to are left as they are.',
    examples: [['Stop a bulk job', '$0 jobs cancel job_0199…']],
  };

  id = Option.String({ name: 'id' });

  protected async request(client: JamjetClient): Promise<number> {
    const job = await client.jobs.cancel(this.id);
    if (this.json) this.printJson(job);
    else this.print(`${this.paint.green('✓')} ${job.id} ${job.status}: ${doneText(job)}`);
    return EXIT.ok;
  }
}
