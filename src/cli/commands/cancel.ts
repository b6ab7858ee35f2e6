import { Option } from 'clipanion';
import type { JamjetClient } from '../../client.ts';
import { runBulk } from '../bulk.ts';
import type { Usage } from '../command.ts';
import { ClientCommand } from '../connect.ts';
import { EXIT } from '../failure.ts';
import { FILTER, oneOrSeveral } from '../filter.ts';

export class CancelCommand extends ClientCommand {
  static override paths = [['cancel']];
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
  status = FILTER.status();
  workflow = FILTER.workflow();
  workflowVersion = FILTER.workflowVersion();
  label = FILTER.label();
  since = FILTER.since();
  until = FILTER.until();
  parent = FILTER.parent();
  yes = Option.Boolean('-y,--yes', false, { description: 'Do not ask whether it is meant.' });
  detach = Option.Boolean('--detach', false, { description: 'Start the job and leave it to itself.' });

  protected async request(client: JamjetClient): Promise<number> {
    const about = oneOrSeveral(this, Date.now());
    if ('conditions' in about) {
      const { reason, yes, json, detach } = this;
      return runBulk(client, this.context, { ...about, action: 'cancel', reason, yes, json, detach });
    }
    const answer = await client.cancel(about.id, this.reason);
    if (this.json) this.printJson(answer);
    else this.print(`${this.paint.green('✓')} ${answer.execution_id} ${answer.status}`);
    return EXIT.ok;
  }
}
