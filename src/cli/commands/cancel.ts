import { Option } from 'clipanion';
import type { JamjetClient } from '../../client/index.ts';
import { BulkCommand } from '../base/bulk-command.ts';
import type { Usage } from '../base/command.ts';
import { EXIT } from '../failure.ts';
import { idOrConditions } from '../input/filter.ts';

class CancelCommand extends BulkCommand {
  static override usage: Usage = {
    details: `Without an id, every running or paused execution that matches is cancelled by a job, which goes on when this command is interrupted
(jamjet jobs list). It asks first; where nobody can be asked, it wants --yes.`,
    examples: [
      ['Stop a run', '$0 cancel exec_0199…'],
      ['… and say why', '$0 cancel exec_0199… --reason "ordered twice"'],
      ['Stop what still runs of a workflow', '$0 cancel --all --status running --workflow nightly-import'],
      ['Everything of one customer, without asking', '$0 cancel --label customer=acme --yes'],
    ],
  };

  id = Option.String({ name: 'id', required: false });
  reason = Option.String('--reason', { description: 'Why; kept in the event log.' });
  all = Option.Boolean('--all', false, { description: 'All that match; without other options, everything alive.' });

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
