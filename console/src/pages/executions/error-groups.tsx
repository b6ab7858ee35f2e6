import type { ExecutionConditions } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { Empty } from '../../components/empty.tsx';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { ExecutionLink } from '../../components/execution-link.tsx';
import { Loading } from '../../components/loading.tsx';
import { Name } from '../../components/name.tsx';
import { Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { useLiveQuery } from '../../live/use-live-query.ts';
import { useSession } from '../../session/session.ts';
import styles from './executions.module.css';

/** Longer errors are cut before they are prepared for display. */
const MAX_ERROR = 1_000;

interface Props {
  readonly conditions: ExecutionConditions;
  readonly onChoose: (error: string) => void;
  readonly onRetry: (error: string, count: number) => void;
}

/** Failed executions by their error, the most frequent first. */
export function ErrorGroups({ conditions, onChoose, onRetry }: Props) {
  const { client, can } = useSession();
  const { error: _error, ...others } = conditions;
  const groups = useLiveQuery({
    queryKey: ['execution-errors', others],
    queryFn: ({ signal }) => client.executionErrors(others, { signal }),
    changedBy: ({ node_id }) => node_id === null,
  });
  if (groups.error !== null && groups.data === undefined)
    return <ErrorNotice error={groups.error} onRetry={() => void groups.refetch()} />;
  if (groups.data === undefined) return <Loading what="the errors" />;
  const { groups: rows, total_groups, examined, more } = groups.data;
  if (rows.length === 0) return <Empty title="No execution has failed">Failed executions are grouped here by their error.</Empty>;
  return (
    <div className={styles.scrolling}>
      <p className={styles.note}>
        {total_groups.toLocaleString()} different errors of {examined.toLocaleString()} executions
        {more ? ', the newest ones; older executions match as well.' : '.'}
      </p>
      <Table
        label="Errors"
        rows={rows}
        rowKey={({ error }) => error}
        columns={[
          { header: 'Count', align: 'end', cell: ({ count }) => count.toLocaleString() },
          {
            header: 'Error',
            isRowHeader: true,
            cell: ({ error, example_error }) => (
              <>
                <button type="button" className={styles.link} onClick={() => onChoose(error)}>
                  <Name text={error.slice(0, MAX_ERROR)} maxChars={160} />
                </button>
                <p className={styles.example}>
                  <Name text={example_error.slice(0, MAX_ERROR)} maxChars={200} />
                </p>
              </>
            ),
          },
          {
            header: 'Workflows',
            cell: ({ workflow_ids }) => <Name text={workflow_ids.join(', ').slice(0, MAX_ERROR)} maxChars={80} />,
          },
          { header: 'Newest', cell: ({ newest_at }) => <Time at={newest_at} /> },
          { header: 'Example', cell: ({ example_execution_id: id }) => <ExecutionLink id={id} /> },
          ...(can('write')
            ? [
                {
                  header: 'Actions',
                  isActions: true,
                  cell: ({ error, count }: { readonly error: string; readonly count: number }) => (
                    <Button onClick={() => onRetry(error, count)}>Retry all</Button>
                  ),
                },
              ]
            : []),
        ]}
      />
    </div>
  );
}
