import { Option } from 'clipanion';
import type { JamjetClient, Job } from '../../client/index.ts';
import { ClientCommand } from '../base/client-command.ts';
import { type BulkOptions, runBulk } from '../following/bulk-job.ts';
import { FILTER } from '../input/filter.ts';

type BulkRequest = Pick<BulkOptions, 'conditions'> & Partial<Pick<BulkOptions, 'reason'>>;

/** A command that acts on all executions its options choose, by a job. */
export abstract class BulkCommand extends ClientCommand {
  status = FILTER.status();
  workflow = FILTER.workflow();
  workflowVersion = FILTER.workflowVersion();
  label = FILTER.label();
  since = FILTER.since();
  until = FILTER.until();
  parent = FILTER.parent();
  yes = Option.Boolean('-y,--yes', false, { description: 'Do not ask whether it is meant.' });
  detach = Option.Boolean('--detach', false, { description: 'Start the job and leave it to itself.' });

  /** `--all`: needed when no other option chooses any. */
  abstract all: boolean;

  protected bulk(client: JamjetClient, action: Job['action'], { conditions, reason }: BulkRequest): Promise<number> {
    const { yes, json, detach } = this;
    return runBulk(client, this.context, { action, conditions, reason, yes, json, detach });
  }
}
