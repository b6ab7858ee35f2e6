import type { CallOptions, CronJobList, JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ListCommand } from '../../base/list-command.ts';
import { cronTable } from '../../texts/cron.ts';

class CronListCommand extends ListCommand<CronJobList> {
  static override usage: Usage = {
    examples: [
      ['List all cron jobs, by name', '$0 cron list'],
      ['Watch cron jobs', '$0 cron list --watch'],
      ['List jobs whose last run failed to start', "$0 cron list --json | jq '.cron_jobs[] | select(.last_error)'"],
    ],
  };

  protected readonly emptyText = 'no cron jobs';

  protected read(client: JamjetClient, call: CallOptions): Promise<CronJobList> {
    return client.cron.list(call);
  }

  protected listText({ cron_jobs }: CronJobList): string | null {
    return cron_jobs.length === 0 ? null : cronTable(cron_jobs, Date.now(), this.paint);
  }
}

export { CronListCommand as command };
