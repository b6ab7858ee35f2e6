import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client.ts';
import { choiceArgument } from '../../arguments.ts';
import { runBulk } from '../../bulk.ts';
import type { Usage } from '../../command.ts';
import { ClientCommand } from '../../connect.ts';
import { FILTER, nothingChosen, several } from '../../filter.ts';

const ACTIONS = ['cancel', 'retry', 'pause', 'resume'] as const;

export class JobsStartCommand extends ClientCommand {
  static override paths = [['jobs', 'start']];
  static override usage: Usage = {
    details: `It is about the executions started until now that match when the job comes to them. Without --status: those the action is
for, which are failed ones to retry, paused ones to resume, running and paused ones to cancel or pause.`,
    examples: [
      ['Retry what failed since this morning', '$0 jobs start --action retry --workflow nightly-import --since 6h'],
      ['Pause every execution of a customer, without asking', '$0 jobs start --action pause --label customer=acme --yes'],
      ['Retry everything that has failed', '$0 jobs start --action retry --all'],
    ],
  };

  action = Option.String('-a,--action', { required: true, description: `What to do: ${ACTIONS.join(', ')}.` });
  status = FILTER.status();
  workflow = FILTER.workflow();
  workflowVersion = FILTER.workflowVersion();
  label = FILTER.label();
  since = FILTER.since();
  until = FILTER.until();
  parent = FILTER.parent();
  all = Option.Boolean('--all', false, { description: 'All of them: needed when nothing else says which.' });
  reason = Option.String('--reason', { description: 'Why; kept in the event logs of what is cancelled or paused.' });
  yes = Option.Boolean('-y,--yes', false, { description: 'Do not ask whether it is meant.' });
  detach = Option.Boolean('--detach', false, { description: 'Start the job and leave it to itself.' });

  protected async request(client: JamjetClient): Promise<number> {
    const action = choiceArgument('--action', this.action, ACTIONS);
    const conditions = several(this, Date.now());
    if (conditions === null) throw nothingChosen();
    const { reason, yes, json, detach } = this;
    return runBulk(client, this.context, { action, conditions, reason, yes, json, detach });
  }
}
