import { Link } from 'wouter';
import { Empty } from '../../components/empty.tsx';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { Loading } from '../../components/loading.tsx';
import { Name } from '../../components/name.tsx';
import { Page } from '../../components/page.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { Time } from '../../components/time.tsx';
import { useLiveQuery } from '../../live/use-live-query.ts';
import { useSession } from '../../session/session.ts';

export function ExecutionsPage() {
  const { client } = useSession();
  const list = useLiveQuery({
    queryKey: ['executions'],
    queryFn: ({ signal }) => client.executions({}, { signal }),
    changedBy: ({ node_id }) => node_id === null,
  });
  return (
    <Page title="Executions">
      {list.error !== null && <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <Loading what="executions" />}
      {list.data?.executions.length === 0 && <Empty title="Nothing has been started yet" />}
      <ul>
        {list.data?.executions.map((execution) => (
          <li key={execution.id}>
            <StatusBadge status={execution.status} /> <Link href={`/executions/${execution.id}`}>{execution.id}</Link>{' '}
            <Name text={execution.workflow_id} /> <Time at={execution.created_at} />
          </li>
        ))}
      </ul>
    </Page>
  );
}
