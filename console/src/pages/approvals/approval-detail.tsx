import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { Button } from '../../components/button.tsx';
import { Question } from '../../components/decision/question.tsx';
import { useReview } from '../../components/decision/use-review.ts';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { JsonView } from '../../components/json-view.tsx';
import { Loading } from '../../components/loading.tsx';
import { Name } from '../../components/name.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { Time } from '../../components/time.tsx';
import { useSession } from '../../session/session.ts';
import styles from './approvals.module.css';
import type { PendingRow } from './use-inbox.ts';

interface Props {
  readonly row: PendingRow;
  readonly onApprove: () => void;
  readonly onReject: () => void;
  readonly onBack: () => void;
}

/** Everything that a person must see before a decision. */
export function ApprovalDetail({ row, onApprove, onReject, onBack }: Props) {
  const { can } = useSession();
  const { item, outcome } = row;
  const review = useReview(item);
  return (
    <section className={styles.detail} aria-label="Selected approval">
      <h2 className="visually-hidden">Selected approval</h2>
      <Button kind="quiet" className={styles.back} onClick={onBack}>
        ‹ All approvals
      </Button>
      {outcome !== null && <Outcome row={row} />}
      <Question asked={item} input={review.data?.input} />
      <p className={styles.links}>
        <Link href={`/workflows/${encodeURIComponent(item.workflow_id)}`}>
          <Name text={item.workflow_id} maxChars={80} />
        </Link>
        <Link href={`/executions/${item.execution_id}?node=${encodeURIComponent(item.node_id)}`}>Open the execution</Link>
        {item.activation > 1 && <span>visit {item.activation}</span>}
        <code>{item.execution_id}</code>
      </p>
      {outcome === null && can('write') && (
        <div className={styles.actions}>
          <Button kind="primary" aria-keyshortcuts="a" onClick={onApprove}>
            Approve …{' '}
            <span aria-hidden="true">
              <kbd>a</kbd>
            </span>
          </Button>
          <Button kind="danger" aria-keyshortcuts="r" onClick={onReject}>
            Reject …{' '}
            <span aria-hidden="true">
              <kbd>r</kbd>
            </span>
          </Button>
        </div>
      )}
      {review.error !== null && <ErrorNotice error={review.error} onRetry={() => void review.refetch()} />}
      {review.isPending && <Loading what="the state" />}
      {review.data !== undefined && (
        <>
          <h3>{item.kind === 'tool' ? 'State now' : 'State for review'}</h3>
          <JsonView value={review.data.state} label="state" />
        </>
      )}
    </section>
  );
}

/** What became of it, from the log: also when the event was missed. */
function Outcome({ row: { item, outcome } }: { readonly row: PendingRow }) {
  const { client } = useSession();
  const { execution_id: id, node_id: node, sequence } = item;
  const decided = useQuery({
    queryKey: ['outcome', id, sequence, outcome?.status],
    queryFn: async ({ signal }) => {
      const { decided } = await client.approvals(id, { signal });
      return decided.find((each) => each.node_id === node && each.sequence > sequence) ?? null;
    },
  });
  const decision = decided.data ?? null;
  if (decided.isPending) return <Loading what="the decision" />;
  return (
    <p className={styles.outcome} role="status">
      {decision === null ? (
        'It no longer waits: it timed out, or its execution ended or went on without it.'
      ) : (
        <>
          <StatusBadge status={decision.status} /> by <Name text={decision.user_id} maxChars={80} />{' '}
          <Time at={decision.decided_at} />
          {decision.comment !== null && (
            <>
              : <Name text={decision.comment} maxChars={1_000} />
            </>
          )}
        </>
      )}
    </p>
  );
}
