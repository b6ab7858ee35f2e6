import type { ReactNode } from 'react';
import type { Job } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { Empty } from '../../components/empty.tsx';
import { Name } from '../../components/name.tsx';
import { OlderRows } from '../../components/resource/older-rows.tsx';
import { ResourcePage } from '../../components/resource/resource-page.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import type { Column } from '../../components/table.tsx';
import { Elapsed, Time } from '../../components/time.tsx';
import { usePages } from '../../live/use-pages.ts';
import { useRefetchOnEvent } from '../../live/use-refetch-on-event.ts';
import { useSession } from '../../session/session.ts';
import { JobTitle } from './job-progress.tsx';
import { useJob } from './use-job.ts';

const PAGE = 50;

/** Bulk jobs, newest first. */
export function JobsPage() {
  const { client } = useSession();
  const jobs = usePages({
    queryKey: ['jobs'],
    readPage: (from, signal) => client.jobs.list({ limit: PAGE, ...from }, { signal }),
    itemsOf: (page) => page.jobs,
  });
  // The list has no events of its own: it is read when it is opened, and after an outage.
  useRefetchOnEvent(jobs, () => false);
  return (
    <ResourcePage
      title="Bulk jobs"
      actions={<Button onClick={() => void jobs.refetch()}>Refresh</Button>}
      query={jobs}
      rows={({ items }) => items}
      rowKey={({ id }) => id}
      columns={COLUMNS}
      empty={
        <Empty title="There are no bulk jobs">
          <p>
            Select executions in the <a href="#/executions">list</a> to retry, cancel or pause them together.
          </p>
        </Empty>
      }
    >
      <OlderRows query={jobs} />
    </ResourcePage>
  );
}

const COLUMNS: readonly Column<Job>[] = [
  { header: 'Status', cell: (job) => <Current job={job}>{({ status }) => <StatusBadge status={status} />}</Current> },
  {
    header: 'Job',
    isRowHeader: true,
    cell: (job) => (
      <a href={`#/jobs/${job.id}`}>
        <JobTitle job={job} />
      </a>
    ),
  },
  {
    header: 'Progress',
    align: 'end',
    cell: (job) => (
      <Current job={job}>
        {({ processed, matched }) => `${processed.toLocaleString()} / ${matched?.toLocaleString() ?? '…'}`}
      </Current>
    ),
  },
  { header: 'Failed', align: 'end', cell: (job) => <Current job={job}>{({ failed }) => failed.toLocaleString()}</Current> },
  { header: 'By', cell: ({ created_by }) => <Name text={created_by} maxChars={40} /> },
  { header: 'Requested', cell: ({ created_at }) => <Time at={created_at} /> },
  {
    header: 'Took',
    cell: (job) => (
      <Current job={job}>{({ created_at, completed_at }) => <Elapsed from={created_at} to={completed_at} />}</Current>
    ),
  },
];

interface CurrentProps {
  readonly job: Job;
  readonly children: (job: Job) => ReactNode;
}

/** A job of the list as it is now. */
function Current({ job, children }: CurrentProps) {
  return job.status === 'running' ? <Followed job={job}>{children}</Followed> : children(job);
}

function Followed({ job, children }: CurrentProps) {
  return children(useJob(job.id).data ?? job);
}
