import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import { ClientCommand } from '../../base/client-command.ts';
import type { Usage } from '../../base/command.ts';
import { listenForInterrupt } from '../../context.ts';
import { EXIT } from '../../failure.ts';
import { followJob } from '../../following/bulk-job.ts';
import { jobText } from '../../texts/job.ts';

class JobsGetCommand extends ClientCommand {
  static override usage: Usage = {
    examples: [
      ['How far it has come', '$0 jobs get job_0199…'],
      ['Stay until it has ended', '$0 jobs get job_0199… --follow'],
    ],
  };

  id = Option.String({ name: 'id' });
  follow = Option.Boolean('-f,--follow', false, { description: 'Stay, and show its progress until it has ended.' });

  protected override get readOnly(): boolean {
    return !this.follow;
  }

  protected async request(client: JamjetClient): Promise<number> {
    if (this.follow) {
      const interrupt = listenForInterrupt(this.context.signals);
      try {
        return await followJob(client, this.context, this, interrupt);
      } finally {
        interrupt.stopListening();
      }
    }
    const job = await client.jobs.get(this.id);
    if (this.json) this.printJson(job);
    else this.print(jobText(job, Date.now(), this.paint));
    return EXIT.ok;
  }
}

export { JobsGetCommand as command };
