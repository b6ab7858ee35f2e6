import { useState } from 'react';
import { Link } from 'wouter';
import type { WorkflowDetail, WorkflowRevisions } from '../../../../../src/client/index.ts';
import { Button } from '../../../components/button.tsx';
import { ErrorNotice } from '../../../components/error-notice.tsx';
import { Loading } from '../../../components/loading.tsx';
import { Name } from '../../../components/name.tsx';
import { type Column, Table } from '../../../components/table.tsx';
import { Time } from '../../../components/time.tsx';
import { useFreshQuery } from '../../../live/use-fresh-query.ts';
import { useSession } from '../../../session/session.ts';
import { workflowPath } from '../paths.ts';
import styles from './detail.module.css';

type Revision = WorkflowRevisions['revisions'][number];

const PAGE_SIZE = 100;

/** What was registered under each version, the last first. */
export function RevisionsPanel({ workflow }: { readonly workflow: WorkflowDetail }) {
  const { client } = useSession();
  const { workflow_id: id, revision: shown } = workflow;
  const [limit, setLimit] = useState(PAGE_SIZE);
  const { data, error, isFetching, refetch } = useFreshQuery({
    queryKey: ['revisions', id, limit],
    queryFn: ({ signal }) => client.revisions(id, { limit }, { signal }),
  });
  const columns: readonly Column<Revision>[] = [
    {
      header: 'Revision',
      cell: ({ revision }) => (
        <Link href={workflowPath(id, { revision })} aria-current={revision === shown ? 'true' : undefined}>
          <code>{revision.slice(0, 12)}</code>
        </Link>
      ),
    },
    { header: 'Version', cell: ({ version }) => <Name text={version} maxChars={60} /> },
    {
      header: 'Is',
      cell: ({ current, revision }) => [current ? 'current' : 'replaced', ...(revision === shown ? ['shown'] : [])].join(', '),
    },
    { header: 'First registered', cell: ({ first_registered_at }) => <Time at={first_registered_at} /> },
    { header: 'Last registered', cell: ({ registered_at }) => <Time at={registered_at} /> },
    { header: 'By', cell: ({ registered_by }) => <Name text={registered_by} maxChars={60} /> },
    {
      header: 'Actions',
      isActions: true,
      cell: ({ revision }) =>
        revision === shown ? null : (
          <Link href={comparePath(id, revision, shown)} aria-label={`Compare ${revision.slice(0, 12)} with the revision shown`}>
            Compare
          </Link>
        ),
    },
  ];
  if (data === undefined)
    return error === null ? <Loading what="revisions" /> : <ErrorNotice error={error} onRetry={() => void refetch()} />;
  return (
    <>
      <Table
        label="Revisions"
        rows={data.revisions}
        rowKey={({ version, revision }) => `${revision} ${version}`}
        columns={columns}
        isMuted={({ current }) => !current}
      />
      {data.revisions.length >= limit && (
        <p className={styles.more}>
          <Button disabled={isFetching} onClick={() => setLimit(limit + PAGE_SIZE)}>
            Show more
          </Button>
        </p>
      )}
    </>
  );
}

function comparePath(id: string, from: string, to: string): string {
  return `${workflowPath(id, { revision: to, tab: 'compare' })}&from=${from}`;
}
