import { useId } from 'react';
import { Link } from 'wouter';
import { Name } from '../../../components/name.tsx';
import { StatusBadge } from '../../../components/status-badge.tsx';
import { useLiveQuery } from '../../../live/use-live-query.ts';
import { useSession } from '../../../session/session.ts';
import { useExecutionView } from '../execution-view.ts';
import styles from './execution-header.module.css';

const MAX_CHILDREN = 20;

/** Links to the executions that this one belongs with: its parent, its children, its origin, the segments before and after. Which segment it is. */
export function Relatives() {
  const { execution } = useExecutionView();
  const { parent_execution_id, forked_from, previous_execution_id, next_execution_id } = execution;
  const { segment_number, first_execution_id, current_execution_id } = execution;
  return (
    <>
      <Relative label="Parent" id={parent_execution_id} />
      <Relative label="Forked from" id={forked_from?.execution_id} search={`?at=${forked_from?.sequence}&tab=state`} />
      {(previous_execution_id ?? next_execution_id) !== undefined && (
        <div>
          <dt>Segment</dt>
          <dd>{segment_number}</dd>
        </div>
      )}
      <Relative label="First segment" id={first_execution_id === previous_execution_id ? undefined : first_execution_id} />
      <Relative label="Previous segment" id={previous_execution_id} />
      <Relative label="Next segment" id={next_execution_id} />
      <Relative label="Current segment" id={current_execution_id === next_execution_id ? undefined : current_execution_id} />
      <Children />
    </>
  );
}

function Relative({
  label,
  id,
  search = '',
}: {
  readonly label: string;
  readonly id: string | undefined;
  readonly search?: string;
}) {
  if (id === undefined) return null;
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <Link href={`/executions/${id}${search}`}>
          <code>…{id.slice(-8)}</code>
        </Link>
      </dd>
    </div>
  );
}

function Children() {
  const { id } = useExecutionView();
  const { client } = useSession();
  const labelId = useId();
  const children = useLiveQuery({
    queryKey: ['children', id],
    queryFn: ({ signal }) => client.executions({ parent_execution_id: id, limit: MAX_CHILDREN }, { signal }),
    changedBy: (event) => event.execution_id === id && event.type.startsWith('child_workflow_'),
  });
  const list = children.data?.executions ?? [];
  if (list.length === 0) return null;
  const isCut = children.data?.next_cursor != null;
  return (
    <div>
      <dt id={labelId}>Children</dt>
      <dd>
        <details className={styles.children}>
          <summary aria-labelledby={labelId}>
            {list.length}
            {isCut && '+'}
          </summary>
          <ul>
            {list.map((child) => (
              <li key={child.id}>
                <StatusBadge status={child.status} />{' '}
                <Link href={`/executions/${child.id}`}>
                  <Name text={child.workflow_id} maxChars={40} /> <code>…{child.id.slice(-8)}</code>
                </Link>
              </li>
            ))}
            {isCut && (
              <li>
                <Link href={`/executions?parent_execution_id=${id}`}>All children</Link>
              </li>
            )}
          </ul>
        </details>
      </dd>
    </div>
  );
}
