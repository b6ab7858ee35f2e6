import { Option } from 'clipanion';
import type { JamjetClient, RetriedExecution } from '../../client/index.ts';
import { BulkCommand } from '../base/bulk-command.ts';
import type { Usage } from '../base/command.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { followAndReport } from '../following/follow-and-report.ts';
import { idOrConditions } from '../input/filter.ts';
import { plain } from '../terminal/text.ts';

class RetryCommand extends BulkCommand {
  static override usage: Usage = {
    details: `Of an execution that failed because nodes failed: they run again, in the same execution, and what waited for them follows. What
has completed is not done again. With --follow the exit status is 0 only when the execution completed.

Without an id, every failed execution that matches is retried by a job (jamjet jobs list). It asks first; where nobody can be asked, it
wants --yes.`,
    examples: [
      ['Once the cause is gone', '$0 retry exec_0199…'],
      ['… and see how it ends', '$0 retry exec_0199… --follow'],
      ['Whatever failed of a workflow since this morning', '$0 retry --workflow nightly-import --since 6h'],
    ],
  };

  id = Option.String({ name: 'id', required: false });
  follow = Option.Boolean('--follow', false, { description: 'Follow the execution to its end, as `run` does.' });
  all = Option.Boolean('--all', false, { description: 'All that match; without other options, everything that failed.' });

  protected async request(client: JamjetClient): Promise<number> {
    const about = idOrConditions(this, Date.now());
    if ('conditions' in about) {
      if (this.follow)
        throw usageFailure('--follow is for one execution', 'The job is followed anyway, unless --detach is given.');
      return this.bulk(client, 'retry', about);
    }
    const answer = await client.retry(about.id);
    if (this.follow) {
      if (!this.json) this.note(summaryOf(answer));
      return followAndReport(this.context, this, answer.execution_id);
    }
    if (this.json) this.printJson(answer);
    else this.print(`${this.paint.green('✓ retried')}  ${summaryOf(answer)}`);
    return EXIT.ok;
  }
}

function summaryOf({ execution_id, nodes }: RetriedExecution): string {
  return `${execution_id} runs again: ${plain(nodes.join(', '))}`;
}

export { RetryCommand as command };
