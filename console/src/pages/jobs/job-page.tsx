import { useParams } from 'wouter';
import { ApiError } from '../../../../src/client/index.ts';
import { BackLink } from '../../components/back-link.tsx';
import { Details } from '../../components/details.tsx';
import { Empty } from '../../components/empty.tsx';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { ExecutionLink } from '../../components/execution-link.tsx';
import { Loading } from '../../components/loading.tsx';
import { Name } from '../../components/name.tsx';
import { Page } from '../../components/page.tsx';
import { Table } from '../../components/table.tsx';
import { Elapsed, Time } from '../../components/time.tsx';
import { CancelJob } from './cancel-job.tsx';
import { JobProgress, JobTitle } from './job-progress.tsx';
import styles from './jobs.module.css';
import { useJob } from './use-job.ts';

/** Longer errors are cut before they are prepared for display. */
const MAX_ERROR = 1_000;

export function JobPage() {
  const { id } = useParams<{ id: string }>();
  const job = useJob(id);
  if (job.error instanceof ApiError && job.error.status === 404)
    return (
      <Page title="Job">
        <Empty title="There is no such job">
          <a href="#/jobs">Jobs</a>
        </Empty>
      </Page>
    );
  const { data } = job;
  return (
    <Page title={`Job ${id.slice(-8)}`} actions={data !== undefined && <CancelJob job={data} />}>
      <BackLink href="/jobs">All bulk jobs</BackLink>
      {job.error !== null && <ErrorNotice error={job.error} onRetry={() => void job.refetch()} />}
      {job.isPending && <Loading what="the job" />}
      {data !== undefined && (
        <div className={styles.job}>
          <p>
            <JobTitle job={data} />
          </p>
          <JobProgress job={data} />
          <Details
            items={[
              ['Id', <code key="id">{data.id}</code>],
              ['Reason', data.reason === null ? null : <Name key="reason" text={data.reason} maxChars={500} />],
              ['Requested by', <Name key="by" text={data.created_by} />],
              ['Requested', <Time key="at" at={data.created_at} />],
              ['Took', <Elapsed key="took" from={data.created_at} to={data.completed_at} />],
            ]}
          />
          {data.errors.length > 0 && (
            <section>
              <h2>Failures</h2>
              <p className={styles.note}>The first ones of {data.failed.toLocaleString()}.</p>
              <Table
                label="Failures"
                rows={data.errors.map((error, index) => ({ ...error, key: String(index) }))}
                rowKey={({ key }) => key}
                columns={[
                  {
                    header: 'Execution',
                    cell: ({ execution_id: of }) => (of === null ? 'The job itself' : <ExecutionLink id={of} />),
                  },
                  { header: 'Error', cell: ({ error }) => <Name text={error.slice(0, MAX_ERROR)} maxChars={300} /> },
                ]}
              />
            </section>
          )}
          {data.outcomes !== null && data.outcomes.errors.length > 0 && (
            <section>
              <h2>Why retried executions failed again</h2>
              <Table
                label="Errors of retried executions"
                rows={data.outcomes.errors}
                rowKey={({ error }) => error}
                columns={[
                  { header: 'Count', align: 'end', cell: ({ count }) => count.toLocaleString() },
                  {
                    header: 'Error',
                    isRowHeader: true,
                    cell: ({ error }) => (
                      <a href={`#/executions?${new URLSearchParams({ error })}`}>
                        <Name text={error.slice(0, MAX_ERROR)} />
                      </a>
                    ),
                  },
                ]}
              />
            </section>
          )}
        </div>
      )}
    </Page>
  );
}
