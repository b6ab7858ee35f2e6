import { Link } from 'wouter';
import type { ApprovalItem, TenantChange } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { Empty } from '../../components/empty.tsx';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { Loading } from '../../components/loading.tsx';
import { Name } from '../../components/name.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { Elapsed, Time } from '../../components/time.tsx';
import styles from './approvals.module.css';
import { useApprovalPages } from './use-approval-pages.ts';

const PAGE_SIZE = 50;

const COLUMNS: readonly Column<ApprovalItem>[] = [
  {
    header: 'Question',
    cell: ({ message, execution_id, node_id }) => (
      <Link href={`/executions/${execution_id}?node=${encodeURIComponent(node_id)}`}>
        <Name text={message === '' ? 'No message' : message} maxChars={120} />
      </Link>
    ),
  },
  { header: 'Workflow', cell: ({ workflow_id }) => <Name text={workflow_id} maxChars={60} /> },
  { header: 'Node', cell: ({ node_id }) => <Name text={node_id} maxChars={60} /> },
  { header: 'Decision', cell: ({ status }) => <StatusBadge status={status} /> },
  { header: 'By', cell: ({ user_id = '' }) => <Name text={user_id} maxChars={60} /> },
  {
    header: 'Comment',
    cell: ({ comment }) => (comment === null || comment === undefined ? '–' : <Name text={comment} maxChars={160} />),
  },
  {
    header: 'Waited',
    align: 'end',
    cell: ({ waiting_since, decided_at = waiting_since }) => <Elapsed from={waiting_since} to={decided_at} />,
  },
  { header: 'Decided', align: 'end', cell: ({ decided_at = '' }) => <Time at={decided_at} /> },
];

const isDecision = ({ type }: TenantChange['event']): boolean => type === 'approval_received';

/** Decisions, the last first. */
export function DecidedList({ workflow }: { readonly workflow: string | undefined }) {
  const { data, error, isFetching, readAgain, readMore } = useApprovalPages(
    { status: 'decided', limit: PAGE_SIZE },
    workflow,
    isDecision,
  );
  if (data === undefined)
    return error === null ? <Loading what="decisions" /> : <ErrorNotice error={error} onRetry={readAgain} />;
  return (
    <>
      {error !== null && <ErrorNotice error={error} onRetry={readAgain} />}
      {data.items.length === 0 ? (
        <Empty title="Nothing has been decided yet" />
      ) : (
        <Table
          label="Decisions"
          rows={data.items}
          rowKey={({ execution_id, sequence }) => `${execution_id}:${sequence}`}
          columns={COLUMNS}
        />
      )}
      {!data.isComplete && (
        <p className={styles.more}>
          <Button onClick={readMore} disabled={isFetching}>
            Show more
          </Button>
        </p>
      )}
    </>
  );
}
