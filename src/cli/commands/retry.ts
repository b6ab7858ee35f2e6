import { Option } from 'clipanion';
import type { JamjetClient, RetriedExecution } from '../../client/index.ts';
import { BulkCommand } from '../base/bulk-command.ts';
import type { Usage } from '../base/command.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { followAndReport } from '../following/follow-and-report.ts';
import { FILTER, idOrConditions } from '../input/filter.ts';
import { waitArgument, waitOption } from '../input/wait.ts';
import { plain } from '../terminal/text.ts';

class RetryCommand extends BulkCommand {
  static override usage: Usage = {
    details: `Runs the failed nodes of an execution again, in the same execution, and then the nodes after them. Completed nodes are not repeated.
With --follow the exit status is 0 only if the execution completes.

Without an id, a job retries every failed execution that matches (see jamjet jobs list). The command asks for confirmation; without a
terminal it requires --yes. When the job has ended, the command waits a while (--wait) for the executions, and tells how many of them have
completed, have failed again, or are still running. The exit status is 1 if any has failed again.`,
    examples: [
      ['Retry an execution', '$0 retry exec_0199…'],
      ['Retry it and follow it', '$0 retry exec_0199… --follow'],
      ['Retry the failures of a workflow in the last six hours', '$0 retry --workflow nightly-import --since 6h'],
      ['Retry what failed with an error, as ls --group-by error prints it', '$0 retry --error "charge: timeout after # ms"'],
      ['Wait up to five minutes to see which fail again', '$0 retry --status failed --yes --wait 5m'],
    ],
  };

  protected override readonly executionOptions: readonly string[] = ['id', 'parent'];
  id = Option.String({ name: 'id', required: false });
  follow = Option.Boolean('--follow', false, { description: 'Follow the execution until it ends, like `run`.' });
  error = FILTER.error();
  wait = waitOption();
  all = Option.Boolean('--all', false, { description: 'All that match; without other options, all failed executions.' });

  protected override get changesOffline(): boolean {
    return this.id !== undefined && !this.follow;
  }

  protected async request(client: JamjetClient): Promise<number> {
    const about = idOrConditions(this, Date.now());
    if ('conditions' in about) {
      if (this.follow) throw usageFailure('--follow requires an id', 'A job is followed anyway, unless --detach is given.');
      return this.bulk(client, 'retry', { ...about, waitMs: waitArgument(this.wait) });
    }
    if (this.wait !== undefined) throw usageFailure('--wait requires options that select executions', 'Use --follow with an id.');
    const answer = await client.retry(about.id);
    if (this.follow) {
      if (!this.json) this.note(summaryOf(answer));
      return followAndReport(this.context, this, answer.execution_id);
    }
    if (this.json) this.printJson(answer);
    else this.print(`${this.paint.green('✓ retried')}  ${summaryOf(answer)}`);
    if (answer.held) this.note(`It is paused over its budget: jamjet resume ${answer.execution_id} with a greater total.`);
    return EXIT.ok;
  }
}

function summaryOf({ execution_id, nodes }: RetriedExecution): string {
  return `${execution_id}: ${plain(nodes.join(', '))}`;
}

export { RetryCommand as command };
