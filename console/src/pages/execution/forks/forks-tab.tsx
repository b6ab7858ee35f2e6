import { Link } from 'wouter';
import { Empty } from '../../../components/empty.tsx';
import { ErrorNotice } from '../../../components/error-notice.tsx';
import { Loading } from '../../../components/loading.tsx';
import { Name } from '../../../components/name.tsx';
import { StatusBadge } from '../../../components/status-badge.tsx';
import { Table } from '../../../components/table.tsx';
import { Time } from '../../../components/time.tsx';
import { useLiveQuery } from '../../../live/use-live-query.ts';
import { useSession } from '../../../session/session.ts';
import { useExecutionView } from '../execution-view.ts';

/** By this label, the API finds the forks of an execution (docs/debugging.md). */
const ORIGIN_LABEL = 'jamjet.fork.of';
const MAX_SHOWN = 200;

/** The executions that were forked from this one. */
export function ForksTab() {
  const { id } = useExecutionView();
  const { client } = useSession();
  const forks = useLiveQuery({
    queryKey: ['forks', id],
    queryFn: ({ signal }) => client.executions({ label: `${ORIGIN_LABEL}:${id}`, limit: MAX_SHOWN }, { signal }),
    changedBy: ({ node_id }) => node_id === null,
  });
  const list = forks.data?.executions ?? [];
  return (
    <>
      {forks.error !== null && <ErrorNotice error={forks.error} onRetry={() => void forks.refetch()} />}
      {forks.isPending && <Loading what="forks" />}
      {forks.data !== undefined && list.length === 0 && (
        <Empty title="No forks">
          <p>A fork continues from an earlier event, with another state or version: “Fork here” at an event or a state.</p>
        </Empty>
      )}
      {list.length > 0 && (
        <Table
          label="Forks"
          rows={list}
          rowKey={(fork) => fork.id}
          columns={[
            {
              header: 'Execution',
              isRowHeader: true,
              cell: (fork) => (
                <Link href={`/executions/${fork.id}`}>
                  <code>…{fork.id.slice(-8)}</code>
                </Link>
              ),
            },
            {
              header: 'Status',
              cell: (fork) => (
                <span>
                  <StatusBadge status={fork.status} />
                </span>
              ),
            },
            { header: 'After event', cell: (fork) => fork.forked_from?.sequence },
            { header: 'Version', cell: (fork) => <Name text={fork.workflow_version} maxChars={40} /> },
            { header: 'Forked', cell: (fork) => <Time at={fork.created_at} /> },
            { header: 'Error', cell: (fork) => fork.error !== undefined && <Name text={fork.error} maxChars={120} /> },
          ]}
        />
      )}
      {forks.data?.next_cursor != null && (
        <p>
          <Link href={`/executions?label=${encodeURIComponent(`${ORIGIN_LABEL}:${id}`)}`}>All forks</Link>
        </p>
      )}
    </>
  );
}
