import { Link } from 'wouter';
import { useFreshQuery } from '../../../live/use-fresh-query.ts';
import { useSession } from '../../../session/session.ts';
import styles from './detail.module.css';

const SHOWN = ['pending', 'running', 'paused', 'failed', 'completed', 'cancelled', 'limit_exceeded'] as const;

/** How many executions of the workflow there are, by status, with a link to them. */
export function ExecutionCounts({ workflowId }: { readonly workflowId: string }) {
  const { client } = useSession();
  const { data } = useFreshQuery({
    queryKey: ['executions', 'counts', workflowId],
    queryFn: ({ signal }) => client.executionCounts({ workflow_id: workflowId }, { signal }),
  });
  if (data === undefined) return <>…</>;
  const present = SHOWN.filter((status) => data.counts[status] > 0);
  if (present.length === 0) return <>none</>;
  return (
    <span className={styles.counts}>
      {present.map((status) => (
        <Link key={status} href={`/executions?workflow_id=${encodeURIComponent(workflowId)}&status=${status}`}>
          {data.counts[status].toLocaleString()} {status.replaceAll('_', ' ')}
        </Link>
      ))}
    </span>
  );
}
