import { Option } from 'clipanion';
import type { CallOptions, JamjetClient, JobList } from '../../../client/index.ts';
import { ago } from '../../../views/time.ts';
import type { Usage } from '../../base/command.ts';
import { ListCommand } from '../../base/list-command.ts';
import { integerArgument } from '../../input/arguments.ts';
import { table } from '../../terminal/table.ts';
import { plain } from '../../terminal/text.ts';
import { paintJobStatus } from '../../texts/job.ts';

class JobsListCommand extends ListCommand<JobList> {
  static override usage: Usage = {
    examples: [
      ['List the latest bulk jobs', '$0 jobs list'],
      ['Watch their progress', '$0 jobs list --watch'],
    ],
  };

  limit = Option.String('--limit', '50', { description: 'Maximum number of jobs, 1 to 200 (default 50).' });
  cursor = Option.String('--cursor', { description: 'Start after an earlier page: its next_cursor.' });

  protected readonly emptyText = 'no jobs';

  protected read(client: JamjetClient, call: CallOptions): Promise<JobList> {
    const limit = integerArgument('--limit', this.limit, { min: 1, max: 200 });
    const query = { limit, ...(this.cursor === undefined ? {} : { cursor: this.cursor }) };
    return client.jobs.list(query, call);
  }

  protected listText({ jobs }: JobList): string | null {
    if (jobs.length === 0) return null;
    const nowMs = Date.now();
    const rows = jobs.map((job) => [
      job.id,
      job.action,
      paintJobStatus(job.status, this.paint),
      `${job.processed}/${job.matched ?? '?'}`,
      String(job.skipped),
      String(job.failed),
      ago(Date.parse(job.created_at), nowMs),
      plain(job.created_by),
    ]);
    return table(
      [
        { title: 'JOB' },
        { title: 'ACTION' },
        { title: 'STATUS' },
        { title: 'PROCESSED', align: 'right' },
        { title: 'SKIPPED', align: 'right' },
        { title: 'FAILED', align: 'right' },
        { title: 'STARTED', align: 'right' },
        { title: 'BY' },
      ],
      rows,
      this.paint,
    );
  }

  protected override moreHint({ next_cursor }: JobList): string | null {
    return next_cursor === null ? null : `more jobs: add --cursor ${next_cursor}`;
  }
}

export { JobsListCommand as command };
