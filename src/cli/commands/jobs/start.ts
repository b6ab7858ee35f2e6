import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import { BulkCommand } from '../../base/bulk-command.ts';
import type { Usage } from '../../base/command.ts';
import { usageFailure } from '../../failure.ts';
import { choiceArgument } from '../../input/arguments.ts';
import { bulkConditions, FILTER, missingSelection } from '../../input/filter.ts';
import { waitArgument, waitOption } from '../../input/wait.ts';

const ACTIONS = ['cancel', 'retry', 'pause', 'resume'] as const;

class JobsStartCommand extends BulkCommand {
  static override usage: Usage = {
    details: `The job processes the executions that were started before it and that still match when it reaches them. Without --status it selects the
executions the action applies to: failed ones to retry, paused ones to resume, running and paused ones to cancel or pause.`,
    examples: [
      ['Retry the failures of the last six hours', '$0 jobs start --action retry --workflow nightly-import --since 6h'],
      ['Pause all executions of a customer, without confirmation', '$0 jobs start --action pause --label customer=acme --yes'],
      ['Retry all failed executions', '$0 jobs start --action retry --all'],
    ],
  };

  action = Option.String('-a,--action', { required: true, description: `The action: ${ACTIONS.join(', ')}.` });
  all = Option.Boolean('--all', false, {
    description: 'All executions the action applies to; required without other conditions.',
  });
  error = FILTER.error();
  wait = waitOption();
  reason = Option.String('--reason', { description: 'Recorded in the event logs of cancelled or paused executions.' });

  protected async request(client: JamjetClient): Promise<number> {
    const action = choiceArgument('--action', this.action, ACTIONS);
    if (this.wait !== undefined && action !== 'retry') throw usageFailure('--wait requires --action retry');
    const conditions = bulkConditions(this, Date.now());
    if (conditions === null) throw missingSelection();
    return this.bulk(client, action, { conditions, reason: this.reason, waitMs: waitArgument(this.wait) });
  }
}

export { JobsStartCommand as command };
