import { useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect } from 'react';
import type { Job } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { Empty } from '../../components/empty.tsx';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { Loading } from '../../components/loading.tsx';
import { Name } from '../../components/name.tsx';
import { Page } from '../../components/page.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { Table } from '../../components/table.tsx';
import { Elapsed, Time } from '../../components/time.tsx';
import { useTenantStream } from '../../live/tenant-stream.tsx';
import { useSession } from '../../session/session.ts';
import { JobTitle } from './job-progress.tsx';
import { useJob } from './use-job.ts';

const PAGE = 50;

/** Bulk jobs, newest first. */
export function JobsPage() {
  const { client } = useSession();
  const { state } = useTenantStream();
  const jobs = useInfiniteQuery({
    queryKey: ['jobs'],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      client.jobs.list({ limit: PAGE, ...(pageParam === undefined ? {} : { cursor: pageParam }) }, { signal }),
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
  });
  const { refetch } = jobs;
  // The list has no events of its own: it is read when it is opened, and after an outage.
  useEffect(() => {
    if (state.state === 'open') void refetch();
  }, [state.state, refetch]);
  const rows = jobs.data?.pages.flatMap((page) => page.jobs) ?? [];
  return (
    <Page title="Bulk jobs" actions={<Button onClick={() => void refetch()}>Refresh</Button>}>
      {jobs.error !== null && <ErrorNotice error={jobs.error} onRetry={() => void refetch()} />}
      {jobs.isPending && <Loading what="the jobs" />}
      {jobs.data !== undefined && rows.length === 0 && (
        <Empty title="There are no bulk jobs">
          <p>
            Select executions in the <a href="#/executions">list</a> to retry, cancel or pause them together.
          </p>
        </Empty>
      )}
      {rows.length > 0 && (
        <Table
          label="Jobs"
          rows={rows}
          rowKey={({ id }) => id}
          columns={[
            {
              id: 'status',
              header: 'Status',
              cell: (job) => <Current job={job}>{({ status }) => <StatusBadge status={status} />}</Current>,
            },
            {
              id: 'job',
              header: 'Job',
              isRowHeader: true,
              cell: (job) => (
                <a href={`#/jobs/${job.id}`}>
                  <JobTitle job={job} />
                </a>
              ),
            },
            {
              id: 'progress',
              header: 'Progress',
              align: 'end',
              cell: (job) => (
                <Current job={job}>
                  {({ processed, matched }) => `${processed.toLocaleString()} / ${matched?.toLocaleString() ?? '…'}`}
                </Current>
              ),
            },
            {
              id: 'failed',
              header: 'Failed',
              align: 'end',
              cell: (job) => <Current job={job}>{({ failed }) => failed.toLocaleString()}</Current>,
            },
            { id: 'by', header: 'By', cell: ({ created_by }) => <Name text={created_by} maxChars={40} /> },
            { id: 'at', header: 'Requested', cell: ({ created_at }) => <Time at={created_at} /> },
            {
              id: 'took',
              header: 'Took',
              cell: (job) => (
                <Current job={job}>{({ created_at, completed_at }) => <Elapsed from={created_at} to={completed_at} />}</Current>
              ),
            },
          ]}
        />
      )}
      {jobs.hasNextPage && (
        <Button disabled={jobs.isFetchingNextPage} onClick={() => void jobs.fetchNextPage()}>
          Older jobs
        </Button>
      )}
    </Page>
  );
}

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
