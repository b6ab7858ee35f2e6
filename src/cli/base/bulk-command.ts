import { Option } from 'clipanion';
import type { JamjetClient, Job } from '../../client/index.ts';
import { usageFailure } from '../failure.ts';
import { type BulkOptions, runBulk } from '../following/bulk-job.ts';
import { FILTER } from '../input/filter.ts';
import { ClientCommand } from './client-command.ts';

type BulkRequest = Pick<BulkOptions, 'conditions' | 'waitMs'> & Partial<Pick<BulkOptions, 'reason'>>;

/** A command that starts a bulk job on all executions its options select. */
export abstract class BulkCommand extends ClientCommand {
  protected override readonly executionOptions: readonly string[] = ['parent'];
  status = FILTER.status();
  workflow = FILTER.workflow();
  workflowVersion = FILTER.workflowVersion();
  label = FILTER.label();
  since = FILTER.since();
  until = FILTER.until();
  parent = FILTER.parent();
  yes = Option.Boolean('-y,--yes', false, { description: 'Do not ask for confirmation.' });
  detach = Option.Boolean('--detach', false, { description: 'Start the job and do not follow it.' });

  /** `--all`: required if no other option selects executions. */
  abstract all: boolean;

  protected bulk(client: JamjetClient, action: Job['action'], { conditions, reason, waitMs }: BulkRequest): Promise<number> {
    const { yes, json, detach } = this;
    if (waitMs !== undefined && detach) throw usageFailure('give --wait or --detach, not both');
    return runBulk(client, this.context, { action, conditions, reason, yes, json, detach, waitMs });
  }
}
