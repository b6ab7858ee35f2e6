import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import { BulkCommand } from '../../base/bulk-command.ts';
import type { Usage } from '../../base/command.ts';
import { choiceArgument } from '../../input/arguments.ts';
import { bulkConditions, missingSelection } from '../../input/filter.ts';

const ACTIONS = ['cancel', 'retry', 'pause', 'resume'] as const;

class JobsStartCommand extends BulkCommand {
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
  all = Option.Boolean('--all', false, { description: 'All of them: needed when nothing else says which.' });
  reason = Option.String('--reason', { description: 'Why; kept in the event logs of what is cancelled or paused.' });

  protected async request(client: JamjetClient): Promise<number> {
    const action = choiceArgument('--action', this.action, ACTIONS);
    const conditions = bulkConditions(this, Date.now());
    if (conditions === null) throw missingSelection();
    return this.bulk(client, action, { conditions, reason: this.reason });
  }
}

export { JobsStartCommand as command };
