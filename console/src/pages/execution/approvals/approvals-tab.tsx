import { useState } from 'react';
import type { Approvals } from '../../../../../src/api/operations/approvals.ts';
import { Button } from '../../../components/button.tsx';
import { type Asked, type Decision, heldCalls } from '../../../components/decision/asked.ts';
import { DecisionDialog } from '../../../components/decision/decision-dialog.tsx';
import { Empty } from '../../../components/empty.tsx';
import { ErrorNotice } from '../../../components/error-notice.tsx';
import { JsonView } from '../../../components/json-view.tsx';
import { Loading } from '../../../components/loading.tsx';
import { Name } from '../../../components/name.tsx';
import { StatusBadge } from '../../../components/status-badge.tsx';
import { Time } from '../../../components/time.tsx';
import { useLiveQuery } from '../../../live/use-live-query.ts';
import { useSession } from '../../../session/session.ts';
import { useExecutionView } from '../execution-view.ts';
import styles from './approvals.module.css';

type Pending = Approvals['pending'][number];

/** Events after which other approvals are pending. */
const CHANGING: ReadonlySet<string> = new Set([
  'interrupt_raised',
  'tool_approval_required',
  'approval_received',
  'node_cancelled',
  'node_failed',
  'node_completed',
  'timer_fired',
]);

/** The approvals of the execution: those that wait, with what is asked, and those that were decided. */
export function ApprovalsTab() {
  const { id, execution } = useExecutionView();
  const { client, can } = useSession();
  const [deciding, setDeciding] = useState<{ readonly asked: Asked; readonly decision: Decision } | null>(null);
  const approvals = useLiveQuery({
    queryKey: ['approvals', id],
    queryFn: ({ signal }) => client.approvals(id, { signal }),
    changedBy: (event) => event.execution_id === id && (event.node_id === null || CHANGING.has(event.type)),
  });
  const { pending = [], decided = [] } = approvals.data ?? {};
  return (
    <div className={styles.tab}>
      {approvals.error !== null && <ErrorNotice error={approvals.error} onRetry={() => void approvals.refetch()} />}
      {approvals.isPending && <Loading what="approvals" />}
      {approvals.data !== undefined && pending.length + decided.length === 0 && (
        <Empty title="Nothing to approve">
          <p>Approval nodes, and tools that a policy holds, are listed here when they wait for a person.</p>
        </Empty>
      )}
      {pending.map((approval) => {
        const asked = askedOf(execution.id, approval);
        return (
          <article key={`${approval.node_id} ${approval.activation}`} className={styles.pending}>
            <h2>
              <Name text={approval.node_id} maxChars={80} /> <StatusBadge status="waiting" />
            </h2>
            <p className={styles.message}>
              {asked.message === '' ? <em>No message.</em> : <Name text={asked.message} maxChars={600} />}
            </p>
            {heldCalls(approval.context).map(({ name, args }, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the calls of a question do not change
              <JsonView key={i} value={args ?? null} label={`arguments of ${name}`} />
            ))}
            <p className={styles.facts}>
              asked <Time at={asked.waiting_since} />
              {asked.expires_at !== null && (
                <>
                  {' '}
                  · until <Time at={asked.expires_at} />
                </>
              )}
            </p>
            {can('write') && (
              <p className={styles.buttons}>
                <Button kind="primary" onClick={() => setDeciding({ asked, decision: 'approved' })}>
                  Approve …
                </Button>
                <Button kind="danger" onClick={() => setDeciding({ asked, decision: 'rejected' })}>
                  Reject …
                </Button>
              </p>
            )}
          </article>
        );
      })}
      {decided.length > 0 && (
        <section aria-label="Decided">
          <h2>Decided</h2>
          <ul className={styles.decided}>
            {decided.map(({ node_id, status, user_id, actor_id, on_behalf_of, comment, sequence, decided_at }) => (
              <li key={sequence}>
                <StatusBadge status={status} /> <Name text={node_id} maxChars={80} /> by <Name text={user_id} maxChars={60} />
                {on_behalf_of !== undefined && on_behalf_of !== actor_id && (
                  <>
                    {' '}
                    (sent by <Name text={actor_id} maxChars={60} />)
                  </>
                )}{' '}
                <Time at={decided_at} />
                {comment !== null && comment !== '' && (
                  <blockquote>
                    <Name text={comment} maxChars={600} />
                  </blockquote>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
      {deciding !== null && <DecisionDialog {...deciding} onClose={() => setDeciding(null)} />}
    </div>
  );
}

function askedOf(executionId: string, { node_id, kind, tool_name, context, sequence, requested_at }: Pending): Asked {
  const { description, timeout_at } = context;
  return {
    execution_id: executionId,
    node_id,
    kind,
    tool_name,
    message: kind === 'tool' ? `Run ${tool_name}?` : String(description ?? ''),
    context,
    sequence,
    waiting_since: requested_at,
    expires_at: typeof timeout_at === 'string' ? timeout_at : null,
  };
}
