import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import { ClientCommand } from '../../base/client-command.ts';
import type { Usage } from '../../base/command.ts';
import { listenForInterrupt } from '../../context.ts';
import { EXIT, usageFailure } from '../../failure.ts';
import { followJob } from '../../following/bulk-job.ts';
import { waitArgument, waitOption } from '../../input/wait.ts';
import { jobText } from '../../texts/job.ts';

class JobsGetCommand extends ClientCommand {
  static override usage: Usage = {
    examples: [
      ['Show the progress of a job', '$0 jobs get job_0199…'],
      ['Follow a job until it ends', '$0 jobs get job_0199… --follow'],
    ],
  };

  id = Option.String({ name: 'id' });
  follow = Option.Boolean('-f,--follow', false, {
    description: 'Show the progress until the job ends, and of a retry then what becomes of the executions.',
  });
  wait = waitOption();

  protected override get readOnly(): boolean {
    return !this.follow;
  }

  protected async request(client: JamjetClient): Promise<number> {
    if (this.wait !== undefined && !this.follow) throw usageFailure('--wait requires --follow');
    if (this.follow) {
      const waitMs = waitArgument(this.wait);
      const interrupt = listenForInterrupt(this.context.signals);
      try {
        return await followJob(client, this.context, { id: this.id, json: this.json, waitMs }, interrupt);
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
