import { Option } from 'clipanion';
import type { JamjetClient } from '../../client/index.ts';
import { BulkCommand } from '../base/bulk-command.ts';
import type { Usage } from '../base/command.ts';
import { EXIT } from '../failure.ts';
import { idOrConditions } from '../input/filter.ts';

class CancelCommand extends BulkCommand {
  static override usage: Usage = {
    details: `Without an id, a job cancels every pending, running or paused execution that matches. The job continues if this command is interrupted (see
jamjet jobs list). The command asks for confirmation; without a terminal it requires --yes.`,
    examples: [
      ['Cancel an execution', '$0 cancel exec_0199…'],
      ['Cancel it and give a reason', '$0 cancel exec_0199… --reason "ordered twice"'],
      ['Cancel the running executions of a workflow', '$0 cancel --all --status running --workflow nightly-import'],
      ['Cancel all executions of a customer, without confirmation', '$0 cancel --label customer=acme --yes'],
    ],
  };

  protected override readonly executionOptions: readonly string[] = ['id', 'parent'];
  id = Option.String({ name: 'id', required: false });
  reason = Option.String('--reason', { description: 'Recorded in the event log.' });
  all = Option.Boolean('--all', false, {
    description: 'All that match; without other options, all running and paused executions.',
  });

  protected override get changesOffline(): boolean {
    return this.id !== undefined;
  }

  protected async request(client: JamjetClient): Promise<number> {
    const about = idOrConditions(this, Date.now());
    if ('conditions' in about) return this.bulk(client, 'cancel', { ...about, reason: this.reason });
    const answer = await client.cancel(about.id, this.reason);
    if (this.json) this.printJson(answer);
    else this.print(`${this.paint.green('✓')} ${answer.execution_id} ${answer.status}`);
    return EXIT.ok;
  }
}

export { CancelCommand as command };
