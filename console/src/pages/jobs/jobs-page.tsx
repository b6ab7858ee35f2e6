import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
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
    <Page title="Jobs" actions={<Button onClick={() => void refetch()}>Refresh</Button>}>
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
            { id: 'status', header: 'Status', cell: ({ status }) => <StatusBadge status={status} /> },
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
              cell: ({ processed, matched }) => `${processed.toLocaleString()} / ${matched?.toLocaleString() ?? '…'}`,
            },
            { id: 'failed', header: 'Failed', align: 'end', cell: ({ failed }) => failed.toLocaleString() },
            { id: 'by', header: 'By', cell: ({ created_by }) => <Name text={created_by} maxChars={40} /> },
            { id: 'at', header: 'Requested', cell: ({ created_at }) => <Time at={created_at} /> },
            {
              id: 'took',
              header: 'Took',
              cell: ({ created_at, completed_at }) => <Elapsed from={created_at} to={completed_at} />,
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
