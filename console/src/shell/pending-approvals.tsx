import { changesApprovals } from '../../../src/views/approval-inbox.ts';
import { useLiveQuery } from '../live/use-live-query.ts';
import { useSession } from '../session/session.ts';
import styles from './shell.module.css';

/** How many approvals await a decision. */
export function PendingApprovals() {
  const { client } = useSession();
  const { data } = useLiveQuery({
    queryKey: ['approvals', 'count'],
    queryFn: ({ signal }) => client.approvalCounts({}, { signal }),
    changedBy: changesApprovals,
  });
  if (data === undefined || data.pending === 0) return null;
  return <span className={styles.count}>{data.pending.toLocaleString()}</span>;
}
